"""The specification of unconstrained features."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from simlab.networks.specs.architecture import Architecture, SplitAxis
from simlab.networks.specs.vector_measures import VectorMeasures
from simlab.tasks.labelled_samples import LabelledTask
from simlab.validation import check_count, invalid

if TYPE_CHECKING:
    from flax import nnx

    from simlab.data.sources import Source
    from simlab.tasks.task import Task


@dataclass(frozen=True, kw_only=True)
class FreeFeatures(VectorMeasures, Architecture[LabelledTask]):
    """A free vector for each sample and a linear classifier, :class:`simlab.networks.free_features.FreeFeatures`.

    Args:
        feature_dim: ``d``.
    """

    feature_dim: int = 16

    def __post_init__(self):
        check_count("feature_dim", self.feature_dim)

    def check(self, task: "Task", source: "Source") -> None:
        """Raise ``ValueError`` unless the task has labelled samples without inputs."""
        if not isinstance(task, LabelledTask):
            raise invalid("network", "one that reads the examples of the task, not samples", type(task).__name__)
        if task.input_dim is not None:
            raise invalid("input_dim", "None, as free features read no inputs", task.input_dim)

    def width(self, task: LabelledTask) -> int:
        """Return ``d``."""
        return self.feature_dim

    def split_axes(self, task: LabelledTask) -> Mapping[str, SplitAxis]:
        """Return the class axis of the classifier, ``Float[K, d]``."""
        return {"classifier": SplitAxis("n_classes", (task.n_classes, self.feature_dim))}

    def build(self, task: LabelledTask, hyper, *, dtype, rngs: "nnx.Rngs") -> "nnx.Module":
        """Return the network with its initial weights."""
        from simlab.networks.free_features import FreeFeatures as Network

        return Network(
            n_samples=task.n_examples,
            n_classes=task.n_classes,
            heads=task.heads,
            feature_dim=self.feature_dim,
            initial_scale=hyper.initial_scale,
            dtype=dtype,
            rngs=rngs,
        )
