"""Similarities of contextualised token vectors: self-, intra- and inter-sentence similarity, and anisotropy.

An *occurrence* is a token at its place in a sentence, with its vector ``x`` and ``u = x/|x|``. All values are mean
cosines:

==================== ================================================================================================
self-similarity      of occurrences of one token, in different sentences unless ``pairs`` says otherwise
intra-sentence       of a token with the mean vector of its sentence
within-sentence      of two tokens of one sentence
inter-sentence       of occurrences in different sentences, of any tokens
anisotropy           of occurrences of different tokens in different sentences
sentence similarity  of the mean vectors of different sentences
==================== ================================================================================================

*Adjusted* values are minus the anisotropy; the *self-similarity change* (SSC) of a token is its adjusted
self-similarity after training minus that before. Each value has a baseline: for self-, within- and inter-sentence
similarity it is the anisotropy ``a``; for intra-sentence similarity, whose mean vector includes the token itself, it is
``sqrt((1 + (n-1) a)/n)`` for a sentence of ``n`` tokens; for the anisotropy it is 0, with the standard deviation
``sqrt(2/(d N (N-1)))`` for N random directions.

No N x N matrix of cosines is built. With sums ``S`` of unit vectors over all occurrences, over those of a token, of a
sentence, and of a token in a sentence, pairs are summed by inclusion and exclusion, as in

    anisotropy = (|S|^2 - sum_t |S_t|^2 - sum_s |S_s|^2 + sum_ts |S_ts|^2)
               / (N^2 - sum_t n_t^2 - sum_s n_s^2 + sum_ts n_ts^2).

Time is O(N d), memory O(d) for each distinct token and for the current batch; all sums are float64. Special tokens and
padding count unless the mask excludes them.

Sources: Ethayarajh (arXiv 1909.00512) for self- and intra-sentence similarity and their baseline; Timkey, van Schijndel
(arXiv 2109.04404) for the share of a rogue dimension; Xiao, Long, Al Moubayed (arXiv 2212.09170) for SSC.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from simlab.metrics.contextual.group_sums import GroupSums, run_starts
from simlab.metrics.contextual.similarities import Similarities
from simlab.validation import check_choice, check_count, invalid

if TYPE_CHECKING:
    from jaxtyping import Bool, Float, Int

    from simlab.tasks.batch import AnyArray

# The pairs of occurrences of a token that count: those in different sentences; all; or those of the first occurrences
# in different sentences.
PAIRS = ("across", "all", "first")


class Contextualization:
    """Streaming sums over batches of sentences, from which :class:`Similarities` follow.

    Args:
        dim: ``d``, the dimension of the vectors.
        pairs: which pairs count in self-similarity: ``across`` (different sentences), ``all``, or ``first`` (the first
            occurrences in different sentences).
        excluded: coordinates to leave out of the vectors, such as a rogue dimension.

    Raises:
        ValueError: ``pairs`` is unknown, a coordinate is not below ``d``, or all coordinates are excluded.
    """

    def __init__(self, dim: int, *, pairs: str = "across", excluded: Sequence[int] = ()):
        self.dim, self.pairs = check_count("dim", dim), check_choice("pairs", pairs, PAIRS)
        self.excluded = tuple(check_count("excluded", coordinate, 0, dim - 1) for coordinate in excluded)
        self.coordinates = np.setdiff1d(np.arange(dim), self.excluded)
        if not len(self.coordinates):
            raise invalid("excluded", f"fewer than the {dim} coordinates", len(self.excluded))
        width = len(self.coordinates)
        # By token: occurrences, their squared counts and squared sums within sentences, cosines with the sentence mean.
        self._tokens = GroupSums({"count": (), "repeats": (), "squares": (), "intra": (), "vectors": (width,)})
        self._sentence_squares, self._repeat_squares, self._sentence_means = np.zeros((3, width))
        self._lengths: dict[int, int] = {}
        self._intra, self._n_intra, self._n_means, self._n_empty, self._n_zero = 0.0, 0, 0, 0, 0

    def add(
        self,
        hidden: Float[AnyArray, "B L d"],
        tokens: Int[AnyArray, "B L"],
        mask: Bool[AnyArray, "B L"] | None = None,
    ) -> None:
        """Add whole sentences.

        Args:
            hidden: the vectors, of any precision.
            tokens: their token numbers, not negative.
            mask: True where a token counts; None for all, padding and special tokens included.

        Raises:
            ValueError: shapes differ, a token is negative, or a vector that counts is not finite.
        """
        tokens = np.asarray(tokens)
        hidden, is_there = self._checked(hidden, tokens, mask)
        vectors = hidden[is_there].astype(np.float64)[:, self.coordinates]
        if not np.all(np.isfinite(vectors)):
            raise invalid("hidden", "finite numbers for all tokens that count", "NaN or infinity")
        sentences, labels = np.nonzero(is_there)[0], tokens[is_there].astype(np.int64)
        lengths = np.linalg.norm(vectors, axis=1)
        has_direction = lengths > 0
        self._n_zero += int(np.sum(~has_direction))
        self._n_empty += len(tokens) - len(np.unique(sentences))
        if self.pairs == "first":
            has_direction &= _is_first(sentences, labels)
        vectors, lengths = vectors[has_direction], lengths[has_direction]
        if len(vectors):
            self._add(vectors, lengths, sentences[has_direction], labels[has_direction])

    def _checked(self, hidden, tokens: np.ndarray, mask) -> tuple[np.ndarray, np.ndarray]:
        hidden = np.asarray(hidden)
        if tokens.ndim != 2 or not np.issubdtype(tokens.dtype, np.integer):
            raise invalid("tokens", "whole numbers of shape (sentences, places)", f"{tokens.dtype} {tokens.shape}")
        if hidden.shape != (*tokens.shape, self.dim):
            raise invalid("hidden", f"vectors of shape {(*tokens.shape, self.dim)}", hidden.shape)
        is_there = np.ones(tokens.shape, bool) if mask is None else np.asarray(mask)
        if is_there.shape != tokens.shape or is_there.dtype != bool:
            raise invalid("mask", f"booleans of shape {tokens.shape}", f"{is_there.dtype} {is_there.shape}")
        if np.any(tokens[is_there] < 0):
            raise invalid("tokens", "no negative number", int(tokens[is_there].min()))
        return hidden, is_there

    def _add(self, vectors: np.ndarray, lengths: np.ndarray, sentences: np.ndarray, labels: np.ndarray) -> None:
        """Add occurrences, sorted by sentence and token."""
        order = np.lexsort((labels, sentences))
        vectors, units, labels, sentences = (
            array[order] for array in (vectors, vectors / lengths[:, None], labels, sentences)
        )
        cosines = self._add_sentences(vectors, units, sentences)
        starts = run_starts(sentences, labels)
        counts, sums = np.diff(np.append(starts, len(labels))), np.add.reduceat(units, starts)
        self._repeat_squares += np.sum(sums**2, axis=0)
        self._tokens.add(
            labels[starts],
            count=counts,
            repeats=counts**2,
            squares=np.sum(sums**2, axis=1),
            intra=np.add.reduceat(cosines, starts),
            vectors=sums,
        )

    def _add_sentences(self, vectors: np.ndarray, units: np.ndarray, sentences: np.ndarray) -> np.ndarray:
        """Add the sums over whole sentences, and return the cosine of each token with the mean of its sentence."""
        starts = run_starts(sentences)
        counts = np.diff(np.append(starts, len(sentences)))
        self._sentence_squares += np.sum(np.add.reduceat(units, starts) ** 2, axis=0)
        for length, number in zip(*np.unique(counts, return_counts=True), strict=True):
            self._lengths[int(length)] = self._lengths.get(int(length), 0) + int(number)
        sums = np.add.reduceat(vectors, starts)
        norms = np.linalg.norm(sums, axis=1, keepdims=True)
        # Tokens that cancel have no mean direction: their cosines count as 0.
        means = np.divide(sums, norms, out=np.zeros_like(sums), where=norms > 0)
        self._sentence_means += means.sum(axis=0)
        cosines = np.sum(units * np.repeat(means, counts, axis=0), axis=1)
        self._intra += float(np.sum(np.add.reduceat(cosines, starts) / counts))
        self._n_intra += len(counts)
        self._n_means += int(np.sum(norms > 0))
        return cosines

    def merge(self, other: Contextualization) -> None:
        """Add the sums of another instance, taken over other sentences.

        Raises:
            ValueError: ``dim``, ``pairs`` or ``excluded`` differ.
        """
        for name in ("dim", "pairs", "excluded"):
            if getattr(self, name) != getattr(other, name):
                raise invalid(name, f"the same, {getattr(self, name)!r}", getattr(other, name))
        self._tokens.merge(other._tokens)
        for name in ("_sentence_squares", "_repeat_squares", "_sentence_means"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for name in ("_intra", "_n_intra", "_n_means", "_n_empty", "_n_zero"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for length, number in other._lengths.items():
            self._lengths[length] = self._lengths.get(length, 0) + number

    def measure(self) -> Similarities:
        """Return the mean cosines over all sentences added so far."""
        labels, by_token = self._tokens.ordered()
        counts, sums = by_token["count"], by_token["vectors"]
        lengths = np.array(list(self._lengths), float)
        frequencies = np.array(list(self._lengths.values()), float)
        n_vectors, n_repeats = counts.sum(), by_token["repeats"].sum()
        total, in_sentences = sums.sum(axis=0) ** 2, frequencies @ lengths**2
        across = total - self._sentence_squares
        n_across = n_vectors**2 - in_sentences
        by_coordinate = across - np.sum(sums**2, axis=0) + self._repeat_squares
        n_different = n_across - np.sum(counts**2) + n_repeats
        anisotropy = _mean(by_coordinate.sum(), n_different)
        rogue = int(np.argmax(by_coordinate)) if len(labels) else 0
        return Similarities(
            tokens=labels,
            counts=counts.astype(np.int64),
            self_similarity=self._self_similarity(by_token),
            intra_by_token=_means(by_token["intra"], counts),
            intra_sentence=_mean(self._intra, self._n_intra),
            intra_baseline=_intra_baseline(lengths, frequencies, anisotropy),
            within_sentence=_mean(self._sentence_squares.sum() - n_vectors, in_sentences - n_vectors),
            inter_sentence=_mean(across.sum(), n_across),
            anisotropy=anisotropy,
            sentence_similarity=_mean(
                np.sum(self._sentence_means**2) - self._n_means, self._n_means * (self._n_means - 1)
            ),
            anisotropy_deviation=_mean(
                np.sqrt(2 / len(self.coordinates)), np.sqrt(max(n_vectors * (n_vectors - 1), 0))
            ),
            rogue_dimension=int(self.coordinates[rogue]),
            rogue_share=_mean(by_coordinate[rogue], by_coordinate.sum()),
            n_sentences=self._n_intra,
            n_empty=self._n_empty,
            n_zero=self._n_zero,
        )

    def _self_similarity(self, by_token: Mapping[str, np.ndarray]) -> np.ndarray:
        """Return the self-similarity of each token: its mean cosine over the pairs that count."""
        counts, squares = by_token["count"], np.sum(by_token["vectors"] ** 2, axis=1)
        if self.pairs == "all":
            return _means(squares - counts, counts**2 - counts)
        return _means(squares - by_token["squares"], counts**2 - by_token["repeats"])


def contextualization(
    hidden: Float[AnyArray, "B L d"],
    tokens: Int[AnyArray, "B L"],
    mask: Bool[AnyArray, "B L"] | None = None,
    *,
    pairs: str = "across",
    without_rogue: int = 0,
) -> Similarities:
    """Return the :class:`Similarities` of one layer from all of its vectors.

    Args:
        hidden: the vectors, of any precision.
        tokens: their token numbers, not negative.
        mask: True where a token counts; None for all.
        pairs: as in :class:`Contextualization`.
        without_rogue: number of coordinates to leave out, one after the other: each is the one that contributes most to
            the anisotropy of the remaining coordinates.
    """
    excluded: tuple[int, ...] = ()
    while True:
        sums = Contextualization(np.shape(hidden)[-1], pairs=pairs, excluded=excluded)
        sums.add(hidden, tokens, mask)
        similarities = sums.measure()
        if len(excluded) >= without_rogue:
            return similarities
        excluded = (*excluded, similarities.rogue_dimension)


def _mean(total: float | np.ndarray, count: float | np.ndarray) -> float:
    """Return a sum divided by a count, or NaN for a count of zero."""
    return float(total / count) if count > 0 else np.nan


def _means(sums: Float[np.ndarray, " T"], counts: Float[np.ndarray, " T"]) -> Float[np.ndarray, " T"]:
    """Return sums divided by counts, with NaN for counts of zero."""
    return np.divide(sums, counts, out=np.full(len(counts), np.nan), where=counts > 0)


def _intra_baseline(lengths: np.ndarray, frequencies: np.ndarray, anisotropy: float) -> float:
    """Return the mean intra-sentence similarity if any two tokens of a sentence had the anisotropy as their cosine."""
    squares = (1 + (lengths - 1) * anisotropy) / np.maximum(lengths, 1)
    return _mean(frequencies @ np.sqrt(np.maximum(squares, 0)), frequencies.sum())


def _is_first(sentences: Int[np.ndarray, " N"], labels: Int[np.ndarray, " N"]) -> Bool[np.ndarray, " N"]:
    """Return True for the first occurrence of each token in each sentence."""
    _, first = np.unique(np.stack([sentences, labels]), axis=1, return_index=True)
    is_first = np.zeros(len(labels), bool)
    is_first[first] = True
    return is_first
