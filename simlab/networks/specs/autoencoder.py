"""The specification of the autoencoder with tied weights."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from simlab.networks.specs.architecture import Architecture
from simlab.sizes import check_array
from simlab.tasks.sparse_features import SparseFeatures
from simlab.validation import check_choice, check_count, invalid

if TYPE_CHECKING:
    from flax import nnx

    from simlab.data.sources import Source
    from simlab.tasks.task import Task

NONLINEARITIES = ("relu", "linear")


@dataclass(frozen=True, kw_only=True)
class Autoencoder(Architecture[SparseFeatures]):
    """``x' = relu(W^T W x + b)`` or ``W^T W x + b``, :class:`simlab.networks.autoencoder.Autoencoder`.

    Args:
        n_hidden: ``m``, at least 1 and at most the number of features.
        nonlinearity: ``relu`` or ``linear``.
    """

    n_hidden: int
    nonlinearity: str = "relu"

    def __post_init__(self):
        check_count("n_hidden", self.n_hidden)
        check_choice("nonlinearity", self.nonlinearity, NONLINEARITIES)

    def check(self, task: "Task", source: "Source") -> None:
        """Raise ``ValueError`` unless the task has sparse features, at least as many as hidden units."""
        if not isinstance(task, SparseFeatures):
            raise invalid("network", "one that reads the examples of the task, not features", type(task).__name__)
        check_array("weights", n_hidden=self.n_hidden, n_features=task.n_features)
        if task.n_features < self.n_hidden:
            wanted = f"at least n_hidden={self.n_hidden}, as fewer features need no superposition"
            raise invalid("n_features", wanted, task.n_features)

    def width(self, task: SparseFeatures) -> int:
        """Return ``n``, the number of features."""
        return task.n_features

    def build(self, task: SparseFeatures, hyper, *, dtype, rngs: "nnx.Rngs") -> "nnx.Module":
        """Return the network with its initial weights."""
        from simlab.networks.autoencoder import Autoencoder as Network

        return Network(
            n_features=task.n_features,
            n_hidden=self.n_hidden,
            nonlinearity=self.nonlinearity,
            initial_scale=hyper.initial_scale,
            dtype=dtype,
            rngs=rngs,
        )
