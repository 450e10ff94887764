"""The weight decay above which the zero network is the minimiser.

W (n_w, d) holds the embeddings, U (K L, d) the classifier vectors.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from theory.feature_collapse.latent_share import LatentShare

if TYPE_CHECKING:
    from jaxtyping import Float, Int


def zero_threshold(
    latents: Int[np.ndarray, "K L"] | None,
    word_frequencies: Float[np.ndarray, " s_c"],
    n_concepts: int,
    *,
    sentence_length: int | None = None,
    n_classes: int | None = None,
    label_noise: float = 0.0,
    word_noise: float = 0.0,
) -> float:
    """Return the critical value of sqrt(lam_W lam_U), at and above which the zero network minimises the risk.

        lam_th = (1 - eps)(1 - delta) sqrt(sum_b mu_b^2 / K) sqrt(lambda_max(sum_l [diag(pi_l) - pi_l pi_l^T]))

    with pi_l the concept frequencies at position l over the K latents. At M = U W^T = 0 every class has probability
    1/K, so -G = -dF/dM has entries (1 - eps)(1 - delta) mu_b / K (1[z_kl = a] - pi_l(a)), see `noise`; its largest
    singular value is lam_th. Zero is a global minimiser iff lam_th <= lam, because the penalty is at least lam |M|_*;
    otherwise a rank-1 step along -G lowers the risk. For balanced positions, pi_l = 1/n_c, the product of the two roots
    is sqrt(sum_b mu_b^2) sqrt(L / (n_c K)), which is used if only K and L are known.

    Args:
        latents: integers in [0, n_concepts), (K, L), or None for balanced positions.
        word_frequencies: mu (s_c,), summing to 1.
        n_concepts: n_c.
        sentence_length: L; needed if `latents` is None.
        n_classes: K; needed if `latents` is None.
        label_noise: eps in [0, 1).
        word_noise: delta in [0, 1).

    Returns: the threshold; 0 if there is only one class.
    Valid: any latents and any mu, without LayerNorm, every embedding_dim. Balanced positions are exact for saturated
    latents, and differ for random ones by a relative O(1/sqrt(K)).
    Raises: ValueError if neither latents nor L and K are given.
    Source: derived here; for saturated latents, arXiv 2305.16162, Theorem 2.
    """
    log_frequency_norm = math.log(np.linalg.norm(word_frequencies)) + math.log1p(-label_noise) + math.log1p(-word_noise)
    if latents is not None:
        spread = float(np.linalg.eigvalsh(_summed_covariance(np.asarray(latents), n_concepts))[-1])
        return math.exp(log_frequency_norm) * math.sqrt(max(spread, 0.0) / len(latents))
    if sentence_length is None or n_classes is None:
        raise ValueError("latents: expected an array (K, L), or both sentence_length and n_classes, got None")
    if n_classes == 1:
        return 0.0
    share = LatentShare(n_concepts=n_concepts, sentence_length=sentence_length, n_classes=n_classes)
    log_ratio = math.log(sentence_length) - math.log(n_concepts) - share.log_n_classes
    return math.exp(log_frequency_norm + 0.5 * log_ratio)


def _summed_covariance(latents: Int[np.ndarray, "K L"], n_concepts: int) -> Float[np.ndarray, "n_c n_c"]:
    """Return sum_l [diag(pi_l) - pi_l pi_l^T], (n_c, n_c)."""
    frequencies = np.stack([np.bincount(column, minlength=n_concepts) for column in latents.T]) / len(latents)
    return np.diag(frequencies.sum(axis=0)) - frequencies.T @ frequencies
