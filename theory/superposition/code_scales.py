"""The best scale and bias of a regular code, from its exact loss per feature.

With Gram matrix s G and common bias b = s t, the output for feature 1 of a code with cosines c_j is

    x'_1 = s z_+,    z = x_1 + t + Y,    Y = sum_{j > 1} c_j x_j,
    f(s, t) = E (x_1 - s z_+)^2 = p/3 - s beta(t) + s^2 alpha(t),    beta = 2 E x_1 z_+,    alpha = E z_+^2

and with m_r(t) = E (t + Y)_+^r of `uniform_sums`, integrating over x_1 first,

    alpha = (1 - p) m_2(t) + p/3 (m_3(t + 1) - m_3(t)),    beta = p m_2(t + 1) - p/3 (m_3(t + 1) - m_3(t))

so that the best scale at given t is s = beta / (2 alpha), and f = p/3 - beta^2 / (4 alpha) is a function of t alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from theory.superposition.uniform_sums import SparseSum

if TYPE_CHECKING:
    from jaxtyping import Float

    from theory.superposition.codes import Code

# Grid of t = b / s; at t = -1 the output of a feature that is active alone vanishes.
_LEAST_RATIO, _N_RATIOS = -0.99, 240
_HALVINGS = 60


class CodeScale(NamedTuple):
    """The minimiser of a code's loss.

    Args:
        square_norm: s = |w_i|^2 of every feature.
        bias: b of every feature.
        loss: f, expected squared error of one feature.
    """

    square_norm: float
    bias: float
    loss: float


class CodeLoss:
    """The loss f(s, t) of a code at p, from alpha(t), beta(t) and their derivatives.

    Args:
        cosines: of one vector of the code with the others.
        active_probability: p.
    """

    def __init__(self, cosines: Sequence[float] | Float[np.ndarray, " k-1"], active_probability: float):
        self.active_probability = active_probability
        self.interference = SparseSum(cosines, active_probability)

    def __call__(
        self, square_norm: Float[np.ndarray, " ..."] | float, ratio: Float[np.ndarray, " ..."]
    ) -> Float[np.ndarray, " ..."]:
        """Return f at s and t = b / s, exact to rounding."""
        alpha, beta = self.coefficients(ratio)
        return self.active_probability / 3 - square_norm * beta + square_norm**2 * alpha

    def coefficients(self, ratio: Float[np.ndarray, " ..."]) -> tuple[np.ndarray, np.ndarray]:
        """Return alpha and beta at t."""
        return self._coefficients(*self._moments((2, 3), ratio))

    def slope(self, ratio: Float[np.ndarray, " ..."]) -> np.ndarray:
        """Return 2 beta' alpha - beta alpha', which is d/dt (beta^2 / alpha) divided by beta / alpha^2 > 0."""
        p, ((first, first_above), second, third) = self.active_probability, self._moments((1, 2, 3), ratio)
        alpha, beta = self._coefficients(second, third)
        own = p * (second[1] - second[0])
        alpha_slope = 2 * (1 - p) * first + own
        return 2 * (2 * p * first_above - own) * alpha - beta * alpha_slope

    def _moments(self, orders: Sequence[int], ratio: Float[np.ndarray, " ..."]) -> Float[np.ndarray, "orders 2 ..."]:
        """Return m_r of each order, at t and at t + 1."""
        return self.interference.positive_moments(orders, np.add.outer((0.0, 1.0), ratio))

    def _coefficients(
        self, second: Float[np.ndarray, "2 ..."], third: Float[np.ndarray, "2 ..."]
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return alpha and beta from m_2 and m_3, each at t and at t + 1."""
        p = self.active_probability
        own = p / 3 * (third[1] - third[0])
        return (1 - p) * second[0] + own, p * second[1] - own


@lru_cache(maxsize=1024)
def solve_code_scale(code: Code, active_probability: float) -> CodeScale:
    """Return the scale and bias that minimise the loss of a code.

    The best of 240 values of t is refined by bisection of the slope between its neighbours. The grid extends beyond
    p k / (2 d), the best t if all outputs are always active (s = d / k, b = p / 2). A dedicated feature, with s = 1 and
    t = 0, has no loss.

    Args:
        code: the code.
        active_probability: p.

    Returns: the minimiser, exact to rounding if the loss has only one minimum between the two neighbours.
    Source: derived in the module's docstring.
    """
    if code.n_vectors == 1:
        return CodeScale(1.0, 0.0, 0.0)
    loss = CodeLoss(code.cosines(), active_probability)
    ratios = np.linspace(_LEAST_RATIO, 0.5 + code.n_vectors / (2 * code.dim), _N_RATIOS)
    alpha, beta = loss.coefficients(ratios)
    best = int(np.argmax(beta**2 / alpha))
    low, high = ratios[max(best - 1, 0)], ratios[min(best + 1, _N_RATIOS - 1)]
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if middle in (low, high):  # neighbouring numbers
            break
        low, high = (middle, high) if loss.slope(middle) > 0 else (low, middle)
    alpha, beta = loss.coefficients(low)
    scale = float(beta / (2 * alpha))
    return CodeScale(scale, scale * float(low), float(loss(scale, low)))
