"""The square pyramid: five features in three dimensions, an irregular code that is better than sums of regular codes.

    w_1 = (0, 0, u),   w_2 .. w_5 = (v cos, v sin, -g) at four right angles,   biases b_1 and b_2 = .. = b_5

Direct minimisation of the full network converges to it for p between about 0.63 and 0.76. Inner products are -u g
between the apex and the base, g^2 between neighbours in the base and g^2 - v^2 between opposite corners. The five
parameters are found numerically.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from theory.superposition.uniform_sums import SparseSum

if TYPE_CHECKING:
    from jaxtyping import Float

# For smaller p antipodal pairs are far better, and g^2 is so small that the closed form loses its digits.
LEAST_PROBABILITY = 0.55
_START = np.array([0.83, 0.76, 0.35, 0.48, 0.26])


def solve_square_pyramid(active_probability: float) -> tuple[Float[np.ndarray, "3 5"], Float[np.ndarray, " 5"], float]:
    """Return the columns of W, the biases and the loss of the best square pyramid.

    Args:
        active_probability: p, at least 0.55.

    Returns: W, float64 (3, 5), b (5,), and the loss, the expected squared error summed over the five features.
    Source: derived here; the loss is exact, its minimisation numerical.
    """
    from scipy.optimize import minimize

    def loss(point: np.ndarray) -> float:
        return _pyramid_loss(point, active_probability) / active_probability

    point = minimize(loss, _START, method="BFGS", options={"gtol": 1e-7}).x
    weights, bias = _build(point)
    return weights, bias, _pyramid_loss(point, active_probability)


def feature_loss(
    square_norm: float, products: Float[np.ndarray, " q"], bias: float, active_probability: float
) -> float:
    """Return the expected squared error of one feature of any network, exact to rounding.

    With a = |w_i|^2, c_j = w_i . w_j and m_r(t) = E (t + sum_j c_j x_j)_+^r of `uniform_sums`,

        p/3 + (1 - p) m_2(b) - p/a m_2(b + a) + p (1 + a)/(3 a^2) (m_3(b + a) - m_3(b))

    Args:
        square_norm: a > 0.
        products: c_j, the inner products with the other features.
        bias: b.
        active_probability: p.
    """
    p, a = active_probability, square_norm
    moment = SparseSum(products, p).positive_moment
    difference = float(moment(3, np.array(bias + a)) - moment(3, np.array(bias)))
    alone = (1 - p) * float(moment(2, np.array(bias))) - p / a * float(moment(2, np.array(bias + a)))
    return p / 3 + alone + p * (1 + a) / (3 * a**2) * difference


def _build(point: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return columns and biases from (u, v, g, b_1, b_2)."""
    apex, radius, depth, apex_bias, base_bias = point
    base = [[radius, 0, -radius, 0], [0, radius, 0, -radius], [-depth] * 4]
    weights = np.concatenate([[[0.0], [0.0], [apex]], base], axis=1)
    return weights, np.array([apex_bias, *[base_bias] * 4])


def _pyramid_loss(point: np.ndarray, active_probability: float) -> float:
    """Return the loss of all five features: the apex and four times a corner of the base."""
    weights, bias = _build(point)
    gram = weights.T @ weights
    apex = feature_loss(gram[0, 0], gram[0, 1:], bias[0], active_probability)
    corner = feature_loss(gram[1, 1], np.delete(gram[1], 1), bias[1], active_probability)
    return apex + 4 * corner
