"""Objectives for encoders of sentences: contrastive on pairs of one class, classification, and masked words.

All three take the pairs of a :class:`~simlab.tasks.contextual_language.ContextualLanguage`, so that one may follow
another in the stages of a run. They share one set of hyperparameters, of which each uses some. Weight decay is that of
AdamW.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from simlab.losses.objective import POSITIVE, Bound, EvaluationSet, Metric, Objective
from simlab.tasks.contextual_language import ContextualLanguage
from simlab.tasks.pairs import PairTask, ViewPair
from simlab.validation import check_choice, check_real, invalid

if TYPE_CHECKING:
    import jax
    from jaxtyping import Array, Bool, Float, Int

    from simlab.networks.encoders.pairs import PairEncoder
    from simlab.networks.encoders.sentence_encoder import SentenceEncoder
    from simlab.training.spec import TrainingSpec

SENTENCE_SIMILARITIES = ("dot", "cosine")


class Hyperparameters(NamedTuple):
    """Hyperparameters, which may vary without a new compilation.

    Attributes:
        learning_rate: of the main stage.
        pretraining_rate: learning rate of a pretraining stage.
        initial_scale: standard deviation of initial embeddings and positions.
        temperature: ``tau`` of the contrastive loss.
        decoupled_weight_decay: of AdamW.
    """

    learning_rate: Any
    pretraining_rate: Any
    initial_scale: Any
    temperature: Any
    decoupled_weight_decay: Any


class _OnSentences(Objective["SentenceEncoder"]):
    """Common base of the objectives on sentences."""

    Hyperparameters: ClassVar[type] = Hyperparameters
    bounds: ClassVar[Mapping[str, Bound]] = MappingProxyType(
        {"learning_rate": POSITIVE, "pretraining_rate": POSITIVE, "initial_scale": POSITIVE, "temperature": POSITIVE}
    )
    divergence_metric: ClassVar[str] = "loss"
    recorded: ClassVar = {"loss": Metric(label="loss", unit="nats")}

    def measure(
        self, network, evaluations: Mapping[str, EvaluationSet], data, hyper, *, penalty, spec
    ) -> "Mapping[str, jax.Array]":
        """Return the loss of one batch of examples."""
        return {"loss": self.loss(network, evaluations["train"].batch, data, hyper, None)}

    def representation(self, network: "PairEncoder", data) -> "dict[str, jax.Array]":
        """Return the named arrays of the network."""
        return network.representation(data)


@dataclass(frozen=True, kw_only=True)
class SentenceContrastive(_OnSentences):
    """InfoNCE in nats, ``mean_i log sum_j exp(z_i.z_j'/tau) - z_i.z_i'/tau`` over the pairs (z, z') of a batch.

    Args:
        similarity: ``dot``, or ``cosine``, the same for unit vectors.
        is_two_sided: whether the loss is the mean over both choices of the anchor's side.
    """

    similarity: str = "dot"
    is_two_sided: bool = False

    def __post_init__(self):
        check_choice("similarity", self.similarity, SENTENCE_SIMILARITIES)

    def check(self, spec: "TrainingSpec") -> None:
        """Raise ``ValueError`` unless the task has pairs, a batch has negatives, and the task can draw such batches."""
        if not isinstance(spec.task, PairTask):
            raise invalid("objective", "one for the examples of the task, not pairs", type(spec.task).__name__)
        size = spec.task.n_pairs if spec.source.is_population else getattr(spec.source, "batch_size", None)
        if not isinstance(size, int) or size < 2:
            raise invalid("batch_size", "at least 2, so that there are negatives", size)
        if isinstance(spec.task, ContextualLanguage) and not spec.source.is_population:
            spec.task.check_batch(size)

    def loss(self, network: "PairEncoder", batch: ViewPair, data, hyper: Hyperparameters, key) -> "Float[Array, '']":
        """Return the loss of a batch, nats."""
        from simlab.losses.info_nce import info_nce

        first, second = network.embed_pairs(batch)
        return info_nce(first, second, hyper.temperature, similarity=self.similarity, is_two_sided=self.is_two_sided)


@dataclass(frozen=True, kw_only=True)
class SentenceClassification(_OnSentences):
    """Cross-entropy in nats of the class of each sentence, with a linear readout of its vector."""

    def check(self, spec: "TrainingSpec") -> None:
        """Raise ``ValueError`` unless the network has a readout for the classes."""
        _check_readout(spec, "classes")

    def loss(self, network: "SentenceEncoder", batch: ViewPair, data, hyper, key) -> "Float[Array, '']":
        """Return the mean over both sides of the pairs."""
        import jax.numpy as jnp

        from simlab.losses.cross_entropy import cross_entropy_terms

        sides = [cross_entropy_terms(network.sentence_logits(side), batch.classes) for side in batch[:2]]
        return jnp.mean(jnp.stack(sides))


@dataclass(frozen=True, kw_only=True)
class MaskedWords(_OnSentences):
    """Cross-entropy in nats of chosen words, predicted from the rest of their sentence, as in BERT.

    A chosen word is replaced by the mask token with probability 0.8 and by a random word with probability 0.1, and left
    unchanged with probability 0.1, so that tokens retain the identity of their word. Source: Devlin et al. (arXiv
    1810.04805), Section 3.1.

    Args:
        rate: the probability that a word is chosen.
    """

    rate: float = 0.15
    stochastic: ClassVar[bool] = True

    def __post_init__(self):
        if check_real("rate", self.rate, positive=True) >= 1:
            raise invalid("rate", "a probability below 1, as a prediction needs unmasked words", self.rate)

    def check(self, spec: "TrainingSpec") -> None:
        """Raise ``ValueError`` unless the network has a readout for the words."""
        _check_readout(spec, "words")

    def loss(self, network: "SentenceEncoder", batch: ViewPair, data, hyper, key) -> "Float[Array, '']":
        """Return the mean over the chosen words of both sides; without a key a fixed one is used."""
        import jax
        import jax.numpy as jnp

        from simlab.losses.cross_entropy import cross_entropy_terms

        words = jnp.concatenate(batch[:2])
        is_chosen, shown = hide_words(jax.random.key(0) if key is None else key, words, network.n_words, self.rate)
        terms = cross_entropy_terms(network.token_logits(shown), jnp.minimum(words, network.n_words - 1))
        return jnp.sum(jnp.where(is_chosen, terms, 0)) / jnp.maximum(jnp.sum(is_chosen), 1)


def hide_words(
    key: "jax.Array", words: "Int[Array, 'B L']", n_words: int, rate: float
) -> "tuple[Bool[Array, 'B L'], Int[Array, 'B L']]":
    """Choose words to be predicted, and return the choice and the sentences with replacements; padding is unchanged.

    Args:
        key: a JAX random key.
        words: padded sentences.
        n_words: number of words; padding has the number ``n_words``, and the mask token ``n_words + 1``.
        rate: the probability that a word is chosen.
    """
    import jax
    import jax.numpy as jnp

    choice_key, fate_key, word_key = jax.random.split(key, 3)
    is_chosen = jax.random.bernoulli(choice_key, rate, words.shape) & (words < n_words)
    fate = jax.random.uniform(fate_key, words.shape)
    others = jnp.where(fate < 0.9, jax.random.randint(word_key, words.shape, 0, n_words, words.dtype), words)
    return is_chosen, jnp.where(is_chosen, jnp.where(fate < 0.8, n_words + 1, others), words)


def _check_readout(spec: "TrainingSpec", wanted: str) -> None:
    """Raise ``ValueError`` unless the task is a language and its encoder has a readout of this kind."""
    if not isinstance(spec.task, ContextualLanguage) or spec.source.is_population:
        raise invalid("objective", "one for the examples of the task, not drawn sentences", type(spec.task).__name__)
    readout = getattr(spec.network, "readout", "none")
    if readout != wanted:
        raise invalid("readout", f"{wanted}, for the objective", readout)
