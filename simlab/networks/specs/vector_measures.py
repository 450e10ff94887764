"""What the specifications of classifiers on one set of vectors record over training."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flax import nnx

    from simlab.tasks.task import Task


class VectorMeasures:
    """Answers ``measure`` and ``metric_names`` with the metrics of :mod:`simlab.metrics.vectors`."""

    def measure(self, network: "nnx.Module", task: "Task", data):
        """Return a :class:`simlab.metrics.vectors.VectorMetrics`."""
        from simlab.metrics.vectors import measure

        return measure(network, task, data)

    def metric_names(self, task: "Task") -> tuple[str, ...]:
        """Return the names of what is measured."""
        from simlab.metrics.vectors import VectorMetrics

        return VectorMetrics._fields
