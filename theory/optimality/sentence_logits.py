"""Weighted sentences with the sums over classes that their cross-entropy, its derivative and its dual need.

Symbols: sentence n of weight omega_n has logits z_n, class probabilities p_n = softmax(z_n) and target t_n, which puts
1 - eps on its class y_n and spreads eps (*label noise*) uniformly over all K classes. Quantities that are small for a
confident network (1 - p_n at the class, the cross-entropy) are summed over the wrong classes and not computed as a
difference from 1.

W (n_w, d) holds the embeddings, U (K L, d) the classifier vectors.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.special import expit

from theory.checks import require_fraction
from theory.optimality.logit_blocks import LogitBlocks, map_threads

if TYPE_CHECKING:
    from jaxtyping import Float, Int

# Sums of float32 weights are within this of 1; the weights are rescaled to sum to 1.
_WEIGHT_TOLERANCE = 1e-5


class ProbabilityChunk(NamedTuple):
    """Probabilities of a block of classes for a chunk of sentences.

    Attributes:
        rows: the sentences.
        own: row and column, within the chunk, of the true classes that are in the block.
        probabilities: (n, K_block), 0 at the true class; writable.
    """

    rows: slice
    own: tuple[np.ndarray, np.ndarray]
    probabilities: Float[np.ndarray, "n K_block"]


@dataclass(frozen=True, kw_only=True, eq=False)
class SentenceLogits(LogitBlocks):
    """Logits with summaries over all classes of each sentence; created by `score_sentences`.

    Args:
        own: the logit of the true class of each sentence (N,).
        log_others: log sum of e^z over the wrong classes (N,).
        other_entropy: entropy of the softmax over the wrong classes alone (N,), nats.
        mean_logit, least_other: mean of all logits (N,) and least logit of the wrong classes (N,).
    """

    own: Float[np.ndarray, " N"]
    log_others: Float[np.ndarray, " N"]
    other_entropy: Float[np.ndarray, " N"]
    mean_logit: Float[np.ndarray, " N"]
    least_other: Float[np.ndarray, " N"]

    @cached_property
    def log_normaliser(self) -> Float[np.ndarray, " N"]:
        """The logarithm of sum_k e^z (N,)."""
        return np.logaddexp(self.own, self.log_others)

    @property
    def error_probability(self) -> Float[np.ndarray, " N"]:
        """The total probability 1 - p of the wrong classes (N,)."""
        return expit(self.log_others - self.own)

    @property
    def other_target(self) -> float:
        """The target eps / K of every wrong class."""
        return self.label_noise / self.n_classes

    @property
    def cross_entropy(self) -> float:
        """Return F = sum_n omega_n (log sum_k e^z - <t_n, z_n>), nats."""
        terms = np.logaddexp(0.0, self.log_others - self.own)
        if self.label_noise:
            terms = terms + self.label_noise * (self.own - self.mean_logit)
        return float(self.weights @ terms)

    @property
    def spread(self) -> Float[np.ndarray, " N"]:
        """The sum of -p log p over the wrong classes (N,), nats, without cancellation."""
        if self.n_classes == 1:
            return np.zeros(len(self.own))
        return self.error_probability * (self.other_entropy + np.logaddexp(0.0, self.own - self.log_others))

    @property
    def own_error(self) -> Float[np.ndarray, " N"]:
        """The entry of p - t at the true class of each sentence, (N,)."""
        return self.label_noise - self.other_target - self.error_probability

    def probability_chunks(self, block: slice) -> Iterator[ProbabilityChunk]:
        """Yield p for a block of classes in chunks of sentences, with 0 at the true class of each sentence."""
        for rows, logits in self.chunks(block):
            logits -= self.log_normaliser[rows, None]
            probabilities = np.exp(logits, out=logits)
            own = self.own_entries(rows, block)
            probabilities[own] = 0.0
            yield ProbabilityChunk(rows, own, probabilities)

    def weighted_errors(self, block: slice) -> Float[np.ndarray, "N K_block"]:
        """Return omega (p - t) (N, K_block), the derivative of F with respect to the logits."""
        weighted, own_error = np.empty((len(self.own), block.stop - block.start)), self.own_error
        for rows, own, errors in self.probability_chunks(block):
            errors -= self.other_target
            errors[own] = own_error[rows][own[0]]
            np.multiply(errors, self.weights[rows, None], out=weighted[rows])
        return weighted


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
    """Return the logits of all sentences in float64, after checking the arguments.

    Args:
        sentences: word indices in [0, n_w), integers (N, L).
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
    present = slice(None) if weights.min() > 0 else weights > 0
    sentences, classes = sentences[present], classes[present]
    blocks = LogitBlocks(
        sentences=sentences,
        classes=classes,
        weights=weights[present],
        embeddings=embeddings,
        classifier=classifier,
        label_noise=require_fraction("label_noise", label_noise),
        stored=None,
    )
    if 32 * len(sentences) * len(classifier) <= memory_limit:
        blocks = replace(blocks, stored=blocks.logits())
    return _summarise(blocks)


