"""Comparison of a trained encoder's tokens with class vectors, by word, kind of word and layer."""

from typing import NamedTuple

import numpy as np

from experiments.contextual_embeddings.initial_reference import mean_over_words
from experiments.contextual_embeddings.reference import SHARES, CollapsePrediction, by_kind, present, word_statistics
from experiments.core.phenomenon import Variable
from experiments.core.quantity import Panel, Quantity
from experiments.core.standard_comparison import Measured, standard_comparison
from simlab.losses.sentences import SentenceContrastive
from simlab.metrics.contextual.class_pairs import class_gram
from simlab.metrics.contextual.similarities import Similarities
from simlab.metrics.contextual.variance_shares import variance_shares
from simlab.metrics.contextualization import contextualization
from simlab.sweeps.members import MemberRun
from simlab.tasks.contextual_language import ContextualLanguage

QUANTITIES = {
    "r_squared": Quantity(label="R^2 over words of self-similarity against C_t", headline="compared"),
    "r_squared_gram": Quantity(label="R^2 with the measured class Gram matrix", headline="learned"),
    "intra_sentence": Quantity(
        label="intra-sentence similarity",
        headline="compared",
        panels=(Panel(label="intra-sentence\nsimilarity", height=0.8, scale="unit interval"),),
    ),
    "anisotropy": Quantity(
        label="anisotropy", headline="compared", panels=(Panel(label="anisotropy", height=0.8, scale="linear"),)
    ),
    "cramers_v2": Quantity(label="mean self-similarity (predicted: Cramer's V^2)"),
    "exclusive": Quantity(label="self-similarity of class-exclusive words"),
    "function_words": Quantity(label="self-similarity of function words"),
    "sentence_cosine": Quantity(label="mean cosine between sentences of different classes"),
    "sentence_spread": Quantity(label="largest error of a cosine between classes"),
    "loss": Quantity(label="loss", unit="nats"),
    "change_error": Quantity(label="largest error of the change of self-similarity by kind"),
}
ARRAYS = {
    "self_similarity": Variable(("word",), "learned self-similarity of each word of the evaluation sentences"),
    "gram_self_similarity": Variable(("word",), "self-similarity of each word, from the learned class Gram matrix"),
    "course": Variable(("moment", "word"), "learned self-similarity before, during and after training"),
    "moment_step": Variable(("moment",), "steps of these moments", "steps"),
    "kind_self_similarity": Variable(("kind_of_word",), "learned self-similarity by kind of word"),
    "kind_before": Variable(("kind_of_word",), "learned adjusted self-similarity by kind before the main stage"),
    "kind_change": Variable(("kind_of_word",), "learned change of adjusted self-similarity by kind, main stage"),
    "class_gram": Variable(("class", "other_class"), "learned mean cosines of tokens by class"),
    "shares": Variable(("layer", "share"), "learned shares of the second moment by layer: " + ", ".join(SHARES)),
    "initial_shares": Variable(("layer", "share"), "learned shares by layer before training: " + ", ".join(SHARES)),
}


class Tokens(NamedTuple):
    """The evaluation sentences, with methods that measure the tokens of a layer.

    Attributes:
        task: the language.
        words: ``Int[N, L]``.
        classes: ``Int[N]``.
    """

    task: ContextualLanguage
    words: np.ndarray
    classes: np.ndarray

    @property
    def is_word(self) -> np.ndarray:
        """Positions that hold a word rather than padding or a special token; ``Bool[N, L]``."""
        return self.words < self.task.n_words

    def layer(self, hidden: np.ndarray) -> np.ndarray:
        """Return the word tokens of a layer in float64, without a leading special token; ``Float[N, L, d]``."""
        return hidden[:, -self.words.shape[1] :].astype(np.float64)

    def similarities(self, hidden: np.ndarray) -> Similarities:
        """Return the mean cosines of a layer over all pairs of different occurrences, as in the prediction."""
        return contextualization(self.layer(hidden), self.words, self.is_word, pairs="all")

    def shares(self, hidden: np.ndarray) -> np.ndarray:
        """Return the shares of a layer's second moment, in the order of ``SHARES``."""
        return np.array(variance_shares(self.layer(hidden), self.words, self.task.word_concepts(), self.is_word)[:4])


