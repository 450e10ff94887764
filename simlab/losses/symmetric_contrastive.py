"""The symmetric contrastive loss of two modalities (Radford et al., 2021), at a fixed or a learnable temperature."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from simlab.losses.objective import POSITIVE, Bound, EvaluationSet, Metric, Objective
from simlab.tasks.paired.modality_pairs import ModalityPairs, SoftPairs
from simlab.tasks.pairs import ViewPair
from simlab.validation import invalid

if TYPE_CHECKING:
    import jax
    from flax import nnx
    from jaxtyping import Array, Float

    from simlab.networks.encoders.modalities import ModalityEncoder
    from simlab.training.spec import TrainingSpec

# The clip of an unclipped inverse temperature, which no run reaches.
NO_CLIP = 1e30


class Hyperparameters(NamedTuple):
    """Hyperparameters, which may vary without a new compilation.

    Attributes:
        learning_rate: of the embeddings or towers.
        temperature_learning_rate: of ``s = log beta``; 0 keeps beta fixed.
        inverse_temperature: initial value of beta.
        clip: the largest beta; ``NO_CLIP`` for none.
        initial_gap: initial distance between the means of the modalities, for a symmetric start.
        cone_spread: for free embeddings that start in random cones, the root-mean-square norm of the random vector
            added to the axis of a cone; 0 for a symmetric start.
    """

    learning_rate: Any
    temperature_learning_rate: Any
    inverse_temperature: Any
    clip: Any
    initial_gap: Any
    cone_spread: Any


@dataclass(frozen=True, kw_only=True)
class SymmetricContrastive(Objective["ModalityEncoder"]):
    """Mean of two cross-entropies: of each image over all texts, and of each text over all images.

    Logits are ``beta x_i . y_j`` of unit vectors. Over the population, targets are the probabilities of the pairs; in a
    batch of sampled pairs the target of each is its own partner, as in training that is unaware of mismatches.

    The inverse temperature is ``beta = exp(s)`` with one parameter s, which has a separate learning rate. It is clipped
    where it is used: beta is at most ``clip``, and at the clip s can only decrease.
    """

    Hyperparameters: ClassVar[type] = Hyperparameters
    bounds: ClassVar[Mapping[str, Bound]] = MappingProxyType(
        {
            "learning_rate": POSITIVE,
            "inverse_temperature": POSITIVE,
            "clip": POSITIVE,
            "initial_gap": Bound(high=2.0),
        }
    )
    divergence_metric: ClassVar[str] = "loss"
    recorded: ClassVar[Mapping[str, Metric]] = MappingProxyType(
        {
            "loss": Metric(label="loss", unit="nats"),
            "gap": Metric(label="distance of the modalities' means"),
            "inverse_temperature": Metric(label="inverse temperature"),
        }
    )

    def check(self, spec: TrainingSpec) -> None:
        """Raise ``ValueError`` unless the task has pairs of two modalities, and a batch at least two pairs."""
        if not isinstance(spec.task, ModalityPairs):
            raise invalid("objective", "one for the examples of the task, not two modalities", type(spec.task).__name__)
        size = spec.task.n_pairs if spec.source.is_population else getattr(spec.source, "batch_size", None)
        if size == 1:
            raise invalid("batch_size", "at least 2, so that there are other pairs", size)

    def loss(
        self, network: ModalityEncoder, batch: SoftPairs | ViewPair, data, hyper: Hyperparameters, key
    ) -> Float[Array, ""]:
        """Return the loss of the population or of a batch, nats."""
        import jax
        import jax.numpy as jnp

        images, texts = network.embed_pairs(ViewPair(batch.first, batch.second))
        logits = network.inverse_temperature(hyper.clip) * images @ texts.T
        logs = (jax.nn.log_softmax(logits, axis=1) + jax.nn.log_softmax(logits, axis=0)) / 2
        targets = batch.targets if isinstance(batch, SoftPairs) else jnp.eye(len(logits), dtype=logits.dtype)
        return -jnp.sum(targets * logs) / len(logits)

    def rates(self, params: nnx.State, hyper: Hyperparameters) -> nnx.State:
        """Return the factor on the learning rate: that of s over the common one, and 1 for all other parameters."""
        from flax import nnx

        own = hyper.temperature_learning_rate / hyper.learning_rate
        return nnx.map_state(
            lambda path, variable: variable.replace(own if "log_inverse_temperature" in path else 1.0), params
        )

    def measure(
        self, network: ModalityEncoder, evaluations: Mapping[str, EvaluationSet], data, hyper, *, penalty, spec
    ) -> Mapping[str, jax.Array]:
        """Return the loss, the gap and beta."""
        import jax.numpy as jnp

        batch = evaluations["train"].batch
        images, texts = network.embed_pairs(ViewPair(batch.first, batch.second))
        return {
            "loss": self.loss(network, batch, data, hyper, None),
            "gap": jnp.linalg.norm(images.mean(axis=0) - texts.mean(axis=0)),
            "inverse_temperature": network.inverse_temperature(hyper.clip),
        }

    def representation(self, network: ModalityEncoder, data) -> dict[str, jax.Array]:
        """Return the unit embeddings of all images and texts."""
        return network.representation(data)
