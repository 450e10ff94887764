"""The number of sentences needed for collapse: the noise of a sample's gradient compared with the weight decay.

A critical point of the risk on a sample is its global minimiser if no singular value of G = dF/dM exceeds lam
(`theory/global_optimality.md`). At the collapsed minimiser of the true risk with saturated latents, G is proportional
to M: n_c - 1 singular values equal lam and all others vanish. On a sample of n sentences per class, G_n has noise in
the directions that the network does not use,

    s_n = sigma_max(P G_n Q),   P and Q removing the directions of the classifier and of the embeddings,

of order n^{-1/2}. While s_n > lam, a further dimension lowers the risk of the sample: the network fits structure
specific to these sentences. Where s_n falls below lam, at n* sentences per class, the last such dimension vanishes.

Under LayerNorm this is exact. The logits of a Type II network depend only on the latent of a sentence, so its risk on
the sample is the true risk, for all c. The gradient with respect to a word is that of one occurrence times the number
N_w of occurrences, and is parallel to f_a, a direction in which LayerNorm is constant. So the Type II network is a
critical point on *every* sample in which all latents are equally frequent, with multipliers
alpha_w = lam_U |U|^2 / d * N_w / (N L), and a global minimiser if

    s_n = sigma_max(P G_n diag(alpha)^{-1/2} Q) <= sqrt(lam_U).

A column of G_n has a variance proportional to N_w: dividing by sqrt(alpha) makes all columns equally noisy, and n*
does not depend on the word frequencies. Without LayerNorm the norms of words depend on their number of occurrences, so
the network on the sample differs from that of the true risk. This effect is neglected: without LayerNorm n* is correct
to first order in the noise.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from theory.checks import require_integer
from theory.feature_collapse.prediction import Prediction, require_latents
from theory.optimality.logit_gradient import LogitGradient
from theory.optimality.sentence_logits import score_sentences

if TYPE_CHECKING:
    from jaxtyping import Int


class CriticalSample(NamedTuple):
    """The onset of collapse: `per_class` sentences of each class, and the standard `error` of this estimate."""

    per_class: float
    error: float


def critical_sample(
    prediction: Prediction, latents: Int[np.ndarray, "K L"], *, per_class: int = 30, n_draws: int = 4, seed: int = 0
) -> CriticalSample:
    """Return an estimate of the least sample size for which a collapsed network minimises the risk of the sample.

        n* = mean of n (s_n / lam)^2 over drawn samples, at n = `per_class` and then again at the resulting n*

    Args:
        prediction: of the true risk; it must be a theorem, because singular values of the approximation are not lam.
        latents: every latent, integers (K, L).
        per_class: a first guess of n*; it matters only if s_n does not fall as n^{-1/2}.
        n_draws: number of samples, at least 2.
        seed: of the draws.

    Returns: n* with its standard error over the samples; the standard deviation of single samples is sqrt(n_draws)
    times that.
    Valid: exact with LayerNorm, without it to first order in the noise.
    Raises: ValueError, `field: expected ..., got ...`.
    Source: derived here, from the certificate in `theory/global_optimality.md`.
    """
    per_class = require_integer("per_class", per_class, minimum=1)
    n_draws = require_integer("n_draws", n_draws, minimum=2)
    latents = require_latents(latents, n_concepts=prediction.n_concepts, sentence_length=prediction.sentence_length)
    rng = np.random.default_rng(seed)
    for _ in range(2):
        draws = (draw_sample(prediction, latents, per_class, rng) for _ in range(n_draws))
        estimates = [per_class * noise_ratio(prediction, latents, *sample) ** 2 for sample in draws]
        per_class = max(1, round(np.mean(estimates)))
    return CriticalSample(float(np.mean(estimates)), float(np.std(estimates, ddof=1) / math.sqrt(n_draws)))


def draw_sample(
    prediction: Prediction, latents: Int[np.ndarray, "K L"], per_class: int, rng: np.random.Generator
) -> tuple[Int[np.ndarray, "N L"], Int[np.ndarray, " N"]]:
    """Return `per_class` sentences of each class (N, L) and their classes (N,)."""
    mu = prediction.word_frequencies
    classes = np.repeat(np.arange(len(latents)), per_class)
    ranks = rng.choice(len(mu), size=(len(classes), latents.shape[1]), p=mu)
    return latents[classes] * len(mu) + ranks, classes


def noise_ratio(
    prediction: Prediction,
    latents: Int[np.ndarray, "K L"],
    sentences: Int[np.ndarray, "N L"],
    classes: Int[np.ndarray, " N"],
) -> float:
    """Return s_n / lam on a sample, under LayerNorm s_n / sqrt(lam_U): the collapsed network is optimal below 1.

    Args:
        prediction: a theorem for a network other than zero.
        latents: every latent, integers (K, L).
        sentences: word indices in [0, n_w), integers (N, L), equally many for each class.
        classes: integers in [0, K), (N,).

    Raises: ValueError for an approximation or a zero network.
    """
    if not prediction.is_theorem or prediction.is_zero:
        raise ValueError("prediction: expected a theorem for a network other than zero, got an approximation or zero")
    embeddings, classifier = prediction.embeddings(), prediction.classifier(latents)
    scored = score_sentences(sentences, classes, None, embeddings, classifier)
    noise, rows = LogitGradient(scored).array(), classifier.reshape(-1, classifier.shape[-1])
    if prediction.collapse_type == "II":
        decay = prediction.classifier_weight_decay
        counts = np.bincount(sentences.ravel(), minlength=len(embeddings))
        seen = counts > 0
        alpha = decay * np.sum(rows**2) / prediction.embedding_dim * counts[seen] / sentences.size
        noise, embeddings = noise[:, seen] / np.sqrt(alpha), embeddings[seen] * np.sqrt(alpha)[:, None]
        limit = math.sqrt(decay)
    else:
        limit = math.sqrt(prediction.weight_decay) * math.sqrt(prediction.classifier_weight_decay)
    used = prediction.n_concepts - 1
    left, right = (np.linalg.svd(array, full_matrices=False)[0][:, :used] for array in (rows, embeddings))
    noise = noise - left @ (left.T @ noise)
    noise = noise - (noise @ right) @ right.T
    return float(np.linalg.norm(noise, 2) / limit)
