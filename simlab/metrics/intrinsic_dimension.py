"""Intrinsic dimension of a set of features, from distances to the two nearest neighbours (Facco et al., 2017)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from jaxtyping import Float

FEWEST_POINTS = 3
# Distances below this many units of rounding of the largest feature count as zero.
ROUNDING = 16


class IntrinsicDimension(NamedTuple):
    """An estimate.

    Attributes:
        dimension: NaN where it is undefined.
        n_dropped: number of duplicate points, which are left out.
        reason: why the dimension is undefined; empty if it is defined.
    """

    dimension: float
    n_dropped: int
    reason: str = ""


def two_nn(features: Float[np.ndarray, "N d"]) -> IntrinsicDimension:
    """Return ``(n - 1)/sum_i log(r_i2/r_i1)``, with ``r_i1`` and ``r_i2`` the distances to the two nearest neighbours.

    The ratio has the density ``D mu^{-D - 1}`` if the density of points is constant up to the second neighbour. Points
    must be random, as the ratios are 1 on a grid. The relative standard error is ``1/sqrt(n)``. Where neighbours are
    far apart, in more than about ten dimensions, the estimate is too low. It does not detect folds.

    Args:
        features: one row for each point.
    """
    from scipy.spatial import cKDTree

    is_single = np.asarray(features).dtype == np.float32
    features = np.asarray(features, float)
    n_points = len(features)
    if not np.all(np.isfinite(features)):
        return IntrinsicDimension(np.nan, 0, "features that are not finite")
    if n_points < FEWEST_POINTS:
        return IntrinsicDimension(np.nan, 0, f"fewer than {FEWEST_POINTS} points")
    unit = np.finfo(np.float32 if is_single else float).eps
    zero = ROUNDING * unit * np.abs(features).max()
    if np.linalg.norm(features - features.mean(axis=0), axis=1).max() <= zero:
        return IntrinsicDimension(np.nan, n_points - 1, "collapsed features")
    pairs = cKDTree(features).query_pairs(zero, output_type="ndarray")
    dropped = np.unique(pairs[:, 1])  # the later point of each pair
    distinct = np.delete(features, dropped, axis=0)
    if len(distinct) < FEWEST_POINTS:
        return IntrinsicDimension(np.nan, len(dropped), f"fewer than {FEWEST_POINTS} different points")
    nearest = np.asarray(cKDTree(distinct).query(distinct, k=3)[0])
    logarithms = np.log(nearest[:, 2] / nearest[:, 1])
    if not np.sum(logarithms) > 0:
        return IntrinsicDimension(np.nan, len(dropped), "neighbours at equal distances, as on a grid")
    return IntrinsicDimension(float((len(distinct) - 1) / np.sum(logarithms)), len(dropped))
