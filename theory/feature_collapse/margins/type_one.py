"""Type I collapse: equally frequent words, no LayerNorm.

W (n_w, d) holds the embeddings, U (K L, d) the classifier vectors.
"""

import math

import numpy as np

from theory.checks import require_fraction
from theory.feature_collapse.latent_share import LatentShare
from theory.feature_collapse.margins.common_margin import find_common_margin
from theory.feature_collapse.network import CollapsedNetwork, balanced_network, zero_network


def solve_type_one(
    share: LatentShare,
    n_words_per_concept: int,
    weight_decay: float,
    *,
    label_noise: float = 0.0,
    word_noise: float = 0.0,
) -> CollapsedNetwork:
    """Return the network with the common norms of embeddings and classifier, for equally frequent words.

        tau = argmin_t log(1 - kappa + kappa (1 + (n_c - 1) e^{-eta t / sqrt(n_w K L)})^L) + lam t
        |w| = sqrt(tau / n_w),  |u| = sqrt(tau / (K L))

    solved for the margin y = eta t / sqrt(n_w K L), where lam t = alpha sqrt(s_c) y. Label noise eps adds eps (h_k -
    mean of h) to the cross-entropy: eps L y / eta, since the concepts average to zero over balanced latents. Word noise
    delta does the same for saturated latents, and for fewer classes averages over the corrupted positions (see
    `noise`).

    Args:
        share: the numbers n_c, L, K.
        n_words_per_concept: s_c.
        weight_decay: lam > 0, on W and on U.
        label_noise: eps in [0, 1).
        word_noise: delta in [0, 1).

    Returns: the network; the zero network if lam is too large.
    Valid: exact if saturated; for K < n_c^L the paper's approximation of random latents.
    Raises: ValueError if a noise is outside [0, 1).
    Source: arXiv 2305.16162, Theorem 1; noise derived here.
    """
    log_marginal_penalty = share.log_marginal_penalty(weight_decay) + 0.5 * math.log(n_words_per_concept)
    common = find_common_margin(
        share,
        log_constant=log_marginal_penalty,
        log_slope=-math.inf,
        label_noise=require_fraction("label_noise", label_noise),
        word_noise=require_fraction("word_noise", word_noise),
    )
    if common.margin == 0:
        return zero_network(share, n_words_per_concept)
    return balanced_network(
        share,
        np.full(n_words_per_concept, common.margin),
        cross_entropy=common.cross_entropy,
        penalty=math.exp(log_marginal_penalty) * common.margin,
        residual=common.residual,
    )
