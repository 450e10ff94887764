"""One margin for all words under word noise, with fewer classes than latents: Types I and II.

The number m of positions whose word belongs to another concept is binomial with probability p = delta / eta (see
`noise`), and both types minimise phi(y) + a y + b y^2 / 2 over the common margin y >= 0, where

    phi(y) = E_m log(1 - kappa + kappa e^{L g(y) + m y}),   phi'(y) = E_m theta_m (m - L q(y)),

with theta_m the slope of the logarithm. As e^{g(y) + y} = e^y + n_c - 1, the argument of the logarithm is a sum of
exponentials of linear functions with positive weights: phi is convex, and strictly so unless K = 1. It grows like
L p y, so the minimiser is finite even at a = b = 0. It is y = 0 iff -phi'(0) = L (1 - delta) / eta K / (K + 1 - kappa)
is at most a.

The terms of phi' have both signs, so this equation cannot be solved in logarithms as in `margin_balance`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import brentq

from theory.feature_collapse.latent_share import LatentShare, log_position_error, position_gain
from theory.feature_collapse.noise import corruption_counts

if TYPE_CHECKING:
    from jaxtyping import Float


@dataclass(frozen=True, kw_only=True)
class CorruptedBalance:
    """The equation phi'(y) + a + b y = 0.

    Args:
        share: the numbers n_c, L, K.
        word_noise: delta > 0.
        constant: a >= 0.
        slope: b >= 0.
    """

    share: LatentShare
    word_noise: float
    constant: float
    slope: float

    @cached_property
    def probabilities(self) -> Float[np.ndarray, " L+1"]:
        """P(m), float64 (L + 1,)."""
        return corruption_counts(self.share, self.word_noise)

    def value(self, margin: float) -> float:
        """Return phi(y), nats."""
        return float(np.sum(self.probabilities * self.share.log_mixture(self._gains(margin))))

    def parts(self, margin: float) -> tuple[float, float]:
        """Return (E theta m + a + b y, E theta L q), which agree at the minimiser."""
        tilt = self.probabilities * np.exp(self.share.log_others_share(self._gains(margin)))
        up = float(np.sum(tilt * np.arange(tilt.size))) + self.constant + self.slope * margin
        return up, float(np.sum(tilt)) * self.share.sentence_length * self._error(margin)

    def derivative(self, margin: float) -> float:
        """Return phi'(y) + a + b y, which increases in y."""
        up, down = self.parts(margin)
        return up - down

    def curvature(self, margin: float) -> float:
        """Return phi''(y) + b = E theta [L q (1 - q) + (1 - theta)(m - L q)^2] + b."""
        error, length = self._error(margin), self.share.sentence_length
        log_tilt = self.share.log_others_share(self._gains(margin))
        slopes = np.arange(length + 1) - length * error
        curvature = length * error * (1 - error) - np.expm1(log_tilt) * slopes**2
        return float(np.sum(self.probabilities * np.exp(log_tilt) * curvature)) + self.slope

    def _gains(self, margin: float) -> Float[np.ndarray, " L+1"]:
        length = self.share.sentence_length
        return length * position_gain(self.share, margin) + margin * np.arange(length + 1)

    def _error(self, margin: float) -> float:
        return math.exp(log_position_error(self.share, margin))


def solve_corrupted_margin(balance: CorruptedBalance) -> float:
    """Return the margin y >= 0 (nats) at which the derivative vanishes; 0 if it is positive everywhere.

    The root is bracketed by doubling, solved by Brent's method and polished by Newton's. Source: derived here.
    """
    if balance.derivative(0.0) >= 0:
        return 0.0
    high = 1.0
    while balance.derivative(high) < 0:
        high *= 2
    margin = brentq(balance.derivative, 0.0, high, xtol=1e-300, rtol=1e-14)
    for _ in range(2):
        margin -= balance.derivative(margin) / balance.curvature(margin)
    return margin
