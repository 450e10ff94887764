"""The specification of the two-layer ReLU network whose second layer is fixed."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from simlab.networks.specs.architecture import Architecture
from simlab.sizes import check_array
from simlab.tasks.orthogonal_clusters import OrthogonalClusters
from simlab.validation import check_count, invalid

if TYPE_CHECKING:
    from flax import nnx

    from simlab.data.sources import Source
    from simlab.tasks.task import Task


@dataclass(frozen=True, kw_only=True)
class SignedReLU(Architecture[OrthogonalClusters]):
    """``f(x) = (1/h) sum_j s_j relu(w_j . x)``, :class:`simlab.networks.signed_relu.SignedReLU`.

    Args:
        n_hidden: ``h``, even: half of the units have each sign.
    """

    n_hidden: int = 32

    def __post_init__(self):
        if check_count("n_hidden", self.n_hidden, 2) % 2:
            raise invalid("n_hidden", "an even number, half of each sign", self.n_hidden)

    def check(self, task: "Task", source: "Source") -> None:
        """Raise ``ValueError`` unless the task has orthogonal clusters."""
        if not isinstance(task, OrthogonalClusters):
            raise invalid("network", "one that reads the examples of the task, not clusters", type(task).__name__)
        check_array("weights", n_hidden=self.n_hidden, input_dim=task.input_dim)

    def width(self, task: OrthogonalClusters) -> int:
        """Return the width of the wider layer."""
        return max(self.n_hidden, task.input_dim)

    def build(self, task: OrthogonalClusters, hyper, *, dtype, rngs: "nnx.Rngs") -> "nnx.Module":
        """Return the network with its initial weights."""
        from simlab.networks.signed_relu import SignedReLU as Network

        sizes = {"input_dim": task.input_dim, "n_hidden": self.n_hidden}
        return Network(**sizes, initial_scale=hyper.initial_scale, dtype=dtype, rngs=rngs)
