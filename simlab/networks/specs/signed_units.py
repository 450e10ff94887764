"""The specification of the two-layer network whose second layer is fixed, with a choice of activations."""

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

ACTIVATIONS = ("relu", "gelu", "tanh", "linear")


@dataclass(frozen=True, kw_only=True)
class FeatureUnits(Architecture[SignedFeatures]):
    """Base class of networks with one hidden layer on signed features.

    Args:
        n_hidden: ``m``, the number of hidden units.
    """

    n_hidden: int

    def check(self, task: "Task", source: "Source") -> None:
        """Raise ``ValueError`` unless the task has signed features."""
        if not isinstance(task, SignedFeatures):
            raise invalid("network", "one that reads the examples of the task", type(task).__name__)
        check_array("weights", n_hidden=self.n_hidden, input_dim=task.n_inputs)

    def width(self, task: SignedFeatures) -> int:
        """Return the width of the wider layer."""
        return max(self.n_hidden, task.n_inputs)


@dataclass(frozen=True, kw_only=True)
class SignedUnits(FeatureUnits):
    """``f(x) = (1/m) sum_k e_k phi(w_k . x)``, :class:`simlab.networks.signed_units.SignedUnits`.

    The slope of a leaky ReLU is a hyperparameter.

    Args:
        n_hidden: ``m``, even: half of the units have each sign.
        activation: one of ``ACTIVATIONS``.
    """

    n_hidden: int = 128
    activation: str = "relu"

    def __post_init__(self):
        check_choice("activation", self.activation, ACTIVATIONS)
        if check_count("n_hidden", self.n_hidden, 2) % 2:
            raise invalid("n_hidden", "an even number, half of each sign", self.n_hidden)

    def build(self, task: SignedFeatures, hyper, *, dtype, rngs: "nnx.Rngs") -> "nnx.Module":
        """Return the network with its initial weights."""
        from simlab.networks.signed_units import SignedUnits as Network

        return Network(
            input_dim=task.n_inputs,
            n_hidden=self.n_hidden,
            activation=self.activation,
            leaky_slope=hyper.leaky_slope,
            initial_scale=hyper.initial_scale,
            dtype=dtype,
            rngs=rngs,
        )
