"""The prediction for a sentence encoder, in the form the comparison reads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from experiments.contextual_embeddings.class_vectors.reference import mean_cosine
from experiments.contextual_embeddings.configuration import LanguageConfiguration
from experiments.contextual_embeddings.training_spec import make_task
from experiments.core.prediction import Prediction
from simlab.tasks.contextual_language import FUNCTION, ContextualLanguage
from theory.short_text import short_repr

if TYPE_CHECKING:
    from theory.contextual_embeddings import LanguageLaw, SampleStatistics
    from theory.contextual_embeddings import Prediction as Theory

NOTHING = "with affine LayerNorm or max pooling, dot products are unbounded"
SENTENCES_ALONE = "predicts sentence vectors only: this pooling and similarity do not determine the tokens"
CLASSIFIED = "predicts the direction of training: cross-entropy stops changing before tokens collapse"
SHARES = ("mean", "concept", "word", "context")


@dataclass(frozen=True, kw_only=True)
class CollapsePrediction(Prediction):
    """A prediction with the class Gram matrix and the statistics it implies for the evaluation words.

    Args:
        class_gram: Gram matrix of the class vectors, ``Float[K, K]``.
        words: statistics of the words if each token equals its sentence's class vector.
        last_shares: shares of the second moment in the last layer, in the order of ``SHARES``; NaN for free tokens.
    """

    class_gram: np.ndarray
    words: SampleStatistics
    last_shares: np.ndarray

    __repr__ = short_repr


def check_theory(configuration: LanguageConfiguration) -> None:
    """Raise ``ValueError`` for options that the theory does not cover."""
    configuration.check()


def predict(configuration: LanguageConfiguration) -> CollapsePrediction:
    """Return the prediction for a configuration."""
    task, theory = make_task(configuration), solve(configuration)
    words, gram = word_statistics(task, theory.class_gram), theory.class_gram
    sets_tokens, sets_sentences = configuration.sets_tokens, configuration.pins_sentences
    # Factors that turn what is not predicted into NaN.
    of_tokens, of_sentences = (1.0 if is_set else np.nan for is_set in (sets_tokens, sets_sentences))
    is_balanced = configuration.largest_prior is None
    cosine = -1 / (task.n_classes - 1) if is_balanced else mean_cosine(gram)
    kinds = theory.self_similarity
    return CollapsePrediction(
        basis=_basis(configuration, theory),
        kind=_kind(configuration),
        note="; ".join(filter(None, (theory.note, *_notes(configuration)))),
        quantities={
            "r_squared": of_tokens,
            "r_squared_gram": of_tokens,
            "intra_sentence": of_tokens * theory.intra_sentence,
            "anisotropy": of_tokens * words.anisotropy,
            "cramers_v2": of_tokens * words.cramers_v2,
            "exclusive": of_tokens * kinds.get("exclusive", np.nan),
            "function_words": of_tokens * kinds.get(FUNCTION, np.nan),
            "sentence_cosine": of_sentences * cosine,
            "sentence_spread": 0.0 if sets_sentences and is_balanced else np.nan,
            "loss": of_sentences * theory.loss if is_balanced else np.nan,
            "change_error": 0.0 if sets_tokens else np.nan,
        },
        arrays={
            "self_similarity": of_tokens * present(words, words.self_similarity),
            "kind_self_similarity": of_tokens * by_kind(task, words, words.self_similarity),
            "class_gram": of_sentences * gram,
            **unpredicted(task, words, configuration),
        },
        class_gram=gram,
        words=words,
        last_shares=of_tokens * np.array([theory.anisotropy, *theory.variance_shares.values()]),
    )


def unpredicted(task: ContextualLanguage, words: SampleStatistics, configuration) -> dict[str, np.ndarray]:
    """Return arrays of NaN for what is predicted from a member's state, or not predicted."""
    n_words, n_kinds = int(np.sum(words.counts > 0)), len(task.kinds)
    layers = len(make_layers(configuration))
    return {
        "gram_self_similarity": np.full(n_words, np.nan),
        "course": np.full((3, n_words), np.nan),
        "kind_change": np.full(n_kinds, np.nan),
        "kind_before": np.full(n_kinds, np.nan),
        "shares": np.full((layers, len(SHARES)), np.nan),
        "initial_shares": np.full((layers, len(SHARES)), np.nan),
        "moment_step": np.full(3, np.nan),
    }


