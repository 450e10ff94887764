"""Balanced trees, and matrices on their leaves that depend only on the tree distance.

A tree of branching b and depth D has K = b^D leaves, numbered from left to right. A node of depth l has M_l = b^(D-l)
leaves below it. The *common depth* of two leaves is the depth of their lowest common ancestor: D for a leaf and itself,
0 for leaves that share only the root. E_l averages over the leaves of each node of depth l, and

    Pi_l = E_l - E_(l-1)   projects onto the contrasts of level l, of multiplicity b^l - b^(l-1);   Pi_0 = E_0

so that a matrix whose entries A(m) depend only on the common depth m is A = sum_l a_l Pi_l with

    a_l = sum_(m >= l) (A(m) - A(m-1)) M_m,   A(-1) = 0;       A(m) = sum_(l <= m) (a_l - a_(l+1)) / M_l,   a_(D+1) = 0.

Applying a function to the entries of such a matrix gives such a matrix again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from theory.checks import require_integer

if TYPE_CHECKING:
    from jaxtyping import Float, Int

# For a larger tree a matrix on the leaves does not fit in memory.
MOST_LEAVES = 8192


@dataclass(frozen=True)
class Tree:
    """A balanced tree.

    Args:
        branching: b, children of each node, at least 2.
        depth: D, edges from the root to a leaf, at least 1.

    Raises: ValueError, `field: expected ..., got ...`; also for more than `MOST_LEAVES` leaves.
    """

    branching: int
    depth: int

    def __post_init__(self):
        branching = require_integer("branching", self.branching, minimum=2)
        depth = require_integer("depth", self.depth, minimum=1)
        if branching > MOST_LEAVES:
            raise ValueError(f"branching: expected at most {MOST_LEAVES}, got {branching}")
        most = max(level for level in range(1, 14) if branching**level <= MOST_LEAVES)
        if depth > most:
            raise ValueError(f"depth: expected at most {most} with branching={branching}, got {depth}")

    @property
    def n_leaves(self) -> int:
        """K = b^D."""
        return self.branching**self.depth

    @property
    def leaves_below(self) -> Int[np.ndarray, " D+1"]:
        """M_l, the number of leaves below a node of each depth 0 to D."""
        return self.branching ** np.arange(self.depth, -1, -1)

    @property
    def multiplicities(self) -> Int[np.ndarray, " D+1"]:
        """The dimension of the contrasts of each level 0 to D; level 0, the mean, has dimension 1."""
        nodes = self.branching ** np.arange(self.depth + 1)
        return np.diff(nodes, prepend=0)

    @property
    def common_depths(self) -> Int[np.ndarray, "K K"]:
        """The depth of the lowest common ancestor of every two leaves."""
        leaves = np.arange(self.n_leaves)
        ancestors = leaves // self.leaves_below[:, None]
        return (ancestors[:, :, None] == ancestors[:, None, :]).sum(axis=0) - 1

    def nodes(self, depth: int) -> Float[np.ndarray, "nodes K"]:
        """Return the indicators of the leaves below each node of a depth, one row per node."""
        return np.kron(np.eye(self.branching**depth), np.ones(self.leaves_below[depth]))

    def contrasts(self, level: int) -> Float[np.ndarray, "K multiplicity"]:
        """Return an orthonormal basis of the contrasts of a level, 0 to D.

        Contrasts of level l compare the children of one node of depth l - 1: they are the Helmert contrasts of its b
        children, constant on the M_l leaves below each child.
        """
        if level == 0:
            return np.full((self.n_leaves, 1), self.n_leaves**-0.5)
        b, below = self.branching, int(self.leaves_below[level])
        j, row = np.arange(1, b), np.arange(b)[:, None]
        helmert = np.where(row < j, 1.0, np.where(row == j, -1.0 * j, 0.0)) / np.sqrt(j * (j + 1.0))
        return np.kron(np.eye(b ** (level - 1)), np.kron(helmert, np.full((below, 1), below**-0.5)))

    def entries(self, eigenvalues: Float[np.ndarray, " D+1"]) -> Float[np.ndarray, " D+1"]:
        """Return A(m), the entry of each common depth, from the eigenvalue of each level 0 to D."""
        return np.cumsum(-np.diff(eigenvalues, append=0.0) / self.leaves_below)

    def eigenvalues(self, entries: Float[np.ndarray, " D+1"]) -> Float[np.ndarray, " D+1"]:
        """Return a_l, the eigenvalue of each level 0 to D, from the entry of each common depth."""
        return np.cumsum((np.diff(entries, prepend=0.0) * self.leaves_below)[::-1])[::-1]

    def matrix(self, eigenvalues: Float[np.ndarray, " D+1"]) -> Float[np.ndarray, "K K"]:
        """Return sum_l a_l Pi_l."""
        return self.entries(np.asarray(eigenvalues, float))[self.common_depths]

    def level_means(self, matrix: Float[np.ndarray, "K K"]) -> Float[np.ndarray, " D+1"]:
        """Return tr(Pi_l A) / multiplicity of each level: the eigenvalues, if A depends only on the tree distance."""
        traces = [np.sum(self.contrasts(level) * (matrix @ self.contrasts(level))) for level in range(self.depth + 1)]
        return np.array(traces) / self.multiplicities

    def path_properties(self) -> Float[np.ndarray, "nodes K"]:
        """Return the item-by-property matrix in which the properties of a leaf are the nodes on its path, root first.

        Its squared singular values are s_l^2 = (b^(D-l+1) - 1) / (b - 1) on level l = 0 to D. Source: Saxe et al.,
        arXiv 1312.6120.
        """
        return np.vstack([self.nodes(depth) for depth in range(self.depth + 1)])


def tree_entries(tree: Tree, matrix: Float[np.ndarray, "K K"]) -> Float[np.ndarray, " D+1"] | None:
    """Return A(m) if a matrix depends only on the tree distance, up to rounding, otherwise None."""
    depths = tree.common_depths
    entries = np.array([matrix[depths == depth].mean() for depth in range(tree.depth + 1)])
    rounding = 8 * np.finfo(float).eps * np.abs(matrix).max() * tree.n_leaves
    return entries if np.abs(matrix - entries[depths]).max() <= rounding else None
