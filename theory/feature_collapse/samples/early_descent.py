"""Training on a sample while all weights are small: what a network knows before its loss begins to fall.

From weights that tend to zero all probabilities are 1/K, and gradient descent on N sentences is linear. With

    G = 1/N sum_i sum_l (e_{y_i} - 1/K) e_l e_{x_il}^T      (K L, n_w)

and its singular value decomposition G = sum_j sigma_j p_j q_j^T, the parts w_j = W^T q_j and u_j = U^T p_j form the
pairs of `dynamics.modes`: (w_j + u_j) / sqrt 2 grows and (w_j - u_j) / sqrt 2 decays. Here all modes count: beside the
n_c - 1 of the concepts those of the sample, which are noise. The loss stays at log K, but which logit is largest does
not depend on the scale of the weights. The accuracy on new sentences therefore rises during the plateau, once the modes
of the concepts outgrow the noise.

Batches of sentences without replacement give the same motion to first order in the learning rate.

Source: derived here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from theory.checks import require_integer, require_positive
from theory.feature_collapse.dynamics.modes import check_decays, growing_pair, pair_rates

if TYPE_CHECKING:
    from jaxtyping import Float, Int

# A singular value below this share of the largest is rounding of the eigenvalues of G^T G.
_NEGLIGIBLE = 1e-7


def linear_descent(
    sentences: Int[np.ndarray, "N L"],
    labels: Int[np.ndarray, " N"],
    embeddings: Float[np.ndarray, "n_w d"],
    classifier: Float[np.ndarray, "K L d"],
    *,
    learning_rate: float,
    weight_decay: float,
    classifier_weight_decay: float | None = None,
    n_steps: int,
) -> tuple[Float[np.ndarray, "n_w d"], Float[np.ndarray, "K L d"]]:
    """Return embeddings and classifier after `n_steps` of gradient descent on a sample, from small weights.

    Args:
        sentences: words x_il (N, L), from 0.
        labels: classes y_i (N,), from 0.
        embeddings: initial W (n_w, d).
        classifier: initial U (K, L, d).
        learning_rate: of gradient descent on cross-entropy (nats) plus penalty.
        weight_decay: lam_W >= 0, and lam_U too unless that is given.
        classifier_weight_decay: lam_U >= 0.
        n_steps: gradient steps, at least 0.

    Returns: W (n_w, d) and U (K, L, d), float64. Valid: while all logits are far below 1, to a relative error of the
        order of the largest logit.
    Raises: ValueError if a number is out of range.
    """
    learning_rate = require_positive("learning_rate", learning_rate)
    n_steps = require_integer("n_steps", n_steps, minimum=0)
    decays = check_decays(weight_decay, classifier_weight_decay)
    embeddings, classifier = np.asarray(embeddings, np.float64), np.asarray(classifier, np.float64)
    rows = classifier.reshape(-1, classifier.shape[-1])
    gradient = _initial_gradient(np.asarray(sentences), np.asarray(labels), len(classifier), len(embeddings))
    sigma, left, right = _singular_vectors(gradient)
    words, classes = right.T @ embeddings, left.T @ rows
    later_words, later_classes = _move_pairs(words, classes, sigma, decays, learning_rate, n_steps)
    kept_words, kept_classes = ((1 - learning_rate * decay) ** n_steps for decay in decays)
    moved = left @ (later_classes - kept_classes * classes) + kept_classes * rows
    return right @ (later_words - kept_words * words) + kept_words * embeddings, moved.reshape(classifier.shape)


def _initial_gradient(
    sentences: Int[np.ndarray, "N L"], labels: Int[np.ndarray, " N"], n_classes: int, n_words: int
) -> Float[np.ndarray, "KL n_w"]:
    """Return G, minus the gradient of the cross-entropy by the matrix U W^T at zero."""
    n_sentences, length = sentences.shape
    gradient = np.zeros((n_classes, length, n_words))
    positions = np.arange(length)
    np.add.at(gradient, (labels[:, None], positions, sentences), 1 / n_sentences)
    gradient -= gradient.mean(axis=0)
    return gradient.reshape(-1, n_words)


def _singular_vectors(
    matrix: Float[np.ndarray, "KL n_w"],
) -> tuple[Float[np.ndarray, " m"], Float[np.ndarray, "KL m"], Float[np.ndarray, "n_w m"]]:
    """Return all positive singular values with left and right vectors, from the smaller Gram matrix."""
    squares, right = np.linalg.eigh(matrix.T @ matrix)
    is_mode = squares > _NEGLIGIBLE**2 * max(squares[-1], np.finfo(np.float64).tiny)
    sigma, right = np.sqrt(squares[is_mode]), right[:, is_mode]
    return sigma, matrix @ right / sigma, right


def _move_pairs(
    words: Float[np.ndarray, "m d"],
    classes: Float[np.ndarray, "m d"],
    sigma: Float[np.ndarray, " m"],
    decays: tuple[float, float],
    learning_rate: float,
    n_steps: int,
) -> tuple[Float[np.ndarray, "m d"], Float[np.ndarray, "m d"]]:
    """Return the parts of W and of U in every mode after some steps."""
    rates = pair_rates(sigma, *decays)
    cosine, sine = (part[:, None] for part in growing_pair(sigma, rates[0], decays[0]))
    grown, fallen = ((1 + learning_rate * rate[:, None]) ** n_steps for rate in rates)
    growing, falling = grown * (cosine * words + sine * classes), fallen * (cosine * classes - sine * words)
    return cosine * growing - sine * falling, sine * growing + cosine * falling
