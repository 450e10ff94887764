"""One margin for all words: the scalar equation behind Types I and II.

Both types minimise phi(y) + a y + b y^2 / 2 over the common margin y >= 0, where

    phi(y) = log(1 - kappa + kappa (1 + (n_c - 1) e^{-y})^L)

is a log-sum-exp of linear functions with positive weights, hence strictly convex. So the minimiser is y = 0 if
-phi'(0) <= a, and otherwise the only root of -phi'(y) = a + b y. The root is found in logarithms,

    log(-phi') = log L + log q(y) + log theta(L g(y)),

because both sides then vary like -y and log y, which gives large and small margins to a few units of rounding.
"""

import math
from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq

from theory.feature_collapse.latent_share import LatentShare, log_position_error, position_gain

# A margin below e^-690 = 1e-300 is zero in float64.
_SMALLEST_LOG_MARGIN = -690.0


@dataclass(frozen=True, kw_only=True)
class MarginBalance:
    """The equation -phi'(y) = a + b y.

    Args:
        share: the numbers n_c, L, K.
        log_constant: log a; may be -inf.
        log_slope: log b; may be -inf.
    """

    share: LatentShare
    log_constant: float
    log_slope: float

    def log_margin_gradient(self, margin: float) -> float:
        """Return log(-phi'(y)), the gradient of the cross-entropy in the margin."""
        length = self.share.sentence_length
        gain = length * position_gain(self.share, margin)
        log_error = log_position_error(self.share, margin)
        return float(math.log(length) + log_error + self.share.log_others_share(gain))

    def log_marginal_penalty(self, margin: float) -> float:
        """Return log(a + b y), the marginal penalty."""
        if self.log_slope == -math.inf or margin == 0:
            return self.log_constant
        return float(np.logaddexp(self.log_constant, self.log_slope + math.log(margin)))

    def imbalance(self, margin: float) -> float:
        """Return log(-phi'(y)) - log(a + b y), which decreases in y."""
        return self.log_margin_gradient(margin) - self.log_marginal_penalty(margin)

    def imbalance_slope(self, margin: float) -> float:
        """Return the derivative of `imbalance`: -(1 - q) - (1 - theta) L q - b / (a + b y)."""
        length = self.share.sentence_length
        gain = length * position_gain(self.share, margin)
        error = math.exp(log_position_error(self.share, margin))
        theta_complement = -math.expm1(self.share.log_others_share(gain))
        penalty_slope = (
            math.exp(self.log_slope - self.log_marginal_penalty(margin)) if self.log_slope > -math.inf else 0.0
        )
        return -(1 - error) - theta_complement * length * error - penalty_slope


def solve_margin(balance: MarginBalance) -> float:
    """Return the margin y >= 0 (nats) at which -phi'(y) = a + b y; 0 if the right side is larger everywhere.

    The root is bracketed and solved by Brent's method in log y, since y ranges from 1e-300 to 1e3, then polished by
    Newton's method in y. A margin too small for float64 is returned as 0. Source: derived in the module's docstring.
    """
    if balance.log_marginal_penalty(0.0) >= balance.log_margin_gradient(0.0):
        return 0.0
    high = max(math.log(2) + _log_upper_bound(balance), _SMALLEST_LOG_MARGIN + 1)
    low = high
    while low > _SMALLEST_LOG_MARGIN and balance.imbalance(math.exp(low)) <= 0:
        low -= 2
    if low <= _SMALLEST_LOG_MARGIN:
        return 0.0
    margin = math.exp(brentq(lambda log_margin: balance.imbalance(math.exp(log_margin)), low, high, xtol=1e-14))
    for _ in range(3):
        margin -= balance.imbalance(margin) / balance.imbalance_slope(margin)
    return margin


def _log_upper_bound(balance: MarginBalance) -> float:
    """Return an upper bound on log y at the root, from -phi'(y) <= L (n_c - 1) e^{-y} and either a or b y alone.

    These give y <= log(X) with X = L (n_c - 1) / a, and y <= log(1 + X) <= X with X = L (n_c - 1) / b.
    """
    log_top = math.log(balance.share.sentence_length) + math.log(balance.share.others)
    by_constant = math.log(log_top - balance.log_constant)
    log_ratio = log_top - balance.log_slope
    by_slope = log_ratio if log_ratio < 0 else math.log(float(np.logaddexp(0.0, log_ratio)))
    return min(by_constant, by_slope)
