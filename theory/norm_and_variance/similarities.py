"""Pairwise similarities of the literature as functions of M, if all squared norms equal Q.

With |x|^2 = Q for every occurrence, the sum of all inner products of n vectors is n^2 M, of which n Q are those of a
vector with itself. So the mean cosine of different vectors is ``(n M/Q - 1)/(n - 1)``. For the occurrences of a token
this is the self-similarity; for all occurrences it is the anisotropy (including pairs of one token or of one sentence).
A token and the mean of its sentence, of squared norm M_sentence, have the mean cosine ``sqrt(M_sentence/Q)``: the
intra-sentence similarity.

With weights p of the groups, ``sum p M_group/Q - M/Q`` is the variance between groups over Q. So "adjusted"
self-similarity and "adjusted" intra-sentence similarity (squared) are two groupings of one analysis of variance.
"""

import math
from collections.abc import Sequence

from theory.checks import require_fraction, require_integer


def mean_cosine(count: int, mean_share: float) -> float:
    """Return the mean cosine of different vectors of equal norm, ``(n M/Q - 1)/(n - 1)``.

    Args:
        count: n, at least 2.
        mean_share: M/Q.

    Raises: ValueError.
    """
    n = require_integer("count", count, minimum=2)
    return (n * _require_share("mean_share", mean_share) - 1) / (n - 1)


def mean_similarity(mean_share: float) -> float:
    """Return the mean cosine of vectors of equal norm with their mean, ``sqrt(M/Q)``."""
    return math.sqrt(_require_share("mean_share", mean_share))


def between_share(weights: Sequence[float], mean_shares: Sequence[float], mean_share: float) -> float:
    """Return the variance between groups over Q, ``sum p M_group/Q - M/Q``.

    Args:
        weights: p, the share of the occurrences in each group; they sum to one.
        mean_shares: M_group/Q.
        mean_share: M/Q of all occurrences.

    Raises: ValueError.
    """
    if len(weights) != len(mean_shares) or abs(math.fsum(weights) - 1) > 1e-9:
        raise ValueError(f"weights: expected {len(mean_shares)} shares that sum to 1, got {list(weights)!r}")
    total = math.fsum(p * _require_share("mean_shares", share) for p, share in zip(weights, mean_shares, strict=True))
    return total - _require_share("mean_share", mean_share)


def _require_share(field: str, value: float) -> float:
    return 1.0 if value == 1 else require_fraction(field, value)