def make_layers(configuration: LanguageConfiguration) -> tuple[str, ...]:
    """Return the names of the layers whose tokens are measured."""
    from experiments.contextual_embeddings.training_spec import make_training_spec

    return make_training_spec(configuration).network.layers


def solve(configuration: LanguageConfiguration) -> Theory:
    """Return the prediction of theory for the language of a configuration.

    Raises:
        ValueError: a choice is out of range; the message names it.
    """
    from theory import contextual_embeddings

    is_balanced, is_free = configuration.largest_prior is None, configuration.network == "free"
    return contextual_embeddings.predict_law(
        language_law(make_task(configuration)),
        temperature=configuration.temperature,
        batch_size=(configuration.n_classes if is_free else configuration.batch_size) if is_balanced else None,
        replacement_draws=configuration.repeats_classes and is_balanced and not is_free,
        embedding_dim=configuration.embedding_dim,
    )


def language_law(task: ContextualLanguage) -> LanguageLaw:
    """Return the joint law of concepts and classes, in which each function word counts as a separate concept."""
    from theory import contextual_embeddings

    joint, concepts, kinds = task.word_joint(), task.word_concepts(), task.word_kinds()
    labels = np.where(concepts < task.n_concepts, concepts, np.arange(task.n_words) + task.n_concepts)
    rows, first, index = np.unique(labels, return_index=True, return_inverse=True)
    table = np.zeros((len(rows), task.n_classes))
    np.add.at(table, index, joint)
    names = tuple(task.kinds[kinds[word]] for word in first)
    return contextual_embeddings.LanguageLaw(joint=table / table.sum(), kinds=names)


def word_statistics(task: ContextualLanguage, class_gram: np.ndarray) -> SampleStatistics:
    """Return the statistics of the evaluation words if each token equals its sentence's class vector."""
    from theory import contextual_embeddings

    words, classes = task.sample(0).evaluation
    is_word = words < task.n_words
    sentences = np.broadcast_to(np.arange(len(words))[:, None], words.shape)[is_word]
    return contextual_embeddings.sample_statistics(
        words[is_word], classes[sentences], sentences, n_words=task.n_words, n_classes=len(class_gram),
        class_gram=class_gram,
    )  # fmt: skip


def present(words: SampleStatistics, values: np.ndarray) -> np.ndarray:
    """Select the values of the words that occur in the evaluation sentences."""
    return values[words.counts > 0]


def by_kind(task: ContextualLanguage, words: SampleStatistics, values: np.ndarray) -> np.ndarray:
    """Return the mean over the words of each kind, weighted by occurrences, without words whose value is NaN."""
    is_there = np.isfinite(values)
    weights = np.where(is_there, words.counts, 0)
    sums = np.bincount(task.word_kinds(), weights * np.where(is_there, values, 0), len(task.kinds))
    totals = np.bincount(task.word_kinds(), weights, len(task.kinds))
    return np.divide(sums, totals, out=np.full(len(task.kinds), np.nan), where=totals > 0)


def _basis(configuration: LanguageConfiguration, theory: Theory) -> str:
    if configuration.objective == "classification":
        return "approximation"
    return theory.basis if configuration.pins_sentences else "none"


def _kind(configuration: LanguageConfiguration) -> str:
    if configuration.sets_tokens:
        return "token collapse"
    return "class vectors" if configuration.pins_sentences else "nothing"


def _notes(configuration: LanguageConfiguration) -> tuple[str, ...]:
    if configuration.objective == "classification":
        return (CLASSIFIED,)
    if not configuration.pins_sentences:
        return (NOTHING,)
    return () if configuration.sets_tokens else (SENTENCES_ALONE,)