def measure(member, run: MemberRun, prediction: CollapsePrediction) -> Measured:
    """Return the measured quantities of a member, and the change predicted from its initial state."""
    task, evaluation = member.spec.task, member.data.evaluation
    tokens = Tokens(task, np.asarray(evaluation.words), np.asarray(evaluation.classes))
    layers, last = member.spec.network.layers, member.spec.network.layers[-1]
    moments, steps = _moments(member, run, last)
    before, after = (tokens.similarities(hidden) for hidden in (_main_start(member, run, last), run.final[last]))
    gram = class_gram(tokens.layer(run.final[last]), tokens.classes, tokens.is_word, n_classes=task.n_classes)
    counted = present(prediction.words, word_statistics(task, _with_unit_diagonal(gram)).self_similarity)
    expected = present(prediction.words, prediction.words.self_similarity)
    similarity = after.self_similarity
    change = _change(task, prediction, before, after)
    cosines = _cosines(run.final["sentence"].astype(np.float64))
    others = cosines[np.not_equal.outer(tokens.classes, tokens.classes)]
    kinds = by_kind(task, prediction.words, _over_vocabulary(task, after, similarity))
    return Measured(
        quantities={
            "r_squared": r_squared(similarity, expected),
            "r_squared_gram": r_squared(similarity, counted),
            "intra_sentence": after.intra_sentence,
            "anisotropy": after.anisotropy,
            "cramers_v2": mean_over_words(similarity, after.counts),
            "exclusive": kinds[0] if task.exclusive else np.nan,
            "function_words": kinds[-1] if task.function_words else np.nan,
            "sentence_cosine": float(others.mean()),
            "sentence_spread": float(np.abs(others + 1 / (task.n_classes - 1)).max()),
            "loss": _loss(member, run, tokens),
            "change_error": float(np.nanmax(np.abs(change.measured - change.expected))),
        },
        arrays={
            "self_similarity": similarity,
            "gram_self_similarity": counted,
            "course": moments_of(tokens, moments),
            "moment_step": steps,
            "kind_self_similarity": kinds,
            "kind_before": change.before,
            "kind_change": change.measured,
            "class_gram": gram,
            "shares": np.array([tokens.shares(run.final[name]) for name in layers]),
            "initial_shares": np.array([tokens.shares(_records(run, name)[0]) for name in layers]),
        },
        predicted={
            **prediction.arrays,
            "kind_change": change.expected,
            "shares": _predicted_shares(prediction, len(layers)),
        },
    )


def r_squared(values: np.ndarray, predicted: np.ndarray) -> float:
    """Return the share of the variance over words that a prediction explains without a fit (R^2)."""
    is_there = np.isfinite(values) & np.isfinite(predicted)
    values, predicted = values[is_there], predicted[is_there]
    spread = np.sum((values - values.mean()) ** 2) if len(values) else 0.0
    return float(1 - np.sum((values - predicted) ** 2) / spread) if spread > 0 else np.nan


def moments_of(tokens: Tokens, moments: list[np.ndarray]) -> np.ndarray:
    """Return the self-similarity of each word at each moment, ``Float[M, n_w]``."""
    return np.array([tokens.similarities(hidden).self_similarity for hidden in moments])


class Change(NamedTuple):
    """Adjusted self-similarity by kind before the main stage, and its change, measured and expected."""

    before: np.ndarray
    measured: np.ndarray
    expected: np.ndarray


