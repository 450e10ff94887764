"""Losses of the margin ``y f(x)`` for two labels, in and out of distribution."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from simlab.losses.objective import POSITIVE, Bound, EvaluationSet, Metric, Objective
from simlab.tasks.batch import Batch
from simlab.tasks.signed_features import OUT_OF_DISTRIBUTION, SignedFeatures, SignedLaw, feature_weights
from simlab.validation import check_choice, invalid

if TYPE_CHECKING:
    import jax
    from jaxtyping import Array, Float

    from simlab.networks.signed_units import SignedUnits
    from simlab.training.spec import TrainingSpec

LOSSES = ("hinge", "logistic")


class Hyperparameters(NamedTuple):
    """Hyperparameters, which may vary without a new compilation.

    Attributes:
        learning_rate: of the optimiser.
        initial_scale: standard deviation of the initial weights.
        leaky_slope: slope of a leaky ReLU below zero.
    """

    learning_rate: Any
    initial_scale: Any
    leaky_slope: Any


@dataclass(frozen=True, kw_only=True)
class MarginLoss(Objective["SignedUnits"]):
    """``E max(0, 1 - y f(x))`` or ``E log(1 + exp(-y f(x)))``, ``y = 1`` in class 1 and -1 in class 0.

    Args:
        loss_function: ``hinge`` or ``logistic``.
    """

    loss_function: str = "logistic"
    Hyperparameters: ClassVar[type] = Hyperparameters
    bounds: ClassVar = MappingProxyType(
        {"learning_rate": POSITIVE, "initial_scale": POSITIVE, "leaky_slope": Bound(high=1.0)}
    )
    divergence_metric: ClassVar[str] = "loss"
    recorded: ClassVar = {
        "loss": Metric(label="loss"),
        "ood_loss": Metric(label="loss, out of distribution"),
        "margin": Metric(label="mean margin"),
        "ood_margin": Metric(label="mean margin, out of distribution"),
        "accuracy": Metric(label="accuracy", scale="unit interval"),
        "ood_accuracy": Metric(label="accuracy, out of distribution", scale="unit interval"),
        "core_weight": Metric(label="weight along the core"),
        "background_weight": Metric(label="weight along the background"),
    }

    def __post_init__(self):
        check_choice("loss_function", self.loss_function, LOSSES)

    def loss(self, network: "SignedUnits", batch: Batch, data: SignedLaw, hyper, key) -> "jax.Array":
        """Return the mean loss of a batch."""
        return self._of_margin(margins(network, batch, data)).mean()

    def _of_margin(self, margin: "jax.Array") -> "jax.Array":
        import jax

        return jax.nn.relu(1 - margin) if self.loss_function == "hinge" else jax.nn.softplus(-margin)

    def measure(
        self, network: "SignedUnits", evaluations: Mapping[str, EvaluationSet], data: SignedLaw, hyper, *, penalty, spec
    ) -> "Mapping[str, jax.Array]":
        """Return loss, margin and accuracy on held-out examples, in and out of distribution, and the mean weights."""
        inside = self._evaluate(network, evaluations["test"].batch, data)
        outside = self._evaluate(network, evaluations[OUT_OF_DISTRIBUTION].batch, data)
        weights = feature_weights(network.weights[...], data)
        core, background = mean_weights(weights, network.signs, spec.task.core_features)
        return {
            **inside,
            **{f"ood_{name}": value for name, value in outside.items()},
            "core_weight": core,
            "background_weight": background,
        }

    def _evaluate(self, network: "SignedUnits", batch: Batch, data: SignedLaw) -> "dict[str, jax.Array]":
        import jax.numpy as jnp

        margin = margins(network, batch, data)
        accuracy = (jnp.sign(margin).mean() + 1) / 2  # an output of zero counts as half correct
        return {"loss": self._of_margin(margin).mean(), "margin": margin.mean(), "accuracy": accuracy}

    def representation(self, network: "SignedUnits", data: SignedLaw) -> "dict[str, jax.Array]":
        """Return ``weights`` on the features, a row for each unit."""
        return {"weights": feature_weights(network.weights[...], data)}

    def check(self, spec: "TrainingSpec") -> None:
        """Raise ``ValueError`` unless the task has signed features and a batch is balanced in the labels."""
        if not isinstance(spec.task, SignedFeatures):
            raise invalid("objective", "one for the examples of the task", type(spec.task).__name__)
        for field in ("n_examples", "batch_size"):
            size = getattr(spec.source, field, 0)
            if isinstance(size, int) and size % 2:
                raise invalid(field, "an even number, half of each label", size)


def margins(network: "SignedUnits", batch: Batch, data: SignedLaw) -> "Float[Array, ' B']":
    """Return ``y f(x)`` of each example."""
    return (2 * batch.classes - 1) * network(batch.inputs, data)


def mean_weights(weights, signs, core_features: int):
    """Return the mean weights ``(c, b)`` of units along the mean core and background directions. Any backend.

    The means are signed, ``c`` by the sign of the output weight, as norms are misleading for large initial weights.

    Args:
        weights: weights of units on features, ``Float[m, n]``, core features first.
        signs: signs of the output weights, ``Float[m]``.
        core_features: ``d_c``.
    """
    core, background = weights[:, :core_features].sum(axis=1), weights[:, core_features:].sum(axis=1)
    background_features = weights.shape[1] - core_features
    return (signs * core).mean() / core_features**0.5, background.mean() / background_features**0.5
