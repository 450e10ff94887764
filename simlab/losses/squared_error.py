"""Half the squared error of a linear map from items to properties, for gradient descent or gradient flow."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from simlab.losses.objective import EvaluationSet, Metric, Objective
from simlab.validation import check_choice, invalid

if TYPE_CHECKING:
    import jax

    from simlab.networks.deep_linear import DeepLinear
    from simlab.training.spec import TrainingSpec

INTEGRATORS = ("descent", "runge-kutta")
# The classical Runge-Kutta method of order four: for each slope, the fraction of the step and its weight in the mean.
CLASSICAL_STAGES = ((0.0, 1 / 6), (0.5, 1 / 3), (0.5, 1 / 3), (1.0, 1 / 6))


class Hyperparameters(NamedTuple):
    """Hyperparameters, which may vary without a new compilation.

    Attributes:
        learning_rate: of gradient descent; the time step of Runge-Kutta.
        initial_scale: standard deviation of the entries of a random start.
        initial_strength: singular value of the map of a balanced start.
    """

    learning_rate: Any
    initial_scale: Any
    initial_strength: Any


@dataclass(frozen=True, kw_only=True)
class SquaredError(Objective["DeepLinear"]):
    """``|Y - W_N .. W_1|^2 / 2``, summed over one-hot items and properties.

    With ``runge-kutta`` the gradient of the loss is the mean slope of a classical Runge-Kutta step of order four, so
    that plain gradient descent follows gradient flow, with an error of fourth order in the learning rate.

    Args:
        integrator: ``descent`` or ``runge-kutta``.
    """

    integrator: str = "descent"
    Hyperparameters: ClassVar[type] = Hyperparameters
    divergence_metric: ClassVar[str] = "loss"
    recorded: ClassVar = {"loss": Metric(label="half the squared error", scale="log")}

    def __post_init__(self):
        check_choice("integrator", self.integrator, INTEGRATORS)

    def loss(self, network: "DeepLinear", batch, data, hyper, key) -> "jax.Array":
        """Return the loss; with ``runge-kutta`` its gradient is the mean slope of a step."""
        weights = network.weights()
        if self.integrator == "descent":
            return squared_error(weights, batch)
        return _with_slope(weights, batch, hyper.learning_rate)

    def measure(
        self, network: "DeepLinear", evaluations: Mapping[str, EvaluationSet], data, hyper, *, penalty, spec
    ) -> "Mapping[str, jax.Array]":
        """Return the loss."""
        return {"loss": squared_error(network.weights(), data)}

    def representation(self, network: "DeepLinear", data) -> "dict[str, jax.Array]":
        """Return the map and the Gram matrices, the initial values of predictions over time.

        They are ``map``, ``Float[P, K]``; ``grams``, ``Float[N, K, K]``, of the items after each layer; and
        ``output_gram``, ``W_N W_N^T``, ``Float[P, P]``.
        """
        import jax.numpy as jnp

        weights = network.weights()
        hidden = products(weights)
        return {
            "map": hidden[-1],
            "grams": jnp.stack([vectors.T @ vectors for vectors in hidden]),
            "output_gram": weights[-1] @ weights[-1].T,
        }

    def check(self, spec: "TrainingSpec") -> None:
        """Raise ``ValueError`` unless Runge-Kutta steps are taken by plain SGD at a constant learning rate."""
        if self.integrator == "runge-kutta":
            if spec.optimizer != "sgd":
                raise invalid("optimizer", "sgd with integrator=runge-kutta", spec.optimizer)
            if spec.schedule != "constant":
                raise invalid("schedule", "constant with integrator=runge-kutta", spec.schedule)


def products(weights: "list[jax.Array]") -> "list[jax.Array]":
    """Return ``W_l .. W_1`` for each layer ``l``: the hidden vectors of the one-hot items, as columns."""
    return list(accumulate(weights, lambda before, layer: layer @ before))


def squared_error(weights: "list[jax.Array]", target: "jax.Array") -> "jax.Array":
    """Return ``|Y - W_N .. W_1|^2 / 2``."""
    import jax.numpy as jnp

    return jnp.sum((target - products(weights)[-1]) ** 2) / 2


def _with_slope(weights: "list[jax.Array]", target: "jax.Array", time: "jax.Array") -> "jax.Array":
    """Return the loss, with the mean slope of a Runge-Kutta step of gradient flow as its gradient."""
    import jax
    import jax.numpy as jnp

    start = jax.lax.stop_gradient(weights)

    def stage(carry, coefficients):
        slope, mean = carry
        ahead, share = coefficients
        moved = [w - ahead * time * s for w, s in zip(start, slope, strict=True)]
        slope = jax.grad(squared_error)(moved, target)
        return (slope, [m + share * s for m, s in zip(mean, slope, strict=True)]), None

    zeros = [jnp.zeros_like(matrix) for matrix in start]
    # A loop: four copies of the gradient would take four times as long to compile.
    stages = jnp.asarray(CLASSICAL_STAGES, target.dtype)
    (_, slopes), _ = jax.lax.scan(stage, (zeros, zeros), (stages[:, 0], stages[:, 1]))
    slopes = jax.lax.stop_gradient(slopes)
    steps = sum(((w - s) * slope).sum() for w, s, slope in zip(weights, start, slopes, strict=True))
    return squared_error(start, target) + steps
