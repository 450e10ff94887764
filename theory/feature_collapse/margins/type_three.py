"""Type III collapse: unequal word frequencies, no LayerNorm, saturated latents.

Uniqueness and global optimality. In the margins y_b = eta c r_b, and with the best c for given products c r_b, the risk
is

    J(y) = L sum_b mu_b log(1 + (n_c - 1) e^{-y_b}) + alpha |y|,     alpha = lam sqrt(n_c K L) / eta.

Both terms are convex and the first is strictly so: J has one minimiser. It is zero iff the slope of the first term at
zero, L |mu| (n_c - 1) / n_c, is at most alpha, that is, lam^2 >= (L / n_c^{L+1}) sum_b mu_b^2. This minimiser over
collapsed networks is a global minimiser over all networks, because of G = dF/dM at M = U W^T: -G is proportional to M
with n_c - 1 nonzero singular values, all equal to lam, so it is a subgradient of lam |M|_* there, and lam |M|_* bounds
the penalty from below.

W (n_w, d) holds the embeddings, U (K L, d) the classifier vectors.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import brentq

from theory.feature_collapse.latent_share import LatentShare, log_position_error, position_gain
from theory.feature_collapse.margins.margin_profile import log_level_slope, profile_margins
from theory.feature_collapse.network import CollapsedNetwork, balanced_network, zero_network

if TYPE_CHECKING:
    from jaxtyping import Float


def solve_type_three(
    share: LatentShare,
    word_frequencies: Float[np.ndarray, " s_c"],
    weight_decay: float,
    *,
    noise: Float[np.ndarray, " s_c"] | float = 0.0,
) -> CollapsedNetwork:
    """Return the network with the norm of every word and of the classifier.

        lam r_b / (L mu_b) = c [1 / (n_c - 1 + e^{eta c r_b}) - eps_b / n_c],     sum_b (r_b / c)^2 = L n_c^{L-1}

    On the profile of margins (see `margin_profile`) these are one monotone equation, log A - log |y(A)| = log(L (n_c -
    1) / alpha), solved by Brent's method and polished by Newton's.

    Args:
        share: the numbers n_c, L, K; saturated.
        word_frequencies: mu (s_c,), positive, summing to 1.
        weight_decay: lam > 0, on W and on U.
        noise: eps in [0, 1), a number or (s_c,): given its word, a position has the word's concept with probability
            1 - eps_b, and otherwise a concept drawn uniformly from all.

    Returns: the network; the zero network iff lam^2 >= (L / n_c^{L+1}) sum_b (mu_b (1 - eps_b))^2.
    Valid: a global minimiser of the risk for every d >= n_c - 1.
    Raises: ValueError if the latents are not saturated.
    Source: arXiv 2305.16162, Theorem 2 (critical point); noise, global optimality and uniqueness derived here.
    """
    if not share.saturated:
        raise ValueError(f"n_classes: expected all {share.n_latents} latents, got {share.n_classes}")
    log_marginal_penalty = share.log_marginal_penalty(weight_decay)
    log_length = math.log(share.sentence_length)
    log_evidence = math.log(np.linalg.norm(word_frequencies * (1 - noise)))
    if log_marginal_penalty >= log_length + log_evidence + math.log(share.others / share.n_concepts):
        return zero_network(share, word_frequencies.size)
    log_ratio = log_length + math.log(share.others) - log_marginal_penalty
    margins = solve_profile(word_frequencies, share.others, log_ratio, noise)
    gains = position_gain(share, margins) + noise * margins / share.eta
    marginal_penalty = math.exp(log_marginal_penalty)
    return balanced_network(
        share,
        margins,
        cross_entropy=share.sentence_length * float(word_frequencies @ gains),
        penalty=marginal_penalty * float(np.linalg.norm(margins)),
        residual=_relative_residual(share, word_frequencies, log_marginal_penalty, margins, noise),
    )


def solve_profile(
    word_frequencies: Float[np.ndarray, " s_c"],
    others: int,
    log_ratio: float,
    noise: Float[np.ndarray, " s_c"] | float = 0.0,
) -> Float[np.ndarray, " s_c"]:
    """Return the margins of the profile at which log A - log |y(A)| = `log_ratio`.

    The left side increases from log(n_c / |mu (1 - eps)|) without bound.

    Args:
        word_frequencies: mu (s_c,).
        others: n_c - 1.
        log_ratio: a number above that limit.
        noise: eps in [0, 1), a number or (s_c,).

    Returns: margins, nats, float64 (s_c,). Source: derived here.
    """

    def excess(log_level: float) -> float:
        margins = profile_margins(log_level, word_frequencies, others, noise)
        return log_level - math.log(np.linalg.norm(margins)) - log_ratio

    low, high = profile_bracket(excess, start=log_ratio)
    log_level = brentq(excess, low, high, xtol=1e-14, rtol=1e-15) if low < high else low
    for _ in range(2):
        margins = profile_margins(log_level, word_frequencies, others, noise)
        slope = log_level_slope(log_level, margins, word_frequencies, others, noise)
        log_level = min(max(log_level - excess(log_level) / slope, low), high)
    return profile_margins(log_level, word_frequencies, others, noise)


def profile_bracket(excess, start: float) -> tuple[float, float]:
    """Return log levels (low, high) with `excess` negative at `low` and non-negative at `high`.

    If rounding hides the negative side (just below the zero threshold) both ends are the lowest level tried.
    """
    low = high = start
    while excess(high) < 0:
        low, high = high, high + 1 + 0.5 * abs(high)
    if low < high:
        return low, high
    for _ in range(80):
        low -= 1
        if excess(low) < 0:
            return low, high
    return low, low


def _relative_residual(
    share: LatentShare,
    word_frequencies: Float[np.ndarray, " s_c"],
    log_marginal_penalty: float,
    margins: Float[np.ndarray, " s_c"],
    noise: Float[np.ndarray, " s_c"] | float,
) -> float:
    """Return the largest relative difference of L mu_b q(y_b) and L mu_b eps_b / eta + alpha y_b / |y|."""
    log_margin_gradient = (
        math.log(share.sentence_length) + np.log(word_frequencies) + log_position_error(share, margins)
    )
    log_penalty_gradient = log_marginal_penalty + np.log(margins / np.linalg.norm(margins))
    noise_gradient = share.sentence_length * word_frequencies * noise / share.eta
    with np.errstate(divide="ignore"):
        log_penalty_gradient = np.logaddexp(log_penalty_gradient, np.log(noise_gradient))
    return float(np.max(np.abs(np.expm1(log_margin_gradient - log_penalty_gradient))))
