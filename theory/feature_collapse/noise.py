"""Label noise and word noise, and their effect on the risk.

*Label noise* eps: with this probability a label is replaced by a uniform draw from all K classes. *Word noise* delta:
with this probability, independently at each position, a word is replaced by a word of a concept drawn uniformly from
all n_c, with rank drawn from mu. Cross-entropy and risk are expectations over the noisy population.

Any latents. With M = U W^T the cross-entropy is E log sum_k e^{h_k} - <T, M>. The first term depends only on the law of
sentences, and T_{(k,l),w} is the joint probability of label k and word w at position l:

    T_{(k,l),(a,b)} = mu_b/K [(1 - eps) q(z_kl) + eps mean_k' q(z_k'l)],   q(z) = (1 - delta) [z = a] + delta/n_c.

At M = 0 every class has probability 1/K, so that -G = T - (its mean over k) is (1 - eps)(1 - delta) times its value
without noise, and so are all singular values of G there and the zero threshold.

Saturated latents. Positions are independent and concepts uniform, so word noise does not change the law of sentences,
and

    T_{(k,l),(a,b)} = mu_b/n_c^L [(1 - eps') [z_kl = a] + eps'/n_c],   1 - eps' = (1 - eps)(1 - delta).

So label noise and word noise of the same size give the same risk *for every network*, with or without LayerNorm. At a
collapsed network, with margins y_b, the cross-entropy is L sum_b mu_b [g(y_b) + eps' y_b / eta]. Type III becomes

    lam r_b / (L mu_b) = c [1 / (n_c - 1 + e^{eta c r_b}) - eps' / n_c],

and margins stay below log(1 + n_c (1 - eps') / eps') for every lam. For L > 1 the two noises are nevertheless different
tasks. Given a sentence, labels under word noise follow prod_l [(1 - delta) [z_l = a_l] + delta/n_c], which the network
attains at the largest margin. Labels under label noise follow (1 - eps) [z = a] + eps/n_c^L, which is not a product and
cannot be attained. At lam = 0 the cross-entropy is the entropy of the posterior in the first case, and larger in the
second.

Fewer classes than latents. A sentence of class k has concepts a which differ from z_k on a set D of positions, each
with probability delta/eta. If the other classes are an evenly spread share kappa of the other latents, then

    sum_k' e^{h_k'} = (1 - kappa) e^{h_k} + kappa sum_z e^{h_z},   so that log sum_k' e^{h_k'} - h_k
        = log(1 - kappa + kappa e^G),   G = sum_l g(y_{b_l}) + sum_{l in D} y_{b_l}.

Label noise does not change the sentences and adds eps (h_k - mean_k' h_k') = eps (1 - delta) L E_b y_b / eta, as
concepts average to zero over evenly spread latents. Both are the same approximation as kappa without noise: at
kappa = 1 they give the exact risk above. Source: derived here.

W (n_w, d) holds the embeddings, U (K L, d) the classifier vectors.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from theory.feature_collapse.latent_share import LatentShare

if TYPE_CHECKING:
    from jaxtyping import Float

NoiseT = TypeVar("NoiseT", float, np.ndarray)


def joint_noise(label_noise: float, word_noise: NoiseT) -> NoiseT:
    """Return eps' = 1 - (1 - eps)(1 - delta), the label noise equivalent to both noises for saturated latents."""
    return label_noise + word_noise * (1 - label_noise)


def noise_slope(share: LatentShare, label_noise: float, word_noise: float) -> float:
    """Return the slope, in the mean margin E_b y_b, of the cross-entropy added by noise, without the effect of D.

    It is eps' L / eta for saturated latents, the whole effect of noise; otherwise eps (1 - delta) L / eta, the effect
    of label noise.
    """
    if share.saturated:
        return joint_noise(label_noise, word_noise) * share.sentence_length / share.eta
    return label_noise * (1 - word_noise) * share.sentence_length / share.eta


def corrupts_mixture(share: LatentShare, word_noise: float) -> bool:
    """Return whether the risk is an average over the set D: with word noise and fewer classes than latents."""
    return word_noise > 0 and not share.saturated


def corruption_counts(share: LatentShare, word_noise: float) -> Float[np.ndarray, " L+1"]:
    """Return the probabilities, float64 (L + 1,), that 0 .. L positions have a concept other than that of the class.

    They are binomial with probability delta / eta, computed from log ratios of neighbours, starting at the mode.
    """
    length, chance = share.sentence_length, word_noise / share.eta
    counts = np.arange(1, length + 1)
    log_ratios = np.log(length - counts + 1.0) - np.log(counts) + math.log(chance) - math.log1p(-chance)
    mode = min(int((length + 1) * chance), length)
    below = -np.cumsum(log_ratios[:mode][::-1])[::-1]
    weights = np.exp(np.concatenate([below, [0.0], np.cumsum(log_ratios[mode:])]))
    return weights / math.fsum(weights)
