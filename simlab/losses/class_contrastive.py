"""The expectation of InfoNCE over all batches of classes, with one vector per class: no sampling noise.

A batch with ``m_k`` pairs of each class ``k``, ``B`` in total, has the loss

    sum_k m_k/B log(sum_l m_l exp((z_k . z_l - 1)/tau)),       |z_k| = 1,

as the positive and the negatives of an anchor together have the class counts ``m``. With the priors in place of ``m``
it is the loss with infinitely many negatives, minus the logarithm of their number. The expectation runs over the rows
of the table of :class:`simlab.tasks.paired.class_batches.ClassBatches`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, ClassVar

from simlab.losses.contrastive import Hyperparameters, InfoNCE
from simlab.losses.objective import POSITIVE, Bound, EvaluationSet, Metric, Objective
from simlab.tasks.paired.class_batches import ClassBatches, ClassDraws
from simlab.tasks.pairs import ViewPair
from simlab.validation import check_count, invalid

if TYPE_CHECKING:
    import jax
    from jaxtyping import Array, Float

    from simlab.networks.encoders.class_vectors import ClassVectors
    from simlab.networks.encoders.pairs import PairEncoder
    from simlab.training.spec import TrainingSpec

RECORDED = {
    "loss": Metric(label="loss", unit="nats"),
    "mean_cosine": Metric(label="mean cosine of different classes"),
}


@dataclass(frozen=True, kw_only=True)
class ClassContrastive(Objective["ClassVectors"]):
    """Expected InfoNCE with cosine similarity over a table of class counts; the weight decay has no effect."""

    Hyperparameters: ClassVar[type] = Hyperparameters
    bounds: ClassVar[Mapping[str, Bound]] = MappingProxyType(
        {"learning_rate": POSITIVE, "initial_scale": POSITIVE, "temperature": POSITIVE}
    )
    divergence_metric: ClassVar[str] = "loss"
    recorded: ClassVar = RECORDED

    def check(self, spec: TrainingSpec) -> None:
        """Raise ``ValueError`` unless the population is a table of class counts."""
        if not isinstance(spec.task, ClassBatches):
            raise invalid("objective", "one for the examples of the task, not classes", type(spec.task).__name__)
        if not spec.source.is_population:
            raise invalid("source", "the population, all batches of classes", type(spec.source).__name__)

    def loss(self, network: ClassVectors, batch: ClassDraws, data, hyper: Hyperparameters, key) -> Float[Array, ""]:
        """Return the expected loss, nats."""
        return expected_info_nce(class_gram(network.vectors[...]), batch, hyper.temperature)

    def measure(
        self, network: ClassVectors, evaluations: Mapping[str, EvaluationSet], data, hyper, *, penalty, spec
    ) -> Mapping[str, jax.Array]:
        """Return the expected loss and the mean cosine of different classes."""
        return _measure(network, data, hyper)

    def representation(self, network: ClassVectors, data) -> dict[str, jax.Array]:
        """Return ``vectors``, ``Float[K, d]``, of all classes."""
        return network.representation(data)


@dataclass(frozen=True, kw_only=True)
class DrawnClassContrastive(InfoNCE):
    """InfoNCE of sampled batches with cosine similarity; the recorded loss is the expectation over all batches.

    Args:
        batches_per_step: number of batches into which the examples of a step are cut; their losses are averaged. Above
            1 the classes of a batch must be independent draws.
    """

    similarity: str = "cosine"
    batches_per_step: int = 1
    recorded: ClassVar = RECORDED

    def check(self, spec: TrainingSpec) -> None:
        """Raise ``ValueError`` unless the examples of a step can be cut into batches."""
        super().check(spec)
        if not isinstance(spec.task, ClassBatches):
            raise invalid("objective", "one for the examples of the task, not classes", type(spec.task).__name__)
        if check_count("batches_per_step", self.batches_per_step) > 1 and not spec.task.repeats_classes:
            raise invalid("batches_per_step", "1 where the classes of a batch differ", self.batches_per_step)

    def loss(self, network: PairEncoder, batch: ViewPair, data, hyper: Hyperparameters, key) -> Float[Array, ""]:
        """Return the mean loss of the batches of a step, nats, each minus the logarithm of its number of negatives."""
        import jax
        import jax.numpy as jnp

        one_batch = super().loss
        batches = jax.tree.map(lambda side: side.reshape(self.batches_per_step, -1, *side.shape[1:]), batch)
        return jnp.mean(jax.vmap(lambda examples: one_batch(network, examples, data, hyper, key))(batches))

    def measure(
        self, network: PairEncoder, evaluations: Mapping[str, EvaluationSet], data, hyper, *, penalty, spec
    ) -> Mapping[str, jax.Array]:
        """Return the expected loss, without subtracting a logarithm, and the mean cosine of different classes."""
        return _measure(network, data, hyper)


def _measure(network, data: ClassDraws, hyper: Hyperparameters) -> dict[str, jax.Array]:
    import jax.numpy as jnp

    gram = class_gram(network.vectors[...])
    count = len(gram)
    return {
        "loss": expected_info_nce(gram, data, hyper.temperature),
        "mean_cosine": (jnp.sum(gram) - jnp.trace(gram)) / (count * (count - 1)),
    }


def class_gram(vectors: Float[Array, "K d"]) -> Float[Array, "K K"]:
    """Return the cosines between class vectors."""
    from simlab.losses.info_nce import unit_vectors

    unit = unit_vectors(vectors)
    return unit @ unit.T


def expected_info_nce(gram: Float[Array, "K K"], draws: ClassDraws, temperature: jax.Array | float) -> Float[Array, ""]:
    """Return the expected loss over the rows of a table, nats.

    Args:
        gram: inner products of class vectors.
        draws: class counts and their probabilities.
        temperature: ``tau``.
    """
    import jax.numpy as jnp

    scores = jnp.exp((gram - jnp.diag(gram)[:, None]) / temperature)
    shares = draws.counts / jnp.sum(draws.counts, axis=1, keepdims=True)
    return draws.probabilities @ jnp.sum(shares * jnp.log(draws.counts @ scores.T), axis=1)
