"""Vectors on the leaves of a balanced tree: the strength of each level, and the directions from parents to children."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from jaxtyping import Float


def node_means(vectors: Float[np.ndarray, "K d"], branching: int, depth: int) -> list[Float[np.ndarray, "nodes d"]]:
    """Return the mean over the leaves below each node, for each depth from the root (0) to the leaves."""
    return [vectors.reshape(branching**level, -1, vectors.shape[1]).mean(axis=1) for level in range(depth + 1)]


def level_strengths(matrix: Float[np.ndarray, "K K"], branching: int, depth: int) -> Float[np.ndarray, " D"]:
    """Return the mean of a matrix over the orthonormal contrasts of each level 1 to ``D``.

    ``tr((E_l - E_{l-1}) A) / (b^l - b^{l-1})`` with ``E_l`` the average over the leaves below each node of depth ``l``.
    """
    traces = []
    for level in range(depth + 1):
        n_nodes = branching**level
        below = len(matrix) // n_nodes
        blocks = matrix.reshape(n_nodes, below, n_nodes, below)
        traces.append(np.einsum("aiaj->", blocks) / below)
    return np.diff(traces) / np.diff(branching ** np.arange(depth + 1))


def level_deviation(matrix: Float[np.ndarray, "K K"], branching: int, depth: int) -> float:
    """Return the distance of a matrix from the tree-structured one with its level strengths, relative to its norm.

    0 means that the entries minus their mean depend only on the tree distance. NaN for a matrix of zeros.
    """
    n_leaves = branching**depth
    leaves = np.arange(n_leaves)
    strengths = level_strengths(matrix, branching, depth)
    rebuilt = np.zeros_like(matrix)
    for level in range(1, depth + 1):
        for sign, ancestor in ((1, level), (-1, level - 1)):
            below = branching ** (depth - ancestor)
            rebuilt += sign * strengths[level - 1] / below * (leaves // below == (leaves // below)[:, None])
    norm = np.linalg.norm(matrix)
    return float(np.linalg.norm(matrix - rebuilt) / norm) if norm else np.nan


def step_cosines(vectors: Float[np.ndarray, "K d"], branching: int, depth: int) -> Float[np.ndarray, " nodes"]:
    """Return the cosine between child minus parent and parent minus root, for each node whose parent is not the root.

    NaN where either is shorter than 1e-5 of the longest vector and has no direction.
    """
    means = node_means(vectors - vectors.mean(axis=0), branching, depth)
    shortest = 1e-5 * np.linalg.norm(means[-1], axis=1).max()
    cosines = []
    for parents, children in pairwise(means[1:]):
        parents = np.repeat(parents, branching, axis=0)
        steps = children - parents
        lengths = np.linalg.norm(parents, axis=1), np.linalg.norm(steps, axis=1)
        has_direction = np.minimum(*lengths) > shortest
        products = np.sum(parents * steps, axis=1)
        cosines.append(np.divide(products, lengths[0] * lengths[1], np.full(len(steps), np.nan), where=has_direction))
    return np.concatenate(cosines) if cosines else np.zeros(0)


def shuffled_cosines(
    vectors: Float[np.ndarray, "K d"], branching: int, depth: int, *, n_shuffles: int = 20, seed: int = 0
) -> Float[np.ndarray, "n_shuffles nodes"]:
    """Return the cosines of :func:`step_cosines` for random orders of the leaves, as a null distribution."""
    rng = np.random.default_rng(seed)
    orders = [rng.permutation(len(vectors)) for _ in range(n_shuffles)]
    return np.array([step_cosines(vectors[order], branching, depth) for order in orders])


def largest_cosine(cosines: Float[np.ndarray, "*shape"]) -> float:
    """Return the largest absolute value of the finite cosines, or NaN if there is none."""
    finite = np.abs(cosines[np.isfinite(cosines)])
    return float(finite.max()) if len(finite) else np.nan


def average_linkage(vectors: Float[np.ndarray, "K d"]) -> Float[np.ndarray, "K-1 4"]:
    """Return the dendrogram of vectors by average linkage of squared distances, which does not use the tree.

    Each row is a merge: the numbers of two clusters (vectors first, then earlier merges), the mean squared distance
    between them, and the size of their union. NaN for vectors that are not finite.
    """
    from scipy.cluster.hierarchy import average
    from scipy.spatial.distance import pdist

    if not np.all(np.isfinite(vectors)):
        return np.full((len(vectors) - 1, 4), np.nan)
    return average(pdist(vectors, "sqeuclidean"))
