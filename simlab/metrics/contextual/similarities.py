"""The mean cosines of one layer, as measured by :mod:`simlab.metrics.contextualization`, and derived values."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from simlab.validation import invalid

if TYPE_CHECKING:
    from jaxtyping import Float, Int


class Similarities(NamedTuple):
    """Mean cosines of one layer; NaN where there is no pair.

    Attributes:
        tokens: ``Int[T]``, the distinct tokens, ascending; the arrays below are in their order.
        counts: ``Int[T]``, occurrences of each token.
        self_similarity: ``Float[T]``, of each token.
        intra_by_token: ``Float[T]``, mean cosine of a token with the mean vectors of its sentences.
        intra_sentence: mean over sentences of the mean over their tokens.
        intra_baseline: the same if any two tokens of a sentence had the anisotropy as their cosine.
        within_sentence, inter_sentence, anisotropy, sentence_similarity: see :mod:`simlab.metrics.contextualization`.
        anisotropy_deviation: standard deviation of the anisotropy of as many random directions.
        rogue_dimension: the coordinate that contributes most to the anisotropy.
        rogue_share: its contribution over the anisotropy, which may exceed 1; NaN where the anisotropy is not positive.
        n_sentences: number of sentences with a token.
        n_empty: number of sentences without tokens, which are left out.
        n_zero: number of zero vectors, which have no direction and are left out.
    """

    tokens: Int[np.ndarray, " T"]
    counts: Int[np.ndarray, " T"]
    self_similarity: Float[np.ndarray, " T"]
    intra_by_token: Float[np.ndarray, " T"]
    intra_sentence: float
    intra_baseline: float
    within_sentence: float
    inter_sentence: float
    anisotropy: float
    sentence_similarity: float
    anisotropy_deviation: float
    rogue_dimension: int
    rogue_share: float
    n_sentences: int
    n_empty: int
    n_zero: int

    @property
    def adjusted_self_similarity(self) -> Float[np.ndarray, " T"]:
        """Self-similarity of each token minus the anisotropy."""
        return self.self_similarity - self.anisotropy

    @property
    def adjusted_intra_sentence(self) -> float:
        """Intra-sentence similarity minus the anisotropy."""
        return self.intra_sentence - self.anisotropy

    def mean_self_similarity(self, fewest: int = 2) -> float:
        """Return the mean over tokens with at least ``fewest`` occurrences and a pair, with equal weights."""
        values = self.self_similarity[(self.counts >= fewest) & np.isfinite(self.self_similarity)]
        return float(values.mean()) if len(values) else np.nan

    def by_group(
        self, values: Float[np.ndarray, " T"], groups: Int[np.ndarray, " V"], n_groups: int
    ) -> Float[np.ndarray, " n_groups"]:
        """Return the mean over the tokens of each group, weighted by occurrences; ``Float[n_groups]``.

        Args:
            values: a value for each of :attr:`tokens`; tokens whose value is NaN are left out.
            groups: the group of each token of the vocabulary, such as its kind.
            n_groups: number of groups; the mean of a group without values is NaN.
        """
        is_there = np.isfinite(values)
        labels, weights = np.asarray(groups)[self.tokens][is_there], self.counts[is_there]
        totals = np.bincount(labels, weights, n_groups)
        sums = np.bincount(labels, weights * values[is_there], n_groups)
        return np.divide(sums, totals, out=np.full(n_groups, np.nan), where=totals > 0)


def self_similarity_change(before: Similarities, after: Similarities) -> Float[np.ndarray, " T"]:
    """Return the SSC of each token: adjusted self-similarity after training minus that before.

    Raises:
        ValueError: the tokens of the two differ.
    """
    if not np.array_equal(before.tokens, after.tokens):
        raise invalid("after", f"the same {len(before.tokens)} tokens as before", len(after.tokens))
    return after.adjusted_self_similarity - before.adjusted_self_similarity