def _summarise(blocks: LogitBlocks) -> SentenceLogits:
    """Return the logits with their summaries over all classes, from one pass over the blocks."""
    columns = zip(*map_threads(_sum_over_classes, blocks.split()), strict=True)
    own, log_others, other_entropy, mean_logit, least_other = (np.concatenate(parts) for parts in columns)
    return SentenceLogits(
        **{field.name: getattr(blocks, field.name) for field in fields(blocks)},
        own=own,
        log_others=log_others,
        other_entropy=other_entropy,
        mean_logit=mean_logit,
        least_other=least_other,
    )


def _sum_over_classes(blocks: LogitBlocks) -> tuple[Float[np.ndarray, " N"], ...]:
    """Return own, log_others, other_entropy, mean_logit and least_other of `SentenceLogits`."""
    n_sentences = len(blocks.sentences)
    own, total = np.empty(n_sentences), np.zeros(n_sentences)
    least, others = np.full(n_sentences, np.inf), _Others.start(n_sentences)
    for block in blocks.class_blocks():
        for rows, logits in blocks.chunks(block):
            entries = blocks.own_entries(rows, block)
            own[rows][entries[0]] = logits[entries]
            total[rows] += logits.sum(axis=1)
            logits[entries] = np.inf
            np.minimum(least[rows], logits.min(axis=1), out=least[rows])
            logits[entries] = -np.inf
            others.add(rows, logits, entries)
    return own, *others.summary(), total / blocks.n_classes, least


@dataclass(frozen=True, kw_only=True, eq=False)
class _Others:
    """Running sums over the classes of each sentence, relative to the largest logit m so far.

    Args:
        peak: m (N,), -inf before the first class.
        mass: sum of e^(z - m), (N,).
        moment: sum of (m - z) e^(z - m), (N,). No term of the two sums is negative.
    """

    peak: Float[np.ndarray, " N"]
    mass: Float[np.ndarray, " N"]
    moment: Float[np.ndarray, " N"]

    @classmethod
    def start(cls, n_sentences: int) -> _Others:
        """Return the empty sums."""
        return cls(peak=np.full(n_sentences, -np.inf), mass=np.zeros(n_sentences), moment=np.zeros(n_sentences))

    def add(self, rows: slice, logits: Float[np.ndarray, "n K_block"], excluded: tuple) -> None:
        """Add classes to the sums of some sentences; excluded entries have a logit of -inf. Overwrites `logits`."""
        peak, mass, moment = self.peak[rows], self.mass[rows], self.moment[rows]
        highest = np.maximum(peak, logits.max(axis=1))
        origin = np.where(np.isfinite(highest), highest, 0.0)  # no class counts so far
        rise = np.where(np.isfinite(peak), origin - peak, 0.0)
        factor = np.exp(-rise)
        logits -= origin[:, None]
        terms = np.exp(logits)
        logits[excluded] = 0.0  # times 0
        moment[:] = factor * (moment + rise * mass) - np.einsum("nk,nk->n", terms, logits)
        mass[:] = factor * mass + terms.sum(axis=1)
        peak[:] = highest

    def summary(self) -> tuple[Float[np.ndarray, " N"], Float[np.ndarray, " N"]]:
        """Return log sum e^z and the entropy of the softmax, nats: -inf and 0 if no class was added."""
        counts = self.mass > 0
        log_mass = np.log(self.mass, out=np.zeros(len(self.mass)), where=counts)
        ratio = np.divide(self.moment, self.mass, out=np.zeros(len(self.mass)), where=counts)
        return np.where(counts, self.peak + log_mass, -np.inf), log_mass + ratio


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
    return array.astype(np.intp, copy=False)


def _require_weights(value: object, n_sentences: int) -> Float[np.ndarray, " N"]:
    """Return the weights, scaled to sum to 1; equal weights for None."""
    if value is None:
        return np.full(n_sentences, 1 / n_sentences)
    weights = _require_finite("weights", value, 1)
    if len(weights) != n_sentences:
        raise ValueError(f"weights: expected {n_sentences} as in sentences, got {len(weights)}")
    total = float(weights.sum())
    if weights.min() < 0 or abs(total - 1) > _WEIGHT_TOLERANCE:
        raise ValueError(f"weights: expected non-negative numbers that sum to 1, got a sum of {total:.9g}")
    return weights / total
