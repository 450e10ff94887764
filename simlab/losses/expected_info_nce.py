"""Population InfoNCE: the expectation over all positive pairs of a table, with all of its events as negatives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from simlab.losses.objective import POSITIVE, Bound, EvaluationSet, Metric, Objective
from simlab.tasks.paired.cooccurrence import CooccurrenceTask, PairTable
from simlab.validation import check_choice, invalid

if TYPE_CHECKING:
    import jax
    from jaxtyping import Array, Float

    from simlab.networks.encoders.pairs import PairEncoder
    from simlab.training.spec import TrainingSpec

SIMILARITIES = ("dot", "cosine", "distance")


class Hyperparameters(NamedTuple):
    """Hyperparameters, which may vary without a new compilation.

    Attributes:
        learning_rate: of the optimiser.
        initial_scale: root-mean-square norm of the initial embeddings.
        temperature: ``tau``; scores are similarities divided by it.
    """

    learning_rate: Any
    initial_scale: Any
    temperature: Any


@dataclass(frozen=True, kw_only=True)
class ExpectedInfoNCE(Objective["PairEncoder"]):
    """``sum_a p(a) log(N sum_b p(b) e^{S(a, b)}) - sum_ab p(a, b) S(a, b)``, nats, with N candidates b.

    Negatives are weighted by their probabilities; if all events are equally likely, each of them is one negative.

    Args:
        similarity: scores ``S = z.z'/tau`` (``dot``), the same for unit vectors (``cosine``), or
            ``-|z - z'|^2/(2 tau)`` (``distance``).
        is_two_sided: whether the loss is the mean over both choices of the anchor's side.
    """

    similarity: str = "dot"
    is_two_sided: bool = False
    Hyperparameters: ClassVar[type] = Hyperparameters
    bounds: ClassVar[Mapping[str, Bound]] = MappingProxyType(
        {"learning_rate": POSITIVE, "initial_scale": POSITIVE, "temperature": POSITIVE}
    )
    divergence_metric: ClassVar[str] = "loss"
    recorded: ClassVar = {"loss": Metric(label="loss", unit="nats")}

    def __post_init__(self):
        check_choice("similarity", self.similarity, SIMILARITIES)

    def check(self, spec: TrainingSpec) -> None:
        """Raise ``ValueError`` unless the task has a table, and each step uses the whole table."""
        if not isinstance(spec.task, CooccurrenceTask) or not spec.source.is_population:
            raise invalid("source", "the population of a world of co-occurrence", type(spec.source).__name__)

    def loss(self, network: PairEncoder, batch: PairTable, data, hyper: Hyperparameters, key) -> Float[Array, ""]:
        """Return the loss of a table, nats."""
        first, second = network.embed_pairs(batch.symbols)
        scores = score_table(first, second, self.similarity) / hyper.temperature
        return expected_info_nce(batch.probabilities, scores, is_two_sided=self.is_two_sided)

    def measure(
        self, network: PairEncoder, evaluations: Mapping[str, EvaluationSet], data, hyper, *, penalty, spec
    ) -> Mapping[str, jax.Array]:
        """Return the loss."""
        return {"loss": self.loss(network, evaluations["train"].batch, data, hyper, None)}

    def representation(self, network: PairEncoder, data) -> dict[str, jax.Array]:
        """Return the named arrays of the network."""
        return network.representation(data)


def score_table(
    first: Float[Array, "n d"], second: Float[Array, "m d"], similarity: str = "dot"
) -> Float[Array, "n m"]:
    """Return the similarity of each anchor with each candidate, before division by ``tau``."""
    import jax.numpy as jnp

    from simlab.losses.info_nce import unit_vectors

    if similarity == "cosine":
        first, second = unit_vectors(first), unit_vectors(second)
    inner = first @ second.T
    if similarity != "distance":
        return inner
    return inner - (jnp.sum(first**2, axis=1)[:, None] + jnp.sum(second**2, axis=1)[None, :]) / 2


def expected_info_nce(
    probabilities: Float[Array, "n m"], scores: Float[Array, "n m"], *, is_two_sided: bool = False
) -> Float[Array, ""]:
    """Return the population InfoNCE of a table of scores, nats."""
    import jax.numpy as jnp

    value = _one_sided(probabilities, scores)
    return jnp.mean(jnp.stack([value, _one_sided(probabilities.T, scores.T)])) if is_two_sided else value


def _one_sided(probabilities: Float[Array, "n m"], scores: Float[Array, "n m"]) -> Float[Array, ""]:
    """Return the loss whose anchors are the rows; subtracting the mean score of each row first reduces rounding."""
    import jax
    import jax.numpy as jnp

    anchors, candidates = probabilities.sum(axis=1), probabilities.sum(axis=0)
    scores = scores - (probabilities * scores).sum(axis=1, keepdims=True) / anchors[:, None]
    log_sums = jax.nn.logsumexp(scores + jnp.log(candidates)[None], axis=1)
    return jnp.sum(anchors * log_sums) + jnp.log(float(probabilities.shape[1]))
