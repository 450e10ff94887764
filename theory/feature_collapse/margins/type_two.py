"""Type II collapse: LayerNorm on the embeddings, any word frequencies."""

import math

import numpy as np

from theory.checks import require_fraction
from theory.feature_collapse.latent_share import LatentShare
from theory.feature_collapse.margins.common_margin import find_common_margin
from theory.feature_collapse.network import CollapsedNetwork


def solve_type_two(
    share: LatentShare,
    n_words_per_concept: int,
    embedding_dim: int,
    weight_decay: float,
    *,
    label_noise: float = 0.0,
    word_noise: float = 0.0,
) -> CollapsedNetwork:
    """Return the network with the norm of the classifier, where every normalised embedding is sqrt(d) f_a.

        c = argmin log(1 - kappa + kappa (1 + (n_c - 1) e^{-eta sqrt(d) c})^L) + lam/2 K L c^2

    solved for the margin y = eta sqrt(d) c, where the penalty is b y^2 / 2 with b = lam K L / (eta^2 d). The slope of
    the penalty is zero at y = 0 and that of the cross-entropy is not, so c > 0 for every finite lam: there is no zero
    threshold.

    Args:
        share: the numbers n_c, L, K.
        n_words_per_concept: s_c.
        embedding_dim: d.
        weight_decay: lam > 0, on U alone.
        label_noise: eps in [0, 1); as in Type I. In the kappa approximation c is 0 if eps >= K / (K + 1 - kappa).
        word_noise: delta in [0, 1); as in Type I.

    Returns: the network, its `embedding_norms` those of the normalised embeddings, sqrt(d).
    Valid: exact if saturated; for K < n_c^L the paper's approximation of random latents.
    Raises: ValueError if a noise is outside [0, 1).
    Source: arXiv 2305.16162, Theorem 3; noise derived here.
    """
    log_scale = math.log(share.eta) + 0.5 * math.log(embedding_dim)
    log_slope = math.log(weight_decay) + share.log_classifier_rows - 2 * log_scale
    margin, cross_entropy, residual = find_common_margin(
        share,
        log_constant=-math.inf,
        log_slope=log_slope,
        label_noise=require_fraction("label_noise", label_noise),
        word_noise=require_fraction("word_noise", word_noise),
    )
    return CollapsedNetwork(
        embedding_norms=np.full(n_words_per_concept, math.sqrt(embedding_dim)),
        classifier_norm=margin / (share.eta * math.sqrt(embedding_dim)),
        cross_entropy=cross_entropy,
        penalty=0.5 * math.exp(log_slope + 2 * math.log(margin)) if margin else 0.0,
        residual=residual,
    )
