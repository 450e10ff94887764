"""The spectrum of an embedding: eigenvalues of its covariance, and the effective rank."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from jaxtyping import Float


def linear_spectrum(weights: Float[np.ndarray, "m d"], covariance: Float[np.ndarray, "d d"]) -> Float[np.ndarray, " d"]:
    """Return the eigenvalues of ``W S W^T``, largest first, padded with zeros to the number of inputs.

    They are squared singular values of ``W A`` with ``S = A A^T``: small ones keep their relative precision, and none
    is negative. All are NaN for weights that are not finite.

    Args:
        weights: W, the matrix of a linear encoder.
        covariance: S, the covariance of its inputs, positive semidefinite.
    """
    if not np.all(np.isfinite(weights)):
        return np.full(len(covariance), np.nan)
    values, vectors = np.linalg.eigh(np.asarray(covariance, float))
    factor = vectors * np.sqrt(np.maximum(values, 0))
    singular = np.linalg.svd(np.asarray(weights, float) @ factor, compute_uv=False)
    return np.pad(singular**2, (0, max(0, factor.shape[1] - len(singular))))


def effective_rank(eigenvalues: Float[np.ndarray, " d"]) -> float:
    """Return ``exp(-sum p log p)`` with p the share of each eigenvalue (Roy and Vetterli, 2007); 0 if all vanish.

    Args:
        eigenvalues: eigenvalues of a covariance, not negative.
    """
    values = np.asarray(eigenvalues, float)
    total = values.sum()
    if not total > 0:
        return 0.0 if total == 0 else float("nan")
    shares = values[values > 0] / total
    return float(np.exp(-np.sum(shares * np.log(shares))))
