"""The exact expected loss of two features in one dimension.

With a = w_i^2, c = w_1 w_2, b = b_i and y the other feature, output i is (a x + c y + b)_+. The four cases of which
features are active give

    L_i = I_i [ (1-p)^2 b_+^2 + p (1-p) (A(a, b) + B(c, b)) + p^2 int_0^1 A(a, c y + b) dy ]
    A(a, e) = int_0^1 (x - (a x + e)_+)^2 dx,      B(c, b) = int_0^1 (c y + b)_+^2 dy

A and B are integrals of squares of linear functions over the interval where the ReLU is active. A(a, e) is a polynomial
in e of degree 2 for e >= 0, of degree 3 for -a <= e <= 0 (the interval begins at -e / a), and constant for e <= -a.
The last integral is therefore split where c y + b is 0 and where it is -a. Two Gauss nodes on each of the three pieces
integrate cubics exactly, so the quadrature has no error; the same holds for its derivatives in a, b and c, of degree 3
at most. Only rounding errors remain.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from jaxtyping import Float

_GAUSS_NODES = np.array([-1.0, 1.0]) / np.sqrt(3.0)


def two_feature_loss(
    weights: Float[np.ndarray, "... 2"],
    bias: Float[np.ndarray, "... 2"],
    active_probability: Float[np.ndarray, " ..."] | float,
    importance: Float[np.ndarray, " ..."] | float,
) -> Float[np.ndarray, " ..."]:
    """Return sum_i I_i E (x_i - x'_i)^2, exact to rounding.

    Args:
        weights: w_1, w_2.
        bias: b_1, b_2.
        active_probability: p.
        importance: r, of the second feature; that of the first is 1.

    Returns: float64, of the common shape.
    Source: derived in the module's docstring.
    """
    return loss_and_gradient(weights, bias, active_probability, importance)[0]


def loss_and_gradient(
    weights: Float[np.ndarray, "... 2"],
    bias: Float[np.ndarray, "... 2"],
    active_probability: Float[np.ndarray, " ..."] | float,
    importance: Float[np.ndarray, " ..."] | float,
) -> tuple[Float[np.ndarray, " ..."], Float[np.ndarray, "... 4"]]:
    """Return the loss of `two_feature_loss` and its gradient in (w_1, w_2, b_1, b_2)."""
    p = np.asarray(active_probability, float)[..., None]
    r = np.asarray(importance, float)[..., None]
    importances = np.concatenate([np.ones_like(r), r], axis=-1)
    partner = weights[..., ::-1]
    terms = importances * _feature_terms(weights**2, weights * partner, bias, p)
    loss, by_square, by_product, by_bias = terms
    shared = by_product.sum(axis=-1, keepdims=True)  # c is the same number for both features
    gradient = np.concatenate([2 * weights * by_square + partner * shared, by_bias], axis=-1)
    return loss.sum(axis=-1), gradient


def _feature_terms(a: np.ndarray, c: np.ndarray, b: np.ndarray, p: np.ndarray) -> np.ndarray:
    """Return the loss of each feature without its importance, and its derivatives in a, c and b, stacked (4, ...)."""
    alone, alone_a, alone_e = _own(a, b)
    other, other_c, other_b = _interference(c, b)
    together, together_a, together_c, together_b = _own_and_interference(a, c, b)
    nothing = np.maximum(b, 0.0)
    none, single, pair = (1 - p) ** 2, p * (1 - p), p**2
    return np.stack(
        [
            none * nothing**2 + single * (alone + other) + pair * together,
            single * alone_a + pair * together_a,
            single * other_c + pair * together_c,
            2 * none * nothing + single * (alone_e + other_b) + pair * together_b,
        ]
    )


def _own(a: np.ndarray, e: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return A(a, e) = int_0^1 (x - (a x + e)_+)^2 dx for a >= 0, and its derivatives in a and e."""
    start = np.where(e >= 0, 0.0, np.where(a + e <= 0, 1.0, -e / np.where(a > 0, a, 1.0)))
    length = 1 - start
    first, last = start - np.maximum(a * start + e, 0.0), 1 - (a + e)  # residuals at both ends of the active interval
    value = start**3 / 3 + length * (first**2 + first * last + last**2) / 3
    by_a = -length * (2 * start * first + start * last + first + 2 * last) / 3
    return value, by_a, -length * (first + last)


def _interference(c: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return B(c, b) = int_0^1 (c y + b)_+^2 dy and its derivatives in c and b."""
    first, last = np.maximum(b, 0.0), np.maximum(b + c, 0.0)
    kink = np.clip(-b / np.where(c == 0, 1.0, c), 0.0, 1.0)
    start, end = np.where(b > 0, 0.0, kink), np.where(b + c > 0, 1.0, kink)
    length = end - start
    value = length * (first**2 + first * last + last**2) / 3
    by_c = length * (2 * start * first + start * last + end * first + 2 * end * last) / 3
    return value, by_c, length * (first + last)


def _own_and_interference(
    a: np.ndarray, c: np.ndarray, b: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return int_0^1 A(a, c y + b) dy and its derivatives in a, c and b; two Gauss nodes on each smooth piece."""
    slope = np.where(c == 0, 1.0, c)
    kinks = np.sort(np.clip(np.stack([-b / slope, -(a + b) / slope]), 0.0, 1.0), axis=0)
    edges = np.concatenate([np.zeros_like(kinks[:1]), kinks, np.ones_like(kinks[:1])])
    half = np.diff(edges, axis=0) / 2
    y = (edges[:-1] + half) + half * _GAUSS_NODES.reshape(-1, *(1,) * half.ndim)
    value, by_a, by_e = _own(a, c * y + b)
    integrals = [np.sum(half * integrand, axis=(0, 1)) for integrand in (value, by_a, y * by_e, by_e)]
    return integrals[0], integrals[1], integrals[2], integrals[3]
