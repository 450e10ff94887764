"""Contrastive losses: InfoNCE with in-batch negatives, the spectral loss, and the expectation of both over Gaussians.

The loss of a pair in a batch depends on all other pairs, so none of them is additive: a batch is never cut.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from simlab.losses.objective import POSITIVE, Bound, EvaluationSet, Metric, Objective
from simlab.tasks.gaussian_pairs import GaussianPairs, PairMoments, ViewPair
from simlab.validation import check_choice, invalid

if TYPE_CHECKING:
    import jax
    from flax import nnx
    from jaxtyping import Array, Float

    from simlab.networks.linear_encoder import LinearEncoder
    from simlab.training.spec import TrainingSpec

SIMILARITIES = ("distance", "dot", "cosine")
NEGATIVES = ("first", "second")


class Hyperparameters(NamedTuple):
    """What varies without a new compilation.

    Attributes:
        learning_rate: of the optimiser.
        initial_scale: root-mean-square length of the initial columns of W.
        weight_decay: ``lam`` of the penalty ``lam/2 |W|^2``.
        temperature: ``tau``; without effect on the spectral loss.
    """

    learning_rate: Any
    initial_scale: Any
    weight_decay: Any
    temperature: Any


class _Contrastive(Objective["LinearEncoder"]):
    """What the objectives below share: hyperparameters, weight decay, the recorded loss, the representation."""

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
        self, network: "LinearEncoder", evaluations: Mapping[str, EvaluationSet], data, hyper, *, penalty, spec
    ) -> "Mapping[str, jax.Array]":
        """Return the loss of one batch of examples, without the penalty."""
        return {"loss": self.loss(network, evaluations["train"].batch, data, hyper, None)}

    def representation(self, network: "LinearEncoder", data) -> "dict[str, jax.Array]":
        """Return ``weights``, W."""
        return {"weights": network.weights[...]}


@dataclass(frozen=True, kw_only=True)
class InfoNCE(_Contrastive):
    """``-log(s(z_i, z_i+) / sum_j s(z_i, z_j))`` over a batch, less the logarithm of the number of negatives.

    ``s = exp(-|z - z'|^2/(2 tau))``, ``exp(z.z'/tau)``, or the same of unit vectors. The sum runs over the positive and
    the other examples of the batch.

    Args:
        similarity: ``distance``, ``dot`` or ``cosine``.
        negatives: whose embeddings are the negatives of an anchor, a first view: the other ``first`` views, or the
            other ``second`` views.
        is_two_sided: whether the views then change places, and the loss is the mean of both.
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

    def loss(self, network: "LinearEncoder", batch: ViewPair, data, hyper: Hyperparameters, key) -> "Float[Array, '']":
        """Return the loss of a batch, nats."""
        import jax.numpy as jnp

        first, second = network(batch.first), network(batch.second)
        if self.similarity == "cosine":
            first, second = _unit(first), _unit(second)
        positive = self._similarity(first, second) / hyper.temperature
        if self.negatives == "second":  # one matrix serves both sides
            scores = self._all_similarities(first, second) / hyper.temperature
            sides = [scores, scores.T] if self.is_two_sided else [scores]
        else:
            anchors = [first, second] if self.is_two_sided else [first]
            sides = [self._all_similarities(one, one) / hyper.temperature for one in anchors]
        return jnp.mean(jnp.stack([_mean_loss(scores, positive) for scores in sides]))

    def _similarity(self, anchors: "Float[Array, 'B m']", partners: "Float[Array, 'B m']") -> "Float[Array, ' B']":
        """Return the logarithm of the similarity of each pair, times tau."""
        import jax.numpy as jnp

        if self.similarity == "distance":
            return -jnp.sum((anchors - partners) ** 2, axis=1) / 2
        return jnp.sum(anchors * partners, axis=1)

    def _all_similarities(self, anchors: "Float[Array, 'B m']", others: "Float[Array, 'B m']") -> "Float[Array, 'B B']":
        """Return the same of each anchor with every other embedding."""
        import jax.numpy as jnp

        inner = anchors @ others.T
        if self.similarity != "distance":
            return inner
        return inner - (jnp.sum(anchors**2, axis=1)[:, None] + jnp.sum(others**2, axis=1)[None, :]) / 2


