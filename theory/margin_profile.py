"""The family of margins that Type III networks draw from when every word sees the same error tilt.

Stationarity of the cross-entropy plus alpha |y| asks, for every word b, that

    L mu_b theta_b q(y_b) = alpha y_b / |y|,     q(y) = (n_c - 1) / (n_c - 1 + e^y),

with theta_b = 1 for saturated latents. If theta_b = theta for all b, the margins lie on a curve with one parameter A,

    y_b (n_c - 1 + e^{y_b}) = A mu_b,     A = theta L (n_c - 1) |y| / alpha,

from y proportional to mu (A -> 0) to y of the order of log(A mu) (A -> infinity).
"""

import math

import numpy as np

# Newton's method on the convex increasing function below gains digits quadratically; 60 steps are far beyond need.
_MAX_STEPS = 60


def profile_margins(log_level: float, word_frequencies: np.ndarray, others: int) -> np.ndarray:
    """Solve y_b (n_c - 1 + e^{y_b}) = A mu_b for every word.

    In q = log y the left side is log y + log(n_c - 1 + e^y), convex and increasing with slope at least 1. Newton's
    method started above the root therefore descends to it without ever overshooting; min(A mu / n_c, log(1 + A mu)) is
    above.

    Arguments: log A, mu (s_c,) and n_c - 1.
    Returns: margins y, float64 (s_c,), to a few units of rounding in relative terms. Source: derived here.
    """
    log_targets = log_level + np.log(word_frequencies)
    log_others = math.log(others)
    log_margins = np.minimum(log_targets - math.log1p(others), np.log(np.logaddexp(0.0, log_targets)))
    for _ in range(_MAX_STEPS):
        margins = np.exp(log_margins)
        log_sums = np.logaddexp(log_others, margins)
        slopes = 1 + margins * np.exp(margins - log_sums)
        steps = (log_margins + log_sums - log_targets) / slopes
        log_margins = log_margins - steps
        if np.max(np.abs(steps)) < 1e-15:
            break
    return np.exp(log_margins)


def log_level_slope(margins: np.ndarray, others: int) -> float:
    """Return d(log A - log |y|) / d log A along the profile, which is positive.

        d log y_b / d log A = 1 / (1 + y_b e^{y_b} / (n_c - 1 + e^{y_b})),   weighted by y_b^2 / |y|^2

    Arguments: the margins at one A and n_c - 1. Source: derived here.
    """
    stretch = margins / (1 + others * np.exp(-margins))
    weights = (margins / np.linalg.norm(margins)) ** 2
    return float(weights @ (stretch / (1 + stretch)))
