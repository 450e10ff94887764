"""Decomposition of the second moment of tokens into their mean, concepts, words of a concept, and contexts of a word.

    Q = |mean|^2 + V_concept + V_word + V_context,

with ``Q`` the mean of ``|x|^2``, ``V_concept`` the variance between the means of concepts, ``V_word`` the variance
between the means of the words of a concept, and ``V_context`` the rest, within words. All are weighted by occurrences.

The mean of ``n`` occurrences has the sampling variance ``s^2/n``, which biases ``V_word``. Its estimate
``sum_w p_w (1 - p_w/p_c) s_w^2/n_w``, with ``s_w^2`` the sample variance within word ``w`` of concept ``c``, is moved
from ``V_word`` to ``V_context``. The estimate assumes independent occurrences.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from simlab.metrics.contextual.group_sums import GroupSums

if TYPE_CHECKING:
    from jaxtyping import Bool, Float, Int


class VarianceShares(NamedTuple):
    """Shares of ``Q``, which sum to 1; ``second_moment`` is ``Q`` itself.

    Attributes:
        mean: ``|mean|^2 / Q``.
        concept: share between the means of concepts.
        word: share between the means of words of one concept, minus its bias; slightly negative if there is none.
        context: share within words.
        second_moment: ``Q``, in squared units of the tokens.
    """

    mean: float
    concept: float
    word: float
    context: float
    second_moment: float


def variance_shares(
    hidden: Float[np.ndarray, "B L d"],
    tokens: Int[np.ndarray, "B L"],
    concepts: Int[np.ndarray, " V"],
    mask: Bool[np.ndarray, "B L"] | None = None,
    *,
    corrects_bias: bool = True,
) -> VarianceShares:
    """Return the :class:`VarianceShares` of a layer.

    Args:
        hidden: the vectors, of any precision; two passes are made over them in float64.
        tokens: their token numbers.
        concepts: the concept of each token of the vocabulary.
        mask: True where a token counts; None for all.
        corrects_bias: whether the sampling variance of the means of words is moved from word to context.
    """
    tokens = np.asarray(tokens)
    is_there = np.ones(tokens.shape, bool) if mask is None else np.asarray(mask)
    vectors, labels = np.asarray(hidden)[is_there].astype(np.float64), tokens[is_there]
    centre = vectors.mean(axis=0)
    centred = vectors - centre
    _, counts, word_means, rows = _means(centred, labels)
    groups = np.asarray(concepts)[np.unique(labels)]
    weights = counts / counts.sum()
    within = np.bincount(rows, np.sum((centred - word_means[rows]) ** 2, axis=1)) / counts
    concept_weights = np.bincount(groups, weights)
    concept_means = np.zeros((len(concept_weights), vectors.shape[1]))
    np.add.at(concept_means, groups, weights[:, None] * word_means)
    concept_means /= np.maximum(concept_weights, np.finfo(float).tiny)[:, None]
    word = weights @ np.sum((word_means - concept_means[groups]) ** 2, axis=1)
    concept = concept_weights @ np.sum(concept_means**2, axis=1)
    # s^2 is within n/(n-1), so s^2/n is within/(n-1); a word that occurs once gives no estimate.
    spread = np.divide(within, counts - 1, out=np.zeros_like(within), where=counts > 1)
    bias = corrects_bias * np.sum(weights * (1 - weights / concept_weights[groups]) * spread)
    mean, context = float(centre @ centre), float(weights @ within)
    second_moment = mean + float(concept) + float(word) + context
    return VarianceShares(
        mean=mean / second_moment,
        concept=float(concept) / second_moment,
        word=float(word - bias) / second_moment,
        context=float(context + bias) / second_moment,
        second_moment=second_moment,
    )


def _means(vectors: Float[np.ndarray, "N d"], labels: Int[np.ndarray, " N"]):
    """Return the distinct labels, their counts, the mean of each, and the index of each vector's label."""
    sums = GroupSums({"count": (), "vectors": (vectors.shape[1],)})
    sums.add(labels, count=np.ones(len(labels)), vectors=vectors)
    seen, by_label = sums.ordered()
    return seen, by_label["count"], by_label["vectors"] / by_label["count"][:, None], np.searchsorted(seen, labels)
