"""The modes of the saddle at zero, and the rates at which they grow and decay.

Near zero gradient descent is linear. With N = -dF/dM at M = U W^T = 0 (rows (k, l), columns words) and the singular
value decomposition N = sum_i sigma_i p_i q_i^T, the parts w_i = W^T q_i and u_i = U^T p_i, each in R^d, obey

    dw_i/dt = sigma_i u_i - lam_W w_i,   du_i/dt = sigma_i w_i - lam_U u_i,   t = learning rate * steps.

For equal weight decays the pair (w_i + u_i) / sqrt 2 grows and the pair (w_i - u_i) / sqrt 2 decays, at the rates
+-sigma_i - lam. In general the two pairs are rotated by an angle, and the rates are

    rho = -(lam_W + lam_U) / 2 +- sqrt(((lam_W - lam_U) / 2)^2 + sigma_i^2).

A mode grows iff sigma_i^2 > lam_W lam_U. Gradient descent multiplies a pair by 1 + lr rho at every step, a rate of
log(1 + lr rho) / lr per unit of time. Components orthogonal to all modes decay, of W at the rate lam_W and of U at
lam_U.

Singular values. N has entries (1 - eps)(1 - delta) mu_b / K ([z_kl = a] - pi_l(a)), pi_l the share of each concept at
position l, eps and delta the noises of `noise`. It has one column per concept, times mu_b: its right singular vectors
are v x mu/|mu|, v an eigenvector of C = sum_l [diag pi_l - pi_l pi_l^T], and

    sigma = (1 - eps)(1 - delta) |mu| sqrt(eigenvalue of C / K),

at most n_c - 1 of them nonzero; the largest is the zero threshold. For saturated latents all are equal: concepts
separate simultaneously, the words of a concept along one direction and with lengths proportional to mu. Otherwise the
rank increases one by one, in the order of the singular values: from weights of size s the first mode is of order 1 at
t = log(1/s) / rho_1, when mode i is of order s^(1 - rho_i / rho_1), negligible in comparison as s -> 0.

W (n_w, d) holds the embeddings, U (K L, d) the classifier vectors.

Source: derived here; the pairs are those of Saxe, McClelland, Ganguli, arXiv 1312.6120, for deep linear networks.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple, overload

import numpy as np

from theory.checks import require_fraction, require_integer, require_non_negative
from theory.feature_collapse.prediction import require_latents
from theory.short_text import short_repr

if TYPE_CHECKING:
    from jaxtyping import Float, Int

# C is of order L; an eigenvalue below this share of L counts as zero, as rounding leaves about 1e-16.
_NEGLIGIBLE = 1e-13


class EscapeModes(NamedTuple):
    """The modes of N = -dF/dM at zero.

    Args:
        singular_values: sigma, float64 (m,), positive, in descending order with multiplicity; m <= n_c - 1.
        directions: v, float64 (n_c, m): the concept vectors; the right singular vectors are v x mu/|mu|.
        null_words: n_w - m, the dimension of the null space for words.
        null_rows: K L - m, the same for the classifier.
    """

    singular_values: Float[np.ndarray, " m"]
    directions: Float[np.ndarray, "n_c m"]
    null_words: int
    null_rows: int

    __repr__ = short_repr


def escape_modes(
    *,
    word_frequencies: Float[np.ndarray, " s_c"],
    n_concepts: int,
    latents: Int[np.ndarray, "K L"] | None = None,
    sentence_length: int | None = None,
    n_classes: int | None = None,
    label_noise: float = 0.0,
    word_noise: float = 0.0,
) -> EscapeModes:
    """Return the modes with nonzero singular value of -dF/dM at the zero network.

    Args:
        word_frequencies: mu (s_c,), summing to 1.
        n_concepts: n_c.
        latents: integers (K, L), or None for positions where all concepts are equally frequent, as if saturated.
        sentence_length: L; needed if `latents` is None.
        n_classes: K; needed if `latents` is None.
        label_noise: eps in [0, 1).
        word_noise: delta in [0, 1).

    Returns: the modes. Valid: any latents and any mu; balanced positions are exact for saturated latents.
    Raises: ValueError if neither latents nor L and K are given, or a number is out of range.
    """
    n_concepts = require_integer("n_concepts", n_concepts, minimum=2)
    word_frequencies = np.asarray(word_frequencies, dtype=np.float64)
    covariance, n_classes, length = _summed_covariance(latents, n_concepts, sentence_length, n_classes)
    # The ones vector has eigenvalue zero and is not a mode; C is diagonalised on its orthogonal complement.
    basis = np.linalg.svd(np.ones((1, n_concepts)))[2][1:].T
    eigenvalues, vectors = np.linalg.eigh(basis.T @ covariance @ basis)
    evidence = (1 - require_fraction("label_noise", label_noise)) * (1 - require_fraction("word_noise", word_noise))
    scale = evidence * float(np.linalg.norm(word_frequencies)) / math.sqrt(n_classes)
    rank = int(np.sum(eigenvalues > _NEGLIGIBLE * length))
    return EscapeModes(
        singular_values=scale * np.sqrt(eigenvalues[::-1][:rank]),
        directions=(basis @ vectors)[:, ::-1][:, :rank],
        null_words=n_concepts * word_frequencies.size - rank,
        null_rows=n_classes * length - rank,
    )


@overload
def escape_rate(
    singular_value: float,
    weight_decay: float,
    classifier_weight_decay: float | None = None,
    *,
    learning_rate: float = 0.0,
) -> float: ...
@overload
def escape_rate(
    singular_value: Float[np.ndarray, ...],
    weight_decay: float,
    classifier_weight_decay: float | None = None,
    *,
    learning_rate: float = 0.0,
) -> Float[np.ndarray, ...]: ...
def escape_rate(
    singular_value: Float[np.ndarray, ...] | float,
    weight_decay: float,
    classifier_weight_decay: float | None = None,
    *,
    learning_rate: float = 0.0,
) -> Float[np.ndarray, ...] | float:
    """Return the growth rate rho of the growing pair of a mode, per unit of learning rate * steps.

    Args:
        singular_value: sigma, a number or an array.
        weight_decay: lam_W >= 0, and lam_U too unless that is given.
        classifier_weight_decay: lam_U >= 0.
        learning_rate: of gradient descent, for which log(1 + lr rho) / lr is returned, or 0 for gradient flow.

    Returns: the rate; negative where sigma^2 < lam_W lam_U.
    """
    decays = check_decays(weight_decay, classifier_weight_decay)
    rate = pair_rates(singular_value, *decays)[0]
    learning_rate = require_non_negative("learning_rate", learning_rate)
    return np.log1p(learning_rate * rate) / learning_rate if learning_rate else rate


def pair_rates(
    singular_value: Float[np.ndarray, ...] | float, weight_decay: float, classifier_weight_decay: float
) -> tuple[Float[np.ndarray, ...], Float[np.ndarray, ...]]:
    """Return the rates of the growing and of the decaying pair of sigma, for lam_W and lam_U."""
    mean, half = 0.5 * (weight_decay + classifier_weight_decay), 0.5 * (weight_decay - classifier_weight_decay)
    root = np.hypot(half, singular_value)
    return root - mean, -root - mean


def growing_pair(
    singular_value: Float[np.ndarray, ...] | float, rate: Float[np.ndarray, ...] | float, weight_decay: float
) -> tuple[Float[np.ndarray, ...], Float[np.ndarray, ...]]:
    """Return (cos theta, sin theta), the components of W and of U in the growing pair.

    tan(theta) = (rho + lam_W) / sigma; 1 for equal weight decay.

    Args:
        singular_value: sigma, a number or an array.
        rate: rho of the growing pair.
        weight_decay: lam_W.
    """
    angle = np.arctan2(rate + weight_decay, singular_value)
    return np.cos(angle), np.sin(angle)


def check_decays(weight_decay: float, classifier_weight_decay: float | None) -> tuple[float, float]:
    """Return (lam_W, lam_U), both zero or above; lam_U is lam_W if not given."""
    weight_decay = require_non_negative("weight_decay", weight_decay)
    if classifier_weight_decay is None:
        return weight_decay, weight_decay
    return weight_decay, require_non_negative("classifier_weight_decay", classifier_weight_decay)


def _summed_covariance(
    latents: Int[np.ndarray, "K L"] | None, n_concepts: int, sentence_length: int | None, n_classes: int | None
) -> tuple[Float[np.ndarray, "n_c n_c"], int, int]:
    """Return C, float64 (n_c, n_c), and K and L."""
    if latents is None:
        if sentence_length is None or n_classes is None:
            raise ValueError("latents: expected an array (K, L), or both sentence_length and n_classes, got None")
        length = require_integer("sentence_length", sentence_length, minimum=1)
        covariance = length * (np.eye(n_concepts) / n_concepts - 1 / n_concepts**2)
        return covariance, require_integer("n_classes", n_classes, minimum=1), length
    latents = require_latents(latents, n_concepts=n_concepts, sentence_length=np.shape(latents)[-1])
    shares = np.stack([np.bincount(column, minlength=n_concepts) for column in latents.T]) / len(latents)
    return np.diag(shares.sum(axis=0)) - shares.T @ shares, *latents.shape
