"""Second moments of Gaussian positive pairs, which determine the loss of a linear encoder.

An input ``x`` has covariance S; an augmentation adds independent noise with covariance Q.

* One view: the pair is ``(x, x + n)``, and the negatives are other inputs ``x'``, as in Jing et al.
* Two views: the pair is ``(x + n, x + n')``, and the negatives are views of other inputs, as in SimCLR.

Both are described by three matrices: the *metric* M, the covariance of an anchor and of a negative; the *spread* D, the
covariance of the difference of a pair; the *overlap* A, the covariance between the two inputs of a pair.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from jaxtyping import Float

VIEWS = (1, 2)
# Relative asymmetry allowed for a covariance that was computed as a product of matrices.
_ASYMMETRY = 1e-10
LARGEST_DIMENSION = 2000


@dataclass(frozen=True, kw_only=True, eq=False)
class PairMoments:
    """Second moments of positive pairs.

    Args:
        metric: M, float64 (d, d), positive definite.
        spread: D, float64 (d, d), positive semidefinite.
        overlap: A, float64 (d, d), symmetric.
    """

    metric: Float[np.ndarray, "d d"]
    spread: Float[np.ndarray, "d d"]
    overlap: Float[np.ndarray, "d d"]

    @property
    def dimension(self) -> int:
        """d, of the inputs."""
        return len(self.metric)


def gaussian_pairs(
    covariance: Float[np.ndarray, "d d"], augmentation: Float[np.ndarray, "d d"], views: int
) -> PairMoments:
    """Return the moments of Gaussian pairs.

    Args:
        covariance: S, positive definite.
        augmentation: Q, positive semidefinite.
        views: 1 or 2.

    Raises: ValueError, one line that names the field; for an indefinite matrix it gives the least eigenvalue.
    """
    if views not in VIEWS or isinstance(views, bool):
        raise ValueError(f"views: expected 1 or 2, got {views!r}")
    covariance = check_covariance("covariance", covariance)
    augmentation = check_covariance("augmentation", augmentation, is_definite=False)
    if covariance.shape != augmentation.shape:
        raise ValueError(f"augmentation: expected a matrix of {len(covariance)} rows, got {len(augmentation)}")
    if views == 1:
        return PairMoments(metric=covariance, spread=augmentation, overlap=covariance)
    return PairMoments(metric=covariance + augmentation, spread=2 * augmentation, overlap=covariance)


def sample_pairs(first: Float[np.ndarray, "n d"], second: Float[np.ndarray, "n d"]) -> PairMoments:
    """Return the uncentred moments of n given pairs; every view may be an anchor or a negative.

    Args:
        first: the first view of each pair, (n, d).
        second: the second view of each pair, (n, d).

    Raises: ValueError for unequal shapes, or if the views do not span all dimensions, with the least eigenvalue.
    """
    first, second = np.asarray(first, float), np.asarray(second, float)
    if first.ndim != 2 or first.shape != second.shape or not len(first):
        raise ValueError(f"second: expected the shape of first, {first.shape}, n x d, got {second.shape}")
    size = 2 * len(first)
    metric = check_covariance("views", (first.T @ first + second.T @ second) / size)
    cross = first.T @ second
    difference = first - second
    spread = difference.T @ difference / len(first)
    return PairMoments(metric=metric, spread=spread, overlap=(cross + cross.T) / size)


def check_covariance(field: str, matrix: object, *, is_definite: bool = True) -> Float[np.ndarray, "d d"]:
    """Return a symmetric matrix, or raise ValueError unless it is positive definite (or semidefinite)."""
    try:
        array = np.asarray(matrix, float)
    except (TypeError, ValueError):
        raise ValueError(f"{field}: expected a matrix of numbers, got {matrix!r}") from None
    if array.ndim != 2 or array.shape[0] != array.shape[1] or not array.size:
        raise ValueError(f"{field}: expected a square matrix, got shape {array.shape}")
    if len(array) > LARGEST_DIMENSION:
        raise ValueError(f"{field}: expected at most {LARGEST_DIMENSION} dimensions, got {len(array)}")
    scale = np.abs(array).max()
    if not np.isfinite(scale):
        raise ValueError(f"{field}: expected finite numbers, got {scale}")
    if np.abs(array - array.T).max() > _ASYMMETRY * scale:
        raise ValueError(f"{field}: expected a symmetric matrix, got a difference of {np.abs(array - array.T).max():g}")
    array = (array + array.T) / 2
    least = float(np.linalg.eigvalsh(array)[0])
    rounding = len(array) * np.finfo(float).eps * scale
    if least <= rounding if is_definite else least < -rounding:
        kind = "definite" if is_definite else "semidefinite"
        raise ValueError(f"{field}: expected a positive {kind} matrix, got one of least eigenvalue {least:g}")
    return array


def inverse_root(matrix: Float[np.ndarray, "d d"]) -> Float[np.ndarray, "d d"]:
    """Return ``M^{-1/2}`` of a positive definite matrix."""
    values, vectors = np.linalg.eigh(matrix)
    return vectors / np.sqrt(values) @ vectors.T


def whiten(matrix: Float[np.ndarray, "d d"], metric: Float[np.ndarray, "d d"]) -> Float[np.ndarray, "d d"]:
    """Return ``M^{-1/2} X M^{-1/2}``, symmetric."""
    root = inverse_root(metric)
    whitened = root @ matrix @ root
    return (whitened + whitened.T) / 2
