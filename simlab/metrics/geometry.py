"""Geometry of a set of vectors: norms, directions, angles, spread, and distance modulo rotation.

Functions marked *any backend* accept NumPy and JAX arrays. On the device they record a run in the precision of
training, on the host they measure its final state in float64. Squares are summed over centred vectors, never as a
difference of two large moments, so that a spread of zero is zero up to rounding.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt
    from jaxtyping import Float, Int

    from simlab.tasks.batch import AnyArray


def norms(vectors: Float[AnyArray, "*batch d"]) -> Float[AnyArray, "*batch"]:
    """Return ``|v|`` over the last axis, ``Float[...]``. Any backend."""
    xp = vectors.__array_namespace__()
    return xp.sqrt(xp.sum(vectors**2, axis=-1))


def root_mean_square(values: Float[AnyArray, "*shape"]) -> Float[AnyArray, ""]:
    """Return ``sqrt(mean(x^2))`` over all entries, a scalar. Any backend."""
    xp = values.__array_namespace__()
    return xp.sqrt(xp.mean(values**2))


def directions(vectors: Float[AnyArray, "*batch d"]) -> Float[AnyArray, "*batch d"]:
    """Return the unit vectors ``v / |v|``, ``Float[..., d]``; a zero vector gives NaN. Any backend."""
    with np.errstate(invalid="ignore"):
        return vectors / norms(vectors)[..., None]


def group_means(vectors: Float[AnyArray, "N d"], membership: Float[AnyArray, "G N"]) -> Float[AnyArray, "G d"]:
    """Return the mean of each group of vectors. Any backend.

    Args:
        vectors: ``Float[N, d]``.
        membership: ``Float[G, N]``, 1 where a vector belongs to a group and 0 elsewhere.

    Returns:
        ``Float[G, d]``; zero for a group without members.
    """
    xp = vectors.__array_namespace__()
    sizes = xp.maximum(xp.sum(membership, axis=1), xp.ones_like(membership[:, 0]))
    return membership @ vectors / sizes[:, None]


def membership_matrix(
    groups: Int[AnyArray, " N"], n_groups: int, dtype: npt.DTypeLike
) -> Float[AnyArray, "n_groups N"]:
    """Return ``Float[n_groups, N]``, 1 where ``groups[i] == g`` and 0 elsewhere. Any backend."""
    xp = groups.__array_namespace__()
    return (groups[None, :] == xp.arange(n_groups)[:, None]).astype(dtype)


def direction_spread(vectors: Float[AnyArray, "N d"], membership: Float[AnyArray, "G N"]) -> Float[AnyArray, ""]:
    """Return the spread of directions within their groups: 0 at collapse, at most 1. Any backend.

    ``sqrt(mean_i |v_i/|v_i| - m_g(i)|^2)`` with ``m_g`` the mean direction of group ``g``.

    Args:
        vectors: ``Float[N, d]``.
        membership: ``Float[G, N]`` as in :func:`group_means`.

    Returns:
        A dimensionless scalar.
    """
    units = directions(vectors)
    centres = group_means(units, membership)
    return root_mean_square(norms(units - membership.T @ centres))


def simplex_deviation(vectors: Float[AnyArray, "N d"], membership: Float[AnyArray, "G N"]) -> Float[AnyArray, ""]:
    """Return the deviation of the mean directions of groups from a simplex: 0 for an equiangular frame. Any backend.

    ``sqrt(mean_{a != b} (cos(m_a, m_b) + 1/(G-1))^2)``. The deviation is taken for each pair, as the mean cosine of any
    unit vectors that sum to zero is ``-1/(G-1)``, whether or not they form a simplex.

    Args:
        vectors: ``Float[N, d]``.
        membership: ``Float[G, N]`` as in :func:`group_means`; pairs with an empty group are left out.

    Returns:
        A dimensionless scalar.
    """
    xp = vectors.__array_namespace__()
    n_groups = len(membership)
    present = (xp.sum(membership, axis=1) > 0).astype(vectors.dtype)
    means = group_means(directions(vectors), membership)
    lengths = norms(means)
    # Directions that cancel have no mean direction: the zero vector is used, with cosine 0 to all others.
    centres = means / xp.where(lengths > 0, lengths, xp.ones_like(lengths))[:, None]
    pairs = present[:, None] * present[None, :] * (1 - xp.eye(n_groups, dtype=vectors.dtype))
    return xp.sqrt(xp.sum(pairs * (centres @ centres.T + 1 / (n_groups - 1)) ** 2) / xp.sum(pairs))


def common_rotation(
    pairs: list[tuple[Float[np.ndarray, "*batch d"], Float[np.ndarray, "*batch d"]]],
) -> Float[np.ndarray, "d d"]:
    """Return the common rotation that aligns several predicted arrays with the learned ones (orthogonal Procrustes).

    Minimises ``sum_i |predicted_i R - learned_i|^2 / |predicted_i|^2`` over ``R`` in ``O(d)``: embeddings and
    classifier rotate together, since the logits depend only on their inner products. An array that is predicted to
    vanish does not constrain the rotation and is left out.

    Args:
        pairs: ``(learned, predicted)``, each ``Float[..., d]``.

    Returns:
        ``Float64[d, d]``, orthogonal.
    """
    dim = pairs[0][0].shape[-1]
    correlation = np.zeros((dim, dim))
    for learned, predicted in pairs:
        learned, predicted = (np.asarray(array, np.float64).reshape(-1, dim) for array in (learned, predicted))
        scale = np.sum(predicted**2)
        if scale > 0:
            correlation += predicted.T @ learned / scale
    left, _, right = np.linalg.svd(correlation)
    return left @ right


def relative_distance(learned: Float[np.ndarray, "*shape"], predicted: Float[np.ndarray, "*shape"]) -> float:
    """Return ``|learned - predicted| / |predicted|`` (Frobenius), or ``|learned|`` if zero was predicted."""
    scale = np.linalg.norm(predicted)
    return float(np.linalg.norm(np.asarray(learned, np.float64) - predicted) / (scale if scale > 0 else 1.0))


def singular_values(vectors: Float[np.ndarray, "*batch d"]) -> Float[np.ndarray, " rank"]:
    """Return the singular values of ``Float[..., d]`` as a matrix of ``d`` columns, largest first, in float64."""
    matrix = np.asarray(vectors, np.float64).reshape(-1, vectors.shape[-1])
    if len(matrix) > 4 * matrix.shape[1]:
        # A QR factorisation first: it keeps the relative precision of small values, which a Gram matrix would lose.
        matrix = np.linalg.qr(matrix, mode="r")
    return np.linalg.svd(matrix, compute_uv=False)
