"""Metrics recorded over training for specifications of classifiers on one set of vectors."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flax import nnx

    from simlab.tasks.task import Task


class VectorMeasures:
    """Implements ``measure`` and ``metric_names`` with the metrics of :mod:`simlab.metrics.vectors`."""

    def measure(self, network: "nnx.Module", task: "Task", data):
        """Return the :class:`simlab.metrics.vectors.VectorMetrics` of the network."""
        from simlab.metrics.vectors import measure

        return measure(network, task, data)

    def metric_names(self, task: "Task") -> tuple[str, ...]:
        """Return the names of the metrics."""
        from simlab.metrics.vectors import VectorMetrics

        return VectorMetrics._fields
