"""The specification of free class vectors."""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from simlab.networks.specs.architecture import Architecture
from simlab.sizes import check_array
from simlab.tasks.paired.class_batches import ClassBatches
from simlab.validation import check_count, check_real, invalid

if TYPE_CHECKING:
    from flax import nnx

    from simlab.data.sources import Source
    from simlab.tasks.task import Task


@dataclass(frozen=True, kw_only=True)
class ClassVectors(Architecture[ClassBatches]):
    """A free vector for each class, :class:`simlab.networks.encoders.class_vectors.ClassVectors`.

    Args:
        dim: ``d``.
        initial_angle: angle of the cone of initial vectors, radians, between 0 and pi/2; None for normal vectors.
        has_random_directions: whether the directions around the axis of the cone are random; otherwise they form a
            simplex, which needs at least as many dimensions as classes.
    """

    dim: int
    initial_angle: float | None = None
    has_random_directions: bool = False

    def __post_init__(self):
        check_count("dim", self.dim)
        angle = self.initial_angle
        if angle is not None and check_real("initial_angle", angle, positive=True) >= math.pi / 2:
            raise invalid("initial_angle", "less than pi/2", angle)

    def check(self, task: "Task", source: "Source") -> None:
        """Raise ``ValueError`` unless the task has batches of classes, and enough dimensions for a simplex."""
        if not isinstance(task, ClassBatches):
            raise invalid("network", "one that reads the examples of the task, not classes", type(task).__name__)
        if self.initial_angle is not None and not self.has_random_directions and self.dim < task.n_classes:
            raise invalid("dim", f"at least n_classes={task.n_classes}, for a simplex about an axis", self.dim)
        check_array("vectors", n_classes=task.n_classes, dim=self.dim)

    def width(self, task: ClassBatches) -> int:
        """Return ``d``."""
        return self.dim

    def build(self, task: ClassBatches, hyper, *, dtype, rngs: "nnx.Rngs") -> "nnx.Module":
        """Return the network with its initial vectors."""
        from simlab.networks.encoders.class_vectors import ClassVectors as Network

        return Network(
            n_classes=task.n_classes,
            dim=self.dim,
            initial_scale=hyper.initial_scale,
            initial_angle=self.initial_angle,
            has_random_directions=self.has_random_directions,
            dtype=dtype,
            rngs=rngs,
        )
