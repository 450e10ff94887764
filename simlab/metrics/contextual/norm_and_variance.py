"""Measures from the moments of groups of vectors: norm of the mean, variance, their trade-off, and mean cosines.

All are float64 on the host, from :class:`simlab.metrics.moments.Moments`. For the occurrences x of a token,
M = |mean|^2, V = mean |x - mean|^2 and Q = mean |x|^2 = M + V. Any grouping splits V into V_within + V_between.

Mean cosines need moments of unit vectors. For N unit vectors the mean cosine over different pairs is
``(N M - 1)/(N - 1)``, so that no N x N matrix is needed.

Source: Yamagiwa, Shimodaira, *Norm of Mean Contextualized Embeddings Determines their Variance*, arXiv 2409.11253.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from jaxtyping import Float, Int

    from simlab.metrics.moments import Moments


class GroupMoments(NamedTuple):
    """Moments of groups in float64: count, mean, and sum of squared deviations S by dimension."""

    count: Int[np.ndarray, " G"]
    mean: Float[np.ndarray, "G d"]
    spread: Float[np.ndarray, "G d"]

    @property
    def mean_square(self) -> Float[np.ndarray, " G"]:
        """M, the squared norm of each mean."""
        return np.sum(self.mean**2, axis=-1)

    @property
    def variance(self) -> Float[np.ndarray, " G"]:
        """V, the variance summed over dimensions; NaN for a group without vectors."""
        return np.sum(self.spread, axis=-1) / np.where(self.count, self.count, np.nan)

    @property
    def square(self) -> Float[np.ndarray, " G"]:
        """Q, the mean squared norm."""
        return self.mean_square + self.variance

    def take(self, groups) -> GroupMoments:
        """Return some of the groups."""
        return GroupMoments(self.count[groups], self.mean[groups], self.spread[groups])

    def pool(self, labels: Int[np.ndarray, " G"] | None = None) -> GroupMoments:
        """Return the moments of coarser groups, one for each label from 0; without labels, of all vectors together."""
        labels = np.zeros(len(self.count), int) if labels is None else np.asarray(labels)
        shape = (int(labels.max(initial=0)) + 1, self.mean.shape[1])
        count = np.bincount(labels, self.count, minlength=shape[0])
        weights = (self.count / np.maximum(count, 1)[labels])[:, None]
        mean = _sum_by(labels, weights * self.mean, shape)
        between = self.count[:, None] * (self.mean - mean[labels]) ** 2
        return GroupMoments(count.astype(int), mean, _sum_by(labels, self.spread + between, shape))

    def transform(self, scale: Float[np.ndarray, " d"], offset: Float[np.ndarray, " d"]) -> GroupMoments:
        """Return the moments of ``scale x + offset``, as after the affine map of a LayerNorm."""
        return GroupMoments(self.count, self.mean * scale + offset, self.spread * scale**2)


def group_moments(moments: Moments) -> GroupMoments:
    """Return the moments of one layer in float64: each number is the sum of its compensated pair."""
    mean, mean_error, spread, spread_error = (np.asarray(array, np.float64) for array in moments[1:])
    return GroupMoments(np.asarray(moments.count, np.int64), mean + mean_error, spread + spread_error)


class TradeOff(NamedTuple):
    """The relation of M and V over groups.

    Attributes:
        n_groups: number of groups that were counted.
        correlation: correlation of M and V.
        slope: slope of V on M.
        deviation_ratio: s, the standard deviation of Q over that of M.
        square_correlation: r, the correlation of Q and M.
    """

    n_groups: int
    correlation: float
    slope: float
    deviation_ratio: float
    square_correlation: float


def trade_off(moments: GroupMoments, least_count: int = 2) -> TradeOff:
    """Return the relation of M and V over the groups of at least ``least_count`` vectors, with equal weights.

    All values are NaN for fewer than three such groups, or if M is the same for all.
    """
    counted = moments.take(moments.count >= max(least_count, 1))
    mean_square, variance, square = counted.mean_square, counted.variance, counted.square
    undefined = TradeOff(len(counted.count), *(np.nan,) * 4)
    if len(counted.count) < 3 or not np.std(mean_square) > 0:
        return undefined
    deviations = [values - values.mean() for values in (mean_square, variance, square)]
    of_mean, of_variance, of_square = (float(np.sqrt(values @ values)) for values in deviations)
    covariance = float(deviations[0] @ deviations[1])
    return TradeOff(
        n_groups=len(counted.count),
        correlation=covariance / (of_mean * of_variance) if of_variance > 0 else np.nan,
        slope=covariance / of_mean**2,
        deviation_ratio=of_square / of_mean,
        square_correlation=float(deviations[0] @ deviations[2]) / (of_mean * of_square) if of_square > 0 else np.nan,
    )


class VarianceShares(NamedTuple):
    """Shares over all occurrences together: M/Q, V_within/V and V_between/Q."""

    mean_share: float
    within_share: float
    between_share: float


def variance_shares(moments: GroupMoments) -> VarianceShares:
    """Return M/Q of all vectors together, and the split of V by groups; groups are weighted by their vectors."""
    moments = moments.take(moments.count > 0)
    pooled = moments.pool()
    within = float(np.sum(moments.spread))
    total = float(np.sum(pooled.spread))
    square = float(pooled.square[0])
    n_vectors = int(pooled.count[0])
    return VarianceShares(
        mean_share=float(pooled.mean_square[0]) / square,
        within_share=within / total if total > 0 else np.nan,
        between_share=max(total - within, 0.0) / n_vectors / square,
    )


def mean_cosine(count: Int[np.ndarray, " G"], means: Float[np.ndarray, "G d"]) -> Float[np.ndarray, " G"]:
    """Return the mean cosine of different vectors of each group from means of unit vectors; NaN for fewer than two."""
    count = np.where(count > 1, count, np.nan)
    return (count * np.sum(means**2, axis=-1) - 1) / (count - 1)


def pooled_mean(count: Int[np.ndarray, " G"], means: Float[np.ndarray, "G d"]) -> Float[np.ndarray, " d"]:
    """Return the mean of the vectors of all groups."""
    return count @ means / max(count.sum(), 1)


def rogue_share(mean: Float[np.ndarray, " d"]) -> float:
    """Return the share of the largest dimension in the squared norm of a mean unit vector."""
    return float(np.max(mean**2) / np.sum(mean**2))


def _sum_by(labels: Int[np.ndarray, " G"], values: Float[np.ndarray, "G d"], shape) -> Float[np.ndarray, "C d"]:
    total = np.zeros(shape)
    np.add.at(total, labels, values)
    return total
