"""Contrastive losses: InfoNCE with in-batch negatives, the spectral loss, and the expectations of both over Gaussians.

The loss of a pair depends on all other pairs of the batch, so that none of these losses is additive and a batch is
never cut.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from simlab.losses.objective import POSITIVE, Bound, EvaluationSet, Metric, Objective
from simlab.tasks.paired.gaussian_pairs import GaussianPairs, PairMoments
from simlab.tasks.pairs import PairTask, ViewPair
from simlab.validation import check_choice, invalid

if TYPE_CHECKING:
    import jax
    from flax import nnx
    from jaxtyping import Array, Float

    from simlab.networks.encoders.linear import LinearEncoder
    from simlab.networks.encoders.pairs import PairEncoder
    from simlab.training.spec import TrainingSpec

SIMILARITIES = ("distance", "dot", "cosine")
NEGATIVES = ("first", "second", "both")


class Hyperparameters(NamedTuple):
    """Hyperparameters, which may vary without a new compilation.

    Attributes:
        learning_rate: of the optimiser.
        initial_scale: root-mean-square norm of the initial columns of W.
        weight_decay: ``lam`` of the penalty ``lam/2 |W|^2``.
        temperature: ``tau``; without effect on the spectral loss.
    """

    learning_rate: Any
    initial_scale: Any
    weight_decay: Any
    temperature: Any


class _Contrastive(Objective["PairEncoder"]):
    """Common base: hyperparameters, weight decay, the recorded loss and the representation."""

    Hyperparameters: ClassVar[type] = Hyperparameters
    bounds: ClassVar[Mapping[str, Bound]] = MappingProxyType(
        {"learning_rate": POSITIVE, "initial_scale": POSITIVE, "temperature": POSITIVE}
    )
    divergence_metric: ClassVar[str] = "loss"
    recorded: ClassVar = {"loss": Metric(label="loss", unit="nats")}

    def penalties(self, params: "nnx.State", hyper) -> "nnx.State":
        """Return the weight decay of each parameter."""
        from flax import nnx

        return nnx.map_state(lambda path, variable: variable.replace(hyper.weight_decay), params)

    def measure(
        self, network: "PairEncoder", evaluations: Mapping[str, EvaluationSet], data, hyper, *, penalty, spec
    ) -> "Mapping[str, jax.Array]":
        """Return the loss of one batch of examples, without the penalty."""
        return {"loss": self.loss(network, evaluations["train"].batch, data, hyper, None)}

    def representation(self, network: "PairEncoder", data) -> "dict[str, jax.Array]":
        """Return the named arrays of the network."""
        return network.representation(data)


@dataclass(frozen=True, kw_only=True)
class InfoNCE(_Contrastive):
    """Mean of ``-log(s(z_i, z_i+) / sum_j s(z_i, z_j))`` over a batch, minus the logarithm of the number of negatives.

    ``s = exp(-|z - z'|^2/(2 tau))``, ``exp(z.z'/tau)``, or the latter for unit vectors. The sum runs over the positive
    and the other examples of the batch.

    Args:
        similarity: ``distance``, ``dot`` or ``cosine``.
        negatives: the negatives of an anchor, which is a first view: the ``first`` views of the other examples, their
            ``second`` views, or ``both``.
        is_two_sided: whether the loss is the mean over both choices of the anchor's view. With ``both`` and ``cosine``
            it is the loss of SimCLR, with ``2 B - 2`` negatives (Chen et al., 2020).
    """

    similarity: str = "distance"
    negatives: str = "second"
    is_two_sided: bool = False

    def __post_init__(self):
        check_choice("similarity", self.similarity, SIMILARITIES)
        check_choice("negatives", self.negatives, NEGATIVES)

    def check(self, spec: "TrainingSpec") -> None:
        """Raise ``ValueError`` unless the task has pairs and a batch has negatives."""
        _check_pairs(spec, "InfoNCE")
        size = spec.task.n_pairs if spec.source.is_population else getattr(spec.source, "batch_size", None)
        if size is None or size == 1:
            raise invalid("batch_size", "at least 2, so that there are negatives", size)

    def loss(self, network: "PairEncoder", batch: ViewPair, data, hyper: Hyperparameters, key) -> "Float[Array, '']":
        """Return the loss of a batch, nats."""
        import jax.numpy as jnp

        from simlab.losses.info_nce import info_nce

        first, second = network.embed_pairs(batch)
        value = info_nce(
            first,
            second,
            hyper.temperature,
            similarity=self.similarity,
            negatives=self.negatives,
            is_two_sided=self.is_two_sided,
        )
        n_negatives = (len(first) - 1.0) * (2 if self.negatives == "both" else 1)
        return value - jnp.log(n_negatives)


@dataclass(frozen=True, kw_only=True)
class SpectralContrastive(_Contrastive):
    """``-2 mean_i z_i.z_i+ + mean_ij (z_i.z_j)^2``, with i and j over all views of the batch (HaoChen et al., 2021).

    The second term is the squared norm of the second moment of the embeddings, so that no matrix of all pairs is built.
    """

    recorded: ClassVar = {"loss": Metric(label="spectral loss")}

    def check(self, spec: "TrainingSpec") -> None:
        """Raise ``ValueError`` unless each step uses all pairs of a data set: in batches the second term is biased."""
        _check_pairs(spec, "the spectral loss")
        if spec.task.n_pairs is None or not spec.source.is_population:
            raise invalid("n_pairs", "a data set used as one batch, as the spectral loss is biased otherwise", None)

    def loss(self, network: "PairEncoder", batch: ViewPair, data, hyper, key) -> "Float[Array, '']":
        """Return the loss of a batch."""
        import jax.numpy as jnp

        first, second = network.embed_pairs(batch)
        moment = (first.T @ first + second.T @ second) / (2 * len(first))
        return -2 * jnp.mean(jnp.sum(first * second, axis=1)) + jnp.sum(moment**2)


@dataclass(frozen=True, kw_only=True)
class ExpectedContrastive(_Contrastive):
    """The expectation of InfoNCE over Gaussian pairs with infinitely many negatives, or of the spectral loss.

    With the moments ``M`` (``metric``), ``D`` (``spread``) and ``A`` (``overlap``) of
    :class:`simlab.tasks.paired.gaussian_pairs.PairMoments` and ``C = W M W^T/tau`` it is
    ``tr(W D W^T)/(2 tau) - logdet(I + C)/2 - tr(C (I + C)^{-1})/2`` for the distance and
    ``-tr(W A W^T)/tau + tr(C^2)/2`` for the dot product; the spectral loss is twice the latter at tau = 1.

    Args:
        similarity: ``distance``, ``dot`` or ``spectral``.
    """

    similarity: str = "distance"

    def __post_init__(self):
        check_choice("similarity", self.similarity, ("distance", "dot", "spectral"))

    def check(self, spec: "TrainingSpec") -> None:
        """Raise ``ValueError`` unless the population is that of Gaussian pairs."""
        if not isinstance(spec.task, GaussianPairs) or spec.task.n_pairs is not None or not spec.source.is_population:
            raise invalid("source", "the population of Gaussian pairs", type(spec.source).__name__)

    def loss(
        self, network: "LinearEncoder", batch: PairMoments, data, hyper: Hyperparameters, key
    ) -> "Float[Array, '']":
        """Return the expected loss; ``batch`` holds second moments."""
        import jax.numpy as jnp

        weights = network.weights[...]
        tau = 1.0 if self.similarity == "spectral" else hyper.temperature
        scaled = weights @ batch.metric @ weights.T / tau
        if self.similarity != "distance":
            value = -jnp.sum(weights @ batch.overlap * weights) / tau + jnp.sum(scaled**2) / 2
            return 2 * value if self.similarity == "spectral" else value
        grown = jnp.eye(len(scaled), dtype=scaled.dtype) + scaled
        log_determinant = jnp.linalg.slogdet(grown)[1]
        trace = len(scaled) - jnp.trace(jnp.linalg.inv(grown))  # tr(C (I + C)^{-1})
        return jnp.sum(weights @ batch.spread * weights) / (2 * tau) - log_determinant / 2 - trace / 2


def _check_pairs(spec: "TrainingSpec", name: str) -> None:
    """Raise ``ValueError`` unless the task has pairs."""
    if not isinstance(spec.task, PairTask):
        raise invalid("objective", f"one for the examples of the task, not {name}", type(spec.task).__name__)
