"""The one-parameter family of the margins of Type III networks.

The cross-entropy plus alpha |y| is stationary iff, for every word b,

    L mu_b (theta_b q(y_b) - eps_b / eta) = alpha y_b / |y|,     q(y) = (n_c - 1) / (n_c - 1 + e^y),

with theta_b = 1 for saturated latents and eps_b the noise of the word (see `noise` and `word_reliability`). If
theta_b = 1 for all b, the margins lie on a curve with one parameter A,

    1 / (n_c - 1 + e^{y_b}) = eps_b / n_c + y_b / (A mu_b),     A = L (n_c - 1) |y| / alpha,

from y proportional to mu (1 - eps) (A -> 0) to y of the order of log(A mu), or to log(1 + n_c (1 - eps) / eps) under
noise (A -> infinity). Without noise and with theta_b = theta for all b it is the same curve, at theta A.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from jaxtyping import Float

# Newton's method on the convex increasing function below converges quadratically; 60 steps are more than enough.
_MAX_STEPS = 60


def profile_margins(
    log_level: float,
    word_frequencies: Float[np.ndarray, " s_c"],
    others: int,
    noise: Float[np.ndarray, " s_c"] | float = 0.0,
) -> Float[np.ndarray, " s_c"]:
    """Return the solution y of (n_c - 1 + e^{y_b}) (eps_b / n_c + y_b / (A mu_b)) = 1 for every word.

    In x = log y the logarithm of the left side is convex and increasing. Newton's method from a start above the root
    therefore descends to it without overshooting. Both min(A mu / n_c, log(1 + A mu)) and log(1 + n_c (1 - eps) / eps)
    are above the root.

    Args:
        log_level: log A.
        word_frequencies: mu (s_c,).
        others: n_c - 1.
        noise: eps in [0, 1), a number or (s_c,).

    Returns: margins y, nats, float64 (s_c,), to a relative error of a few units of rounding (divided by 1 - eps for
    noise near 1). Source: derived here.
    """
    log_targets = log_level + np.log(word_frequencies)
    log_others = math.log(others)
    log_floor = _log_floor(others, noise)
    log_margins = np.minimum(log_targets - math.log1p(others), np.log(np.logaddexp(0.0, log_targets)))
    log_margins = np.minimum(log_margins, np.log(largest_margin(others, noise)))
    for _ in range(_MAX_STEPS):
        margins = np.exp(log_margins)
        log_sums = np.logaddexp(log_others, margins)
        log_decay = log_margins - log_targets
        log_marginal_penalty = np.logaddexp(log_floor, log_decay)
        slopes = margins * np.exp(margins - log_sums) + np.exp(log_decay - log_marginal_penalty)
        steps = (log_sums + log_marginal_penalty) / slopes
        log_margins = log_margins - steps
        if np.max(np.abs(steps)) < 1e-15:
            break
    return np.exp(log_margins)


def log_level_slope(
    log_level: float,
    margins: Float[np.ndarray, " s_c"],
    word_frequencies: Float[np.ndarray, " s_c"],
    others: int,
    noise: Float[np.ndarray, " s_c"] | float = 0.0,
) -> float:
    """Return d(log A - log |y|) / d log A along the profile, which is positive.

        d log y_b / d log A = v_b / (v_b + t_b),   t = y e^y / (n_c - 1 + e^y),   weighted by y_b^2 / |y|^2

    with v_b the share of y_b / (A mu_b) in eps_b / n_c + y_b / (A mu_b), which is 1 without noise.

    Args:
        log_level: log A.
        margins: y at A, float64 (s_c,).
        word_frequencies: mu (s_c,).
        others: n_c - 1.
        noise: eps in [0, 1), a number or (s_c,).

    Source: derived here.
    """
    log_floor = _log_floor(others, noise)
    log_decay = np.log(margins) - log_level - np.log(word_frequencies)
    part = np.exp(log_decay - np.logaddexp(log_floor, log_decay))
    elasticity = margins / (1 + others * np.exp(-margins))
    weights = (margins / np.linalg.norm(margins)) ** 2
    return float(weights @ (elasticity / (part + elasticity)))


def largest_margin(others: int, noise: Float[np.ndarray, " s_c"] | float) -> Float[np.ndarray, "*s_c"]:
    """Return log(1 + n_c (1 - eps) / eps), where q(y) = eps / eta; infinite without noise.

    At this margin (nats) the network's probability for the concept of a word is the true one, 1 - eps + eps / n_c.

    Args:
        others: n_c - 1.
        noise: eps in [0, 1), a number or (s_c,).
    """
    noise = np.asarray(noise, dtype=np.float64)
    with np.errstate(divide="ignore"):
        return np.log1p((others + 1) * (1 - noise) / noise)


def _log_floor(others: int, noise: Float[np.ndarray, " s_c"] | float) -> Float[np.ndarray, "*s_c"]:
    """Return log(eps / n_c), -inf without noise."""
    with np.errstate(divide="ignore"):
        return np.log(np.asarray(noise, dtype=np.float64)) - math.log1p(others)
