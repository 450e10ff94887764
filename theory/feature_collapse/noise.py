"""Noise in labels and in words, and what either does to the risk.

*Label noise* eps: with this probability a label is replaced by one drawn evenly from all K classes. *Word noise* delta:
with this probability, independently at each position, a word is replaced by a word of a concept drawn evenly from all
n_c, its rank drawn from mu. Cross-entropy and risk are expectations over the noisy population.

Any latents. With M = U W^T the cross-entropy is E log sum_k e^{h_k} - <T, M>. The first term depends on the law of
sentences alone, and T_{(k,l),w} is the probability of label k together with word w at position l:

    T_{(k,l),(a,b)} = mu_b/K [(1 - eps) q(z_kl) + eps mean_k' q(z_k'l)],   q(z) = (1 - delta) [z = a] + delta/n_c.

At M = 0 every class has probability 1/K, so that -G = T - (its mean over k) is (1 - eps)(1 - delta) times what it is
without noise: so are all singular values of G there, and the zero threshold.

Saturated latents. Positions are independent and concepts even, so word noise leaves the law of sentences as it is, and

    T_{(k,l),(a,b)} = mu_b/n_c^L [(1 - eps') [z_kl = a] + eps'/n_c],   1 - eps' = (1 - eps)(1 - delta).

So label noise and word noise of the same size give the same risk *for every network*, with LayerNorm or without. At a
collapsed network, with margins y_b, it is L sum_b mu_b [g(y_b) + eps' y_b / eta]: Type III becomes

    lam r_b / (L mu_b) = c [1 / (n_c - 1 + e^{eta c r_b}) - eps' / n_c],

and margins stay below log(1 + n_c (1 - eps') / eps') however small lam is. For L > 1 the two noises are different tasks
all the same. Given a sentence, labels under word noise follow prod_l [(1 - delta) [z_l = a_l] + delta/n_c], which the
network attains at the largest margin; those under label noise follow (1 - eps) [z = a] + eps/n_c^L, which is no product
and out of its reach. What is left at lam = 0 is the posterior's entropy in the first case, and more in the second.

Fewer classes than latents. A sentence of class k shows concepts a which differ from z_k on a set D of positions, each
with probability delta/eta. If the other classes are a share kappa of the other latents, evenly spread, then

    sum_k' e^{h_k'} = (1 - kappa) e^{h_k} + kappa sum_z e^{h_z},   so that log sum_k' e^{h_k'} - h_k
        = log(1 - kappa + kappa e^G),   G = sum_l g(y_{b_l}) + sum_{l in D} y_{b_l}.

Label noise leaves the sentences alone and adds eps (h_k - mean_k' h_k') = eps (1 - delta) L E_b y_b / eta, as concepts
average to zero over evenly spread latents. Both are the approximation that kappa is without noise, no more and no less:
at kappa = 1 they give the exact risk above. Source: derived here.

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
    """Return eps' = 1 - (1 - eps)(1 - delta), the label noise that equals both together for saturated latents."""
    return label_noise + word_noise * (1 - label_noise)


def noise_slope(share: LatentShare, label_noise: float, word_noise: float) -> float:
    """Return the slope of the cross-entropy that noise adds in the mean margin E_b y_b, apart from the set D.

    For saturated latents eps' L / eta, which is all that noise does; else eps (1 - delta) L / eta, of label noise.
    """
    if share.saturated:
        return joint_noise(label_noise, word_noise) * share.sentence_length / share.eta
    return label_noise * (1 - word_noise) * share.sentence_length / share.eta


def corrupts_mixture(share: LatentShare, word_noise: float) -> bool:
    """Whether the set D of corrupted positions must be averaged over: word noise, and fewer classes than latents."""
    return word_noise > 0 and not share.saturated


def corruption_counts(share: LatentShare, word_noise: float) -> Float[np.ndarray, " L+1"]:
    """Return the probabilities, float64 (L + 1,), that 0 .. L positions show a concept which is not that of the class.

    Binomial with chance delta / eta at each position: ratios of neighbours, added up in logarithms from the mode.
    """
    length, chance = share.sentence_length, word_noise / share.eta
    counts = np.arange(1, length + 1)
    log_ratios = np.log(length - counts + 1.0) - np.log(counts) + math.log(chance) - math.log1p(-chance)
    mode = min(int((length + 1) * chance), length)
    below = -np.cumsum(log_ratios[:mode][::-1])[::-1]
    weights = np.exp(np.concatenate([below, [0.0], np.cumsum(log_ratios[mode:])]))
    return weights / math.fsum(weights)
