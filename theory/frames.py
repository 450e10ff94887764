"""Equiangular frames: the directions of collapsed representations."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from theory.checks import require_integer

if TYPE_CHECKING:
    from jaxtyping import Float


def equiangular_frame(
    n_vectors: int, dim: int, *, orthogonal_to_ones: bool = False
) -> Float[np.ndarray, "n_vectors dim"]:
    """Return a simplex equiangular tight frame.

        sum_a f_a = 0,   <f_a, f_a> = 1,   <f_a, f_b> = -1 / (n - 1),   sum_a f_a f_a^T = n / (n - 1) on their span

    With `orthogonal_to_ones` the vectors are the centred coordinate axes of R^n, scaled to unit norm: their entries sum
    to zero, so that LayerNorm returns sqrt(d) f_a for every positive multiple of f_a. Otherwise they are the columns of
    the Helmert matrix, an orthonormal basis of the same (n - 1)-dimensional space, so that n - 1 dimensions are enough.

    Args:
        n_vectors: number of vectors n, one per concept; at least 2.
        dim: dimension d of the space; further coordinates are zero.
        orthogonal_to_ones: whether to require <f_a, (1, .., 1)> = 0 as well.

    Returns: float64 array (n_vectors, dim), deterministic, exact to rounding.
    Raises: ValueError if `dim` is below n - 1 (below n with `orthogonal_to_ones`).
    Source: the frame of Theorems 1 to 3 of arXiv 2305.16162; the two constructions are textbook.
    """
    n_vectors = require_integer("n_concepts", n_vectors, minimum=2)
    dim = require_dimension(dim, n_vectors, orthogonal_to_ones=orthogonal_to_ones)
    smallest = _smallest_dimension(n_vectors, orthogonal_to_ones=orthogonal_to_ones)
    vectors = _centred_axes(n_vectors) if orthogonal_to_ones else _helmert_columns(n_vectors)
    frame = np.zeros((n_vectors, dim))
    frame[:, :smallest] = vectors * np.sqrt(n_vectors / (n_vectors - 1))
    return frame


def require_dimension(dim: object, n_vectors: int, *, orthogonal_to_ones: bool) -> int:
    """Return `dim` as an int, or raise ValueError if the frame of `n_vectors` needs more dimensions."""
    dim = require_integer("embedding_dim", dim, minimum=1)
    smallest = _smallest_dimension(n_vectors, orthogonal_to_ones=orthogonal_to_ones)
    if dim < smallest:
        raise ValueError(f"embedding_dim: expected at least {smallest} for n_concepts={n_vectors}, got {dim}")
    return dim


def _smallest_dimension(n_vectors: int, *, orthogonal_to_ones: bool) -> int:
    return n_vectors if orthogonal_to_ones else n_vectors - 1


def _centred_axes(n: int) -> Float[np.ndarray, "n n"]:
    """Return I - 11^T/n, whose rows have squared norm (n - 1) / n."""
    return np.eye(n) - 1 / n


def _helmert_columns(n: int) -> Float[np.ndarray, "n n-1"]:
    """Return the n columns of the (n - 1, n) Helmert matrix: row j is (1, .., 1, -j, 0, .., 0) / sqrt(j (j + 1))."""
    j = np.arange(1, n)
    column = np.arange(n)[:, None]
    entries = np.where(column < j, 1.0, np.where(column == j, -1.0 * j, 0.0))
    return entries / np.sqrt(j * (j + 1.0))