def _mean_loss(scores: "Float[Array, 'B B']", positive: "Float[Array, ' B']") -> "Float[Array, '']":
    """Return the mean loss of anchors, the rows; on the diagonal their positives take the place of any score."""
    import jax
    import jax.numpy as jnp

    size = len(positive)
    scores = jnp.where(jnp.eye(size, dtype=bool), positive[:, None], scores)
    return jnp.mean(jax.nn.logsumexp(scores, axis=1) - positive) - jnp.log(size - 1.0)


@dataclass(frozen=True, kw_only=True)
class SpectralContrastive(_Contrastive):
    """``-2 mean_i z_i.z_i+ + mean_ij (z_i.z_j)^2``, i and j over all views of the batch (HaoChen et al., 2021).

    The second mean is the squared norm of the second moment of the embeddings, so no matrix of all pairs is built.
    """

    recorded: ClassVar = {"loss": Metric(label="spectral loss")}

    def check(self, spec: "TrainingSpec") -> None:
        """Raise ``ValueError`` unless each step sees all pairs of a data set: in batches the second mean is biased."""
        _check_pairs(spec, "the spectral loss")
        if spec.task.n_pairs is None or not spec.source.is_population:
            raise invalid("n_pairs", "a data set that each step sees whole, as the spectral loss is biased else", None)

    def loss(self, network: "LinearEncoder", batch: ViewPair, data, hyper, key) -> "Float[Array, '']":
        """Return the loss of a batch."""
        import jax.numpy as jnp

        first, second = network(batch.first), network(batch.second)
        moment = (first.T @ first + second.T @ second) / (2 * len(first))
        return -2 * jnp.mean(jnp.sum(first * second, axis=1)) + jnp.sum(moment**2)


@dataclass(frozen=True, kw_only=True)
class ExpectedContrastive(_Contrastive):
    """The mean of InfoNCE over Gaussian pairs and infinitely many negatives, or of the spectral loss.

    With ``C = W M W^T/tau`` it is ``tr(W D W^T)/(2 tau) - logdet(I + C)/2 - tr(C (I + C)^{-1})/2`` for the distance and
    ``-tr(W A W^T)/tau + tr(C^2)/2`` for the dot product; the spectral loss is twice the latter at tau = 1.

    Args:
        similarity: ``distance``, ``dot`` or ``spectral``.
    """

    similarity: str = "distance"

    def __post_init__(self):
        check_choice("similarity", self.similarity, ("distance", "dot", "spectral"))

    def check(self, spec: "TrainingSpec") -> None:
        """Raise ``ValueError`` unless the population is that of Gaussian pairs."""
        _check_pairs(spec, "the expected loss")
        if spec.task.n_pairs is not None or not spec.source.is_population:
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
        kept = len(scaled) - jnp.trace(jnp.linalg.inv(grown))
        return jnp.sum(weights @ batch.spread * weights) / (2 * tau) - log_determinant / 2 - kept / 2


def _unit(vectors: "Float[Array, 'B m']") -> "Float[Array, 'B m']":
    """Return vectors of norm 1; a zero vector stays zero."""
    import jax
    import jax.numpy as jnp

    squares = jnp.sum(vectors**2, axis=1, keepdims=True)
    return vectors * jax.lax.rsqrt(jnp.where(squares > 0, squares, 1.0))


def _check_pairs(spec: "TrainingSpec", name: str) -> None:
    """Raise ``ValueError`` unless the task has pairs."""
    if not isinstance(spec.task, GaussianPairs):
        raise invalid("objective", f"one for the examples of the task, not {name}", type(spec.task).__name__)
