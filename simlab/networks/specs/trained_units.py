"""The specification of the two-layer network with biases whose layers are both trained."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from simlab.networks.specs.architecture import Architecture
from simlab.sizes import check_array
from simlab.tasks.signed_features import SignedFeatures
from simlab.validation import check_choice, check_count, invalid

if TYPE_CHECKING:
    from flax import nnx

    from simlab.data.sources import Source
    from simlab.tasks.task import Task

ACTIVATIONS = ("relu", "gelu", "sigmoid", "tanh", "linear")


@dataclass(frozen=True, kw_only=True)
class TrainedUnits(Architecture[SignedFeatures]):
    """``f(x) = sum_k a_k phi(w_k . x + b_k) + c``, :class:`simlab.networks.trained_units.TrainedUnits`.

    Args:
        n_hidden: ``m``.
        activation: one of ``ACTIVATIONS``.
    """

    n_hidden: int = 256
    activation: str = "relu"

    def __post_init__(self):
        check_count("n_hidden", self.n_hidden)
        check_choice("activation", self.activation, ACTIVATIONS)

    def check(self, task: "Task", source: "Source") -> None:
        """Raise ``ValueError`` unless the task has signed features."""
        if not isinstance(task, SignedFeatures):
            raise invalid("network", "one that reads the examples of the task", type(task).__name__)
        check_array("weights", n_hidden=self.n_hidden, input_dim=task.n_inputs)

    def width(self, task: SignedFeatures) -> int:
        """Return the width of the wider layer."""
        return max(self.n_hidden, task.n_inputs)

    def build(self, task: SignedFeatures, hyper, *, dtype, rngs: "nnx.Rngs") -> "nnx.Module":
        """Return the network with its initial weights."""
        from simlab.networks.trained_units import TrainedUnits as Network

        return Network(
            input_dim=task.n_inputs,
            n_hidden=self.n_hidden,
            activation=self.activation,
            initial_scale=hyper.initial_scale,
            dtype=dtype,
            rngs=rngs,
        )
