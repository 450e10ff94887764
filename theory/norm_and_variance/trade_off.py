"""The trade-off of norm of the mean and variance, from two numbers.

Over tokens, let ``s = sd(Q)/sd(M)`` and ``r = corr(Q, M)``. As V = Q - M,

    cov(M, V) = cov(M, Q) - var(M) = (r s - 1) var(M),
    var(V)    = var(Q) + var(M) - 2 cov(M, Q) = (1 + s^2 - 2 r s) var(M),

so that the regression of V on M has slope ``r s - 1`` and ``corr(M, V) = (r s - 1)/sqrt(1 + s^2 - 2 r s)``. Nothing is
assumed. The published trade-off is strong if and only if squared norms vary little over tokens: s = 0 gives slope and
correlation -1. Means over tokens may be unweighted or weighted, if all four moments use the same weights.

LayerNorm without scale and offset fixes the squared norm: with v the variance of a vector over its d entries,
``|x|^2 = d v/(v + epsilon)``. For epsilon = 0, s = 0 for any data, network and training.
"""

import math
from typing import NamedTuple

from theory.checks import require_integer, require_non_negative, require_positive


class TradeOffPrediction(NamedTuple):
    """The trade-off that follows from s and r.

    Attributes:
        slope: of the regression of V on M.
        correlation: of M and V; NaN if V is the same for all tokens.
        determination: R^2 of that regression, the square of the correlation.
    """

    slope: float
    correlation: float
    determination: float


def predict_trade_off(deviation_ratio: float, square_correlation: float) -> TradeOffPrediction:
    """Return slope and correlation of V and M; a theorem for any data.

    Args:
        deviation_ratio: s, the standard deviation of Q over that of M.
        square_correlation: r, the correlation of Q and M; without effect if s = 0.

    Raises: ValueError.
    """
    s = require_non_negative("deviation_ratio", deviation_ratio)
    r = 0.0 if s == 0 else _require_correlation("square_correlation", square_correlation)
    slope = r * s - 1
    # 1 + s^2 - 2 r s without the cancellation near r = s = 1
    variance = (1 - s) ** 2 + 2 * s * (1 - r)
    if variance <= 0:
        return TradeOffPrediction(slope, math.nan, math.nan)
    correlation = max(-1.0, min(1.0, slope / math.sqrt(variance)))
    return TradeOffPrediction(slope, correlation, correlation**2)


def pinned_square(dim: int, variance: float, epsilon: float = 0.0) -> float:
    """Return Q after LayerNorm without scale and offset, ``d v/(v + epsilon)``.

    Args:
        dim: d.
        variance: v, of the entries of the vector before LayerNorm.
        epsilon: the constant that LayerNorm adds to v.

    Raises: ValueError.
    """
    d, v = require_integer("dim", dim, minimum=1), require_positive("variance", variance)
    return d * v / (v + require_non_negative("epsilon", epsilon))


def _require_correlation(field: str, value: object) -> float:
    try:
        number = float(value)  # pyright: ignore[reportArgumentType]
    except (TypeError, ValueError):
        number = math.nan
    if not -1 - 1e-9 <= number <= 1 + 1e-9:  # rounding of a measured correlation
        raise ValueError(f"{field}: expected a number in [-1, 1], got {value!r}")
    return max(-1.0, min(1.0, number))
