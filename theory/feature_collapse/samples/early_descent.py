"""Training on a sample while all weights are small: the predictions of a network before its loss begins to fall.

For weights that tend to zero all probabilities are 1/K, and gradient descent on N sentences is linear. With

    G = 1/N sum_i sum_l (e_{y_i} - 1/K) e_l e_{x_il}^T      (K L, n_w)

and its singular value decomposition G = sum_j sigma_j p_j q_j^T, the parts w_j = W^T q_j and u_j = U^T p_j form the
pairs of `dynamics.modes`: (w_j + u_j) / sqrt 2 grows and (w_j - u_j) / sqrt 2 decays. Here all modes matter: the
n_c - 1 modes of the concepts and those of the sample, which are noise. The loss stays at log K, but the index of the
largest logit does not depend on the scale of the weights. The accuracy on new sentences therefore rises during the
plateau, once the modes of the concepts outgrow the noise.

Batches of sentences without replacement give the same dynamics to first order in the learning rate.

Source: derived here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from theory.checks import require_integer, require_positive
from theory.feature_collapse.dynamics.modes import check_decays, growing_pair, pair_rates

if TYPE_CHECKING:
    from jaxtyping import Float, Int

# A singular value below this share of the largest is rounding of the eigenvalues of G^T G.
_NEGLIGIBLE = 1e-7


@dataclass(frozen=True)
class LinearDescent:
    """Gradient descent on a sample from given small weights.

    Args:
        embeddings: initial W (n_w, d).
        rows: initial U (K L, d).
        n_classes: K.
        singular_values: sigma (m,).
        left: p (K L, m).
        right: q (n_w, m).
        learning_rate: of gradient descent.
        decays: lam_W and lam_U.
    """

    embeddings: Float[np.ndarray, "n_w d"]
    rows: Float[np.ndarray, "KL d"]
    n_classes: int
    singular_values: Float[np.ndarray, " m"]
    left: Float[np.ndarray, "KL m"]
    right: Float[np.ndarray, "n_w m"]
    learning_rate: float
    decays: tuple[float, float]

    def weights(self, n_steps: int) -> tuple[Float[np.ndarray, "n_w d"], Float[np.ndarray, "K L d"]]:
        """Return W (n_w, d) and U (K, L, d), float64, after `n_steps` gradient steps.

        Valid: while all logits are far below 1, to a relative error of the order of the largest logit.

        Raises:
            ValueError: `n_steps` is not a whole number of at least 0.
        """
        n_steps = require_integer("n_steps", n_steps, minimum=0)
        words, classes = self.right.T @ self.embeddings, self.left.T @ self.rows
        later_words, later_classes = self._move_pairs(words, classes, n_steps)
        kept_words, kept_classes = ((1 - self.learning_rate * decay) ** n_steps for decay in self.decays)
        embeddings = self.right @ (later_words - kept_words * words) + kept_words * self.embeddings
        rows = self.left @ (later_classes - kept_classes * classes) + kept_classes * self.rows
        return embeddings, rows.reshape(self.n_classes, -1, rows.shape[-1])

    def _move_pairs(
        self, words: Float[np.ndarray, "m d"], classes: Float[np.ndarray, "m d"], n_steps: int
    ) -> tuple[Float[np.ndarray, "m d"], Float[np.ndarray, "m d"]]:
        """Return the components of W and of U in every mode after `n_steps` steps."""
        rates = pair_rates(self.singular_values, *self.decays)
        angles = growing_pair(self.singular_values, rates[0], self.decays[0])
        cosine, sine = (np.asarray(part)[:, None] for part in angles)
        grown, fallen = ((1 + self.learning_rate * np.asarray(rate)[:, None]) ** n_steps for rate in rates)
        growing, falling = grown * (cosine * words + sine * classes), fallen * (cosine * classes - sine * words)
        return cosine * growing - sine * falling, sine * growing + cosine * falling


def linear_descent(
    sentences: Int[np.ndarray, "N L"],
    labels: Int[np.ndarray, " N"],
    embeddings: Float[np.ndarray, "n_w d"],
    classifier: Float[np.ndarray, "K L d"],
    *,
    learning_rate: float,
    weight_decay: float,
    classifier_weight_decay: float | None = None,
) -> LinearDescent:
    """Return gradient descent on a sample, from small weights, decomposed into its modes.

    Args:
        sentences: words x_il (N, L), from 0.
        labels: classes y_i (N,), from 0.
        embeddings: initial W (n_w, d).
        classifier: initial U (K, L, d).
        learning_rate: of gradient descent on cross-entropy (nats) plus penalty.
        weight_decay: lam_W >= 0, and lam_U too unless that is given.
        classifier_weight_decay: lam_U >= 0.

    Returns: the linear dynamics. Raises: ValueError if a number is out of range.
    """
    learning_rate = require_positive("learning_rate", learning_rate)
    decays = check_decays(weight_decay, classifier_weight_decay)
    embeddings, classifier = np.asarray(embeddings, np.float64), np.asarray(classifier, np.float64)
    gradient = _initial_gradient(np.asarray(sentences), np.asarray(labels), len(classifier), len(embeddings))
    singular_values, left, right = _singular_vectors(gradient)
    return LinearDescent(
        embeddings=embeddings,
        rows=classifier.reshape(-1, classifier.shape[-1]),
        n_classes=len(classifier),
        singular_values=singular_values,
        left=left,
        right=right,
        learning_rate=learning_rate,
        decays=decays,
    )


def _initial_gradient(
    sentences: Int[np.ndarray, "N L"], labels: Int[np.ndarray, " N"], n_classes: int, n_words: int
) -> Float[np.ndarray, "KL n_w"]:
    """Return G, minus the gradient of the cross-entropy with respect to U W^T at zero."""
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
