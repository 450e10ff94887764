"""Losses of the margin under AdamW, with the training loss and the norms of the weights as further metrics."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from simlab.losses.margin import MarginLoss
from simlab.losses.objective import NON_NEGATIVE, POSITIVE, EvaluationSet, Metric
from simlab.tasks.signed_features import SignedLaw, feature_weights

if TYPE_CHECKING:
    import jax


class Hyperparameters(NamedTuple):
    """Hyperparameters, which may vary without a new compilation.

    Attributes:
        learning_rate: of the optimiser.
        initial_scale: factor on the initial weights.
        decoupled_weight_decay: of AdamW.
    """

    learning_rate: Any
    initial_scale: Any
    decoupled_weight_decay: Any


@dataclass(frozen=True, kw_only=True)
class DecayedMarginLoss(MarginLoss):
    """The loss of :class:`simlab.losses.margin.MarginLoss` for networks trained by AdamW.

    In addition to the mean weights, which are signed, the mean norms of a unit's weights on core and background are
    recorded, as plotted by the authors of the toy experiment.
    """

    Hyperparameters: ClassVar[type] = Hyperparameters
    bounds: ClassVar = MappingProxyType(
        {"learning_rate": POSITIVE, "initial_scale": POSITIVE, "decoupled_weight_decay": NON_NEGATIVE}
    )
    recorded: ClassVar = {
        **MarginLoss.recorded,
        "train_loss": Metric(label="training loss", scale="log"),
        "core_norm": Metric(label="mean norm of the weights on the core"),
        "background_norm": Metric(label="mean norm of the weights on the background"),
    }

    def measure(
        self, network, evaluations: Mapping[str, EvaluationSet], data: SignedLaw, hyper, *, penalty, spec
    ) -> "Mapping[str, jax.Array]":
        """Return the metrics of :class:`MarginLoss`, the training loss and the mean norms."""
        import jax.numpy as jnp

        weights, n_core = feature_weights(network.weights[...], data), spec.task.core_features
        return {
            **super().measure(network, evaluations, data, hyper, penalty=penalty, spec=spec),
            "train_loss": self.loss(network, evaluations["train"].batch, data, hyper, None),
            "core_norm": jnp.linalg.norm(weights[:, :n_core], axis=1).mean(),
            "background_norm": jnp.linalg.norm(weights[:, n_core:], axis=1).mean(),
        }
