"""Logits of weighted sentences, stored in memory or computed again block by block of classes.

Symbols: sentence n of weight omega_n has logits z_n, class probabilities p_n = softmax(z_n) and target t_n, which puts
1 - eps on its class y_n and spreads eps (*label noise*) evenly over all K classes. Everything that is small where a
network is confident (1 - p_n at the class, the cross-entropy) is summed over the other classes and never taken as a
difference from 1.

W (n_w, d) holds the embeddings, U (K L, d) the classifier vectors.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import expit, logsumexp

from theory.checks import require_fraction

if TYPE_CHECKING:
    from jaxtyping import Float, Int

# Numbers in one block of classes (64 MB) and in one block of word vectors.
_BLOCK_ENTRIES = 2**23
_LOOK_UP_ENTRIES = 2**16  # in the scores that are looked up at once (512 KB)
# Weights in float32 sum to 1 within this; they are scaled to sum to 1.
_WEIGHT_TOLERANCE = 1e-5


@dataclass(frozen=True, kw_only=True, eq=False)
class LogitBlocks:
    """Sentences with the logits of a network h(x)_k = sum_l <u_kl, w_{x_l}>, block of classes by block.

    Args:
        sentences, classes, weights: word numbers (N, L), classes (N,), and omega > 0 (N,), which sums to 1.
        embeddings, classifier: float64 (n_w, d) and (K, L, d).
        label_noise: eps.
        stored: the logits (N, K), or None if they are computed again whenever they are needed.
    """

    sentences: Int[np.ndarray, "N L"]
    classes: Int[np.ndarray, " N"]
    weights: Float[np.ndarray, " N"]
    embeddings: Float[np.ndarray, "n_w d"]
    classifier: Float[np.ndarray, "K L d"]
    label_noise: float
    stored: Float[np.ndarray, "N K"] | None

    @property
    def n_classes(self) -> int:
        """The number K of classes."""
        return len(self.classifier)

    def class_blocks(self) -> Iterator[slice]:
        """Yield slices of classes, few enough for their logits and their rows of dF/dM to fit into one block."""
        widest = max(len(self.sentences), self.sentences.shape[1] * len(self.embeddings))
        size = max(1, _BLOCK_ENTRIES // widest)
        for start in range(0, self.n_classes, size):
            yield slice(start, min(start + size, self.n_classes))

    def logits(self, block: slice) -> Float[np.ndarray, "N K_block"]:
        """Return the logits (N, K_block) of a block of classes; not to be written to."""
        if self.stored is not None:
            return self.stored[:, block]
        return _network(self.sentences, self.embeddings, self.classifier[block])

    def own_entries(self, block: slice) -> tuple[Int[np.ndarray, " n"], Int[np.ndarray, " n"]]:
        """Return row and column of each sentence's own class inside a block."""
        rows = np.flatnonzero((self.classes >= block.start) & (self.classes < block.stop))
        return rows, self.classes[rows] - block.start


@dataclass(frozen=True, kw_only=True, eq=False)
class SentenceLogits(LogitBlocks):
    """Logits with what depends on all classes of a sentence; made by `score_sentences`.

    Args:
        own: the logit of the class of each sentence (N,).
        log_others: log sum of e^z over the other classes (N,).
        mean_logit, least_other: mean of all logits (N,) and least logit of the other classes (N,).
    """

    own: Float[np.ndarray, " N"]
    log_others: Float[np.ndarray, " N"]
    mean_logit: Float[np.ndarray, " N"]
    least_other: Float[np.ndarray, " N"]

    @property
    def log_normaliser(self) -> Float[np.ndarray, " N"]:
        """Return log sum_k e^z (N,)."""
        return np.logaddexp(self.own, self.log_others)

    @property
    def error_probability(self) -> Float[np.ndarray, " N"]:
        """The probability 1 - p of all other classes together (N,)."""
        return expit(self.log_others - self.own)

    @property
    def other_target(self) -> float:
        """The target eps / K of every class but the sentence's own."""
        return self.label_noise / self.n_classes

    @property
    def cross_entropy(self) -> float:
        """Return F = sum_n omega_n (log sum_k e^z - <t_n, z_n>), nats."""
        terms = np.logaddexp(0.0, self.log_others - self.own)
        if self.label_noise:
            terms = terms + self.label_noise * (self.own - self.mean_logit)
        return float(self.weights @ terms)

    def other_probabilities(self, block: slice) -> Float[np.ndarray, "N K_block"]:
        """Return p (N, K_block), with 0 at each sentence's own class."""
        probabilities = np.exp(self.logits(block) - self.log_normaliser[:, None])
        probabilities[self.own_entries(block)] = 0.0
        return probabilities

    @property
    def own_error(self) -> Float[np.ndarray, " N"]:
        """The entry of p - t at each sentence's own class, (N,)."""
        return self.label_noise - self.other_target - self.error_probability

    def weighted_errors(self, block: slice) -> Float[np.ndarray, "N K_block"]:
        """Return omega (p - t) (N, K_block), the derivative of F in the logits."""
        errors = self.other_probabilities(block) - self.other_target
        rows, columns = self.own_entries(block)
        errors[rows, columns] = self.own_error[rows]
        return self.weights[:, None] * errors


