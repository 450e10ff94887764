"""Properties of each feature of a given W: its dimensionality, and the adversarial gain of its output."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from jaxtyping import Float

# A feature with a shorter column is not represented.
LEAST_NORM = 0.15


def represented_features(weights: Float[np.ndarray, "... m n"]) -> np.ndarray:
    """Return whether |w_i| > 0.15, bool (..., n)."""
    return np.linalg.norm(weights, axis=-2) > LEAST_NORM


def dimensionalities(weights: Float[np.ndarray, "... m n"]) -> Float[np.ndarray, "... n"]:
    """Return the dimensionality of each feature, the share of a dimension that represents it.

        D_i = |w_i|^2 / sum_j (w_i . w_j / |w_i|)^2

    Args:
        weights: W, columns w_i.

    Returns: float64 (..., n), in [0, 1]; 0 for a column that is zero.
    Source: Elhage et al. (2022), "The geometry of superposition".
    """
    square_norms, square_gains = _squares(weights)
    ratio = np.zeros_like(square_gains)
    return np.divide(square_norms**2, square_gains, out=ratio, where=square_gains != 0)


def gains(weights: Float[np.ndarray, "... m n"]) -> Float[np.ndarray, "... n"]:
    """Return the gain of each output while it is active: the largest change of x'_i per unit L2 change of x.

        |(W^T W)_i| = |w_i|^2 / sqrt(D_i)

    Args:
        weights: W, columns w_i.

    Returns: float64 (..., n).
    Source: derived here: an active x'_i is linear in x with gradient row i of W^T W.
    """
    return np.sqrt(_squares(weights)[1])


def _squares(weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return |w_i|^2 and |(W^T W)_i|^2 = w_i^T (W W^T) w_i, without an n x n matrix."""
    rotated = weights @ np.swapaxes(weights, -1, -2) @ weights
    return np.sum(weights**2, axis=-2), np.sum(weights * rotated, axis=-2)
