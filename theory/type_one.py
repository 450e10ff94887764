"""Type I collapse: equally frequent words, no LayerNorm."""

import math

import numpy as np

from theory.checks import require_fraction
from theory.collapsed_network import CollapsedNetwork, balanced_network, zero_network
from theory.latent_share import LatentShare, position_gain
from theory.margin_balance import MarginBalance, solve_margin


def solve_type_one(
    share: LatentShare, n_words_per_concept: int, weight_decay: float, *, label_noise: float = 0.0
) -> CollapsedNetwork:
    """Find the common norms of embeddings and classifier when all words are equally frequent.

        tau = argmin_t log(1 - kappa + kappa (1 + (n_c - 1) e^{-eta t / sqrt(n_w K L)})^L) + lam t
        |w| = sqrt(tau / n_w),  |u| = sqrt(tau / (K L))

    solved for the margin y = eta t / sqrt(n_w K L), where lam t = alpha sqrt(s_c) y. With probability eps
    (`label_noise`) a label is replaced by one drawn evenly from all K classes, which adds eps (h_k - mean of h) to the
    cross-entropy: eps L y / eta, since the concepts average to zero over balanced latents.

    Arguments:
        share: the numbers n_c, L, K.
        n_words_per_concept: s_c.
        weight_decay: lam > 0, on W and on U.
        label_noise: eps in [0, 1).

    Returns: the network; the zero network if lam is too large.
    Valid: exact if saturated; for K < n_c^L the paper's approximation of random latents.
    Raises: ValueError if label_noise is outside [0, 1).
    Source: arXiv 2305.16162, Theorem 1; label noise derived here.
    """
    label_noise = require_fraction("label_noise", label_noise)
    log_decay_price = share.log_margin_price(weight_decay) + 0.5 * math.log(n_words_per_concept)
    noise_price = label_noise * share.sentence_length / share.eta
    log_price = float(np.logaddexp(log_decay_price, math.log(noise_price))) if noise_price else log_decay_price
    balance = MarginBalance(share=share, log_constant=log_price, log_slope=-math.inf)
    margin = solve_margin(balance)
    if margin == 0:
        return zero_network(share, n_words_per_concept)
    cross_entropy = share.log_mixture(share.sentence_length * position_gain(share, margin)) + noise_price * margin
    return balanced_network(
        share,
        np.full(n_words_per_concept, margin),
        cross_entropy=cross_entropy,
        penalty=math.exp(log_decay_price) * margin,
        residual=abs(balance.imbalance(margin)),
    )