def score_sentences(
    sentences: Int[np.ndarray, "N L"],
    classes: Int[np.ndarray, " N"],
    weights: Float[np.ndarray, " N"] | None,
    embeddings: Float[np.ndarray, "n_w d"],
    classifier: Float[np.ndarray, "K L d"],
    *,
    label_noise: float = 0.0,
    memory_limit: int = 2**29,
) -> SentenceLogits:
    """Check the arguments and run the network, in float64, over all sentences.

    Args:
        sentences: word numbers in [0, n_w), integers (N, L).
        classes: integers in [0, K), (N,).
        weights: omega >= 0 (N,), summing to 1, or None for 1/N. Sentences of weight 0 are left out.
        embeddings: W (n_w, d).
        classifier: U (K, L, d).
        label_noise: eps in [0, 1).
        memory_limit: bytes; the logits (N, K) are stored if they take at most a quarter of it.

    Returns: the sentences with their logits.
    Raises: ValueError, `field: expected ..., got ...`.
    """
    embeddings = _require_finite("embeddings", embeddings, 2)
    classifier = _require_finite("classifier", classifier, 3)
    if classifier.shape[2] != embeddings.shape[1]:
        raise ValueError(
            f"classifier: expected vectors of {embeddings.shape[1]} entries as in embeddings, got {classifier.shape[2]}"
        )
    sentences = _require_indices("sentences", sentences, 2, len(embeddings))
    classes = _require_indices("classes", classes, 1, len(classifier))
    if sentences.shape[1] != classifier.shape[1]:
        raise ValueError(f"sentences: expected {classifier.shape[1]} words as in classifier, got {sentences.shape[1]}")
    if len(classes) != len(sentences):
        raise ValueError(f"classes: expected {len(sentences)} as in sentences, got {len(classes)}")
    weights = _require_weights(weights, len(sentences))
    present = weights > 0
    sentences, classes = sentences[present], classes[present]
    blocks = LogitBlocks(
        sentences=sentences,
        classes=classes,
        weights=weights[present],
        embeddings=embeddings,
        classifier=classifier,
        label_noise=require_fraction("label_noise", label_noise),
        stored=_network(sentences, embeddings, classifier)
        if 32 * len(sentences) * len(classifier) <= memory_limit
        else None,
    )
    return _summarise(blocks)


def _summarise(blocks: LogitBlocks) -> SentenceLogits:
    """Run once over the classes and collect what depends on all of them."""
    n_sentences = len(blocks.sentences)
    own, total = np.empty(n_sentences), np.zeros(n_sentences)
    log_others, least_other = np.full(n_sentences, -np.inf), np.full(n_sentences, np.inf)
    for block in blocks.class_blocks():
        logits = blocks.logits(block)
        rows, columns = blocks.own_entries(block)
        own[rows] = logits[rows, columns]
        total += logits.sum(axis=1)
        others = logits.copy()
        others[rows, columns] = np.inf
        least_other = np.minimum(least_other, others.min(axis=1))
        others[rows, columns] = -np.inf
        log_others = np.logaddexp(log_others, logsumexp(others, axis=1))
    return SentenceLogits(
        sentences=blocks.sentences,
        classes=blocks.classes,
        weights=blocks.weights,
        embeddings=blocks.embeddings,
        classifier=blocks.classifier,
        label_noise=blocks.label_noise,
        stored=blocks.stored,
        own=own,
        log_others=log_others,
        mean_logit=total / blocks.n_classes,
        least_other=least_other,
    )