def _change(task: ContextualLanguage, prediction: CollapsePrediction, before: Similarities, after: Similarities):
    """Return the change of adjusted self-similarity over the main stage; expected: predicted end minus start."""
    at_start, at_end = (
        by_kind(task, prediction.words, _over_vocabulary(task, moment, moment.adjusted_self_similarity))
        for moment in (before, after)
    )
    expected = by_kind(task, prediction.words, prediction.words.self_similarity) - prediction.words.anisotropy
    return Change(at_start, at_end - at_start, expected - at_start)


def _over_vocabulary(task: ContextualLanguage, similarities: Similarities, values: np.ndarray) -> np.ndarray:
    """Return values over the whole vocabulary, NaN for words that do not occur."""
    whole = np.full(task.n_words, np.nan)
    whole[similarities.tokens] = values
    return whole


def _cosines(vectors: np.ndarray) -> np.ndarray:
    units = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return units @ units.T


def _with_unit_diagonal(gram: np.ndarray) -> np.ndarray:
    """Return the measured Gram matrix with a unit diagonal, as theory assumes tokens of equal length."""
    filled = np.where(np.isfinite(gram), gram, 0.0)
    np.fill_diagonal(filled, 1.0)
    return filled


def _loss(member, run: MemberRun, tokens: Tokens) -> float:
    """Return the mean loss over batches of evaluation pairs, or the last recorded loss for other kinds of batches.

    Each batch has one pair per class, the next two sentences of that class.
    """
    spec, n_classes = member.spec, tokens.task.n_classes
    counts = np.bincount(tokens.classes, minlength=n_classes)
    size = n_classes if spec.source.is_population else getattr(spec.source, "batch_size", None)
    is_usual = size == n_classes and not tokens.task.repeats_classes and np.ptp(counts) == 0
    if not is_usual or not isinstance(spec.objective, SentenceContrastive):
        return run.last_metrics["loss"]
    vectors = run.final["sentence"].astype(np.float64)
    if spec.objective.similarity == "cosine":
        vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    pairs = vectors.reshape(n_classes, counts[0], -1)[:, : counts[0] // 2 * 2].reshape(n_classes, -1, 2, len(vectors.T))
    scores = np.einsum("kbd,jbd->bkj", pairs[:, :, 0], pairs[:, :, 1]) / float(member.hyperparameters.temperature)
    largest = scores.max(axis=2, keepdims=True)
    partition = largest[..., 0] + np.log(np.sum(np.exp(scores - largest), axis=2))
    return float(np.mean(partition - np.diagonal(scores, axis1=1, axis2=2)))


def _records(run: MemberRun, name: str) -> np.ndarray:
    """Return an array at each record, or at the end only for a run without records."""
    return run.final[name][None] if run.trajectory is None else run.trajectory[name]


def _main_start(member, run: MemberRun, name: str) -> np.ndarray:
    """Return an array at the start of the main stage."""
    return _records(run, name)[min(member.spec.first_segments[-1], len(_records(run, name)) - 1)]


def _moments(member, run: MemberRun, name: str) -> tuple[list[np.ndarray], np.ndarray]:
    """Return an array before, during and after training, and the steps of these moments.

    "During" is the start of the main stage, or its first record if there is no earlier stage.
    """
    records, spec = _records(run, name), member.spec
    middle = min(spec.first_segments[-1] or 1, run.n_segments, len(records) - 1)
    numbers = [0, middle, min(run.n_segments, len(records) - 1)]
    steps = np.array(numbers, float) * spec.steps_per_record
    return [records[number] for number in numbers], steps


def _predicted_shares(prediction: CollapsePrediction, n_layers: int) -> np.ndarray:
    """Return the predicted shares by layer: those of the last layer, NaN for the others."""
    shares = np.full((n_layers, len(SHARES)), np.nan)
    shares[-1] = prediction.last_shares
    return shares


COMPARISON = standard_comparison(
    quantities=QUANTITIES, arrays=ARRAYS, metrics=SentenceContrastive.recorded, measure=measure
)
