"""The specification of the two-layer network with biases and two trained layers."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from simlab.networks.specs.signed_units import FeatureUnits
from simlab.tasks.signed_features import SignedFeatures
from simlab.validation import check_choice, check_count

if TYPE_CHECKING:
    from flax import nnx

ACTIVATIONS = ("relu", "gelu", "sigmoid", "tanh", "linear")


@dataclass(frozen=True, kw_only=True)
class TrainedUnits(FeatureUnits):
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