def _network(
    sentences: Int[np.ndarray, "N L"], embeddings: Float[np.ndarray, "n_w d"], classifier: Float[np.ndarray, "K L d"]
) -> Float[np.ndarray, "N K"]:
    """Return the logits (N, K) of a classifier (K, L, d), a block of sentences at a time.

    With more sentences than words the score of each word at each position is computed once, (L, n_w, K), and looked up.
    """
    if len(sentences) > len(embeddings):
        return _look_up(sentences, np.matmul(embeddings, classifier.transpose(1, 2, 0)))
    n_sentences, length = sentences.shape
    rows = classifier.reshape(len(classifier), -1)
    logits = np.empty((n_sentences, len(classifier)))
    size = max(1, _BLOCK_ENTRIES // (length * embeddings.shape[1]))
    for start in range(0, n_sentences, size):
        vectors = embeddings[sentences[start : start + size]].reshape(-1, rows.shape[1])
        logits[start : start + size] = vectors @ rows.T
    return logits


def _look_up(sentences: Int[np.ndarray, "N L"], scores: Float[np.ndarray, "L n_w K"]) -> Float[np.ndarray, "N K"]:
    """Return the logits (N, K) as sums over positions of the scores (L, n_w, K), a block of sentences at a time."""
    length, n_words, n_classes = scores.shape
    flat = scores.reshape(length * n_words, n_classes)
    logits = np.empty((len(sentences), n_classes))
    # Small blocks: the rows that are looked up and their sum stay in the cache.
    size = max(1, _LOOK_UP_ENTRIES // (length * n_classes))
    for start in range(0, len(sentences), size):
        entries = sentences[start : start + size] + n_words * np.arange(length)
        np.sum(flat[entries], axis=1, out=logits[start : start + size])
    return logits


def _require_finite(field: str, value: object, n_axes: int) -> Float[np.ndarray, ...]:
    """Return `value` as a finite float64 array with `n_axes` axes, none of them empty."""
    array = np.asarray(value, dtype=np.float64)
    if array.ndim != n_axes or array.size == 0:
        raise ValueError(f"{field}: expected an array with {n_axes} axes, none empty, got shape {array.shape}")
    if not np.all(np.isfinite(array)):
        raise ValueError(f"{field}: expected finite numbers, got {int(np.sum(~np.isfinite(array)))} that are not")
    return array


def _require_indices(field: str, value: object, n_axes: int, count: int) -> Int[np.ndarray, ...]:
    """Return `value` as an integer array with `n_axes` axes and entries in [0, count)."""
    array = np.asarray(value)
    if array.ndim != n_axes or array.size == 0:
        raise ValueError(f"{field}: expected an array with {n_axes} axes, none empty, got shape {array.shape}")
    if not np.issubdtype(array.dtype, np.integer):
        raise ValueError(f"{field}: expected integers, got {array.dtype}")
    if array.min() < 0 or array.max() >= count:
        raise ValueError(f"{field}: expected numbers from 0 to {count - 1}, got {array.min()} to {array.max()}")
    return array.astype(np.intp)


def _require_weights(value: object, n_sentences: int) -> Float[np.ndarray, " N"]:
    """Return the weights, scaled to sum to 1; equal ones for None."""
    if value is None:
        return np.full(n_sentences, 1 / n_sentences)
    weights = _require_finite("weights", value, 1)
    if len(weights) != n_sentences:
        raise ValueError(f"weights: expected {n_sentences} as in sentences, got {len(weights)}")
    total = float(weights.sum())
    if weights.min() < 0 or abs(total - 1) > _WEIGHT_TOLERANCE:
        raise ValueError(f"weights: expected non-negative numbers that sum to 1, got a sum of {total:.9g}")
    return weights / total
