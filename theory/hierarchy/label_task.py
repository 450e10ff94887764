"""Soft labels on the leaves of a tree: label probabilities, and weight decays."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from theory.checks import require_integer
from theory.hierarchy.tree import Tree, tree_entries
from theory.optimality.weight_decay import joint_decay

if TYPE_CHECKING:
    from jaxtyping import Float

# Tolerance for probabilities that sum to 1 and for ordered entries: decimal rounding of typed input.
_ROUNDING = 1e-9


@dataclass(frozen=True, eq=False)
class LabelTask:
    """Free features, n per leaf; a sample of leaf i has label j with probability P(j|i).

    Args:
        tree: the tree whose leaves are the classes.
        targets: P, one row for each leaf, float64 (K, K).
        samples_per_leaf: n.
        feature_weight_decay, classifier_weight_decay: lam_H of each sample, and lam_W.
    """

    tree: Tree
    targets: Float[np.ndarray, "K K"]
    samples_per_leaf: int
    feature_weight_decay: float
    classifier_weight_decay: float

    @property
    def decay(self) -> float:
        """Coefficient of the nuclear norm of the logits of the leaves, c = sqrt(lam_W lam_H n)."""
        return joint_decay(self.feature_weight_decay, self.classifier_weight_decay) * math.sqrt(self.samples_per_leaf)

    @property
    def classifier_scale(self) -> float:
        """sqrt(n lam_H / lam_W), the ratio of W W^T to the minimising logits; for H H^T it is the inverse."""
        return math.sqrt(self.samples_per_leaf) * math.sqrt(self.feature_weight_decay / self.classifier_weight_decay)

    @property
    def level_eigenvalues(self) -> Float[np.ndarray, " D+1"] | None:
        """lambda_l of levels 0 to D if P depends on the tree distance alone and falls with it, else None."""
        entries = tree_entries(self.tree, self.targets)
        if entries is None or np.any(np.diff(entries) < -_ROUNDING):
            return None
        return self.tree.eigenvalues(entries)


def require_task(
    *,
    branching: int,
    depth: int,
    level_eigenvalues: Sequence[float] | None,
    targets: Float[np.ndarray, "K K"] | None,
    samples_per_leaf: int,
    feature_weight_decay: float,
    classifier_weight_decay: float,
) -> LabelTask:
    """Return the task, or raise ValueError, `field: expected ..., got ...`.

    The arguments are those of `theory.hierarchy.predict_labels`.
    """
    tree = Tree(branching, depth)
    if (level_eigenvalues is None) == (targets is None):
        raise ValueError("targets: expected either targets or level_eigenvalues, got both or neither")
    if level_eigenvalues is not None:
        matrix = tree.matrix(require_eigenvalues(tree, level_eigenvalues))
    else:
        matrix = require_targets(tree, targets)
    n = require_integer("samples_per_leaf", samples_per_leaf, minimum=1)
    task = LabelTask(tree, matrix, n, feature_weight_decay, classifier_weight_decay)
    if not 0 < task.decay < math.inf:
        raise ValueError(f"feature_weight_decay: expected a positive finite product of decays, got {task.decay!r}")
    return task


def require_eigenvalues(tree: Tree, values: Sequence[float]) -> Float[np.ndarray, " D+1"]:
    """Return lambda_l of levels 0 to D, or raise ValueError unless they are non-increasing and in [0, 1]."""
    array = np.asarray(values, dtype=float)
    if array.shape != (tree.depth,):
        raise ValueError(f"level_eigenvalues: expected {tree.depth} numbers, one for each level, got {array.size}")
    if not np.all(np.isfinite(array)):
        raise ValueError(f"level_eigenvalues: expected finite numbers, got {array.tolist()}")
    eigenvalues = np.concatenate([[1.0], array])
    if np.any(np.diff(eigenvalues, append=0.0) > 0):
        raise ValueError(f"level_eigenvalues: expected numbers that fall from 1 at most to 0, got {array.tolist()}")
    return eigenvalues


def require_targets(tree: Tree, targets: object) -> Float[np.ndarray, "K K"]:
    """Return the label distribution of each leaf, (K, K), or raise ValueError."""
    matrix = np.asarray(targets, dtype=float)
    wanted = (tree.n_leaves, tree.n_leaves)
    if matrix.shape != wanted:
        raise ValueError(f"targets: expected shape {wanted}, a row for each leaf, got {matrix.shape}")
    if not np.all(np.isfinite(matrix)) or np.any(matrix < 0):
        raise ValueError(f"targets: expected probabilities, got {float(np.min(matrix))} as the smallest entry")
    worst = matrix.sum(axis=1)[np.argmax(np.abs(matrix.sum(axis=1) - 1))]
    if abs(worst - 1) > _ROUNDING:
        raise ValueError(f"targets: expected rows that sum to 1, got {float(worst)}")
    return matrix / matrix.sum(axis=1, keepdims=True)


def cyclic_targets(n_leaves: int, confusion: float) -> Float[np.ndarray, "K K"]:
    """Return labels that are confused with both neighbours on a circle: 1 - 2 e for the leaf, e for each neighbour.

    Args:
        n_leaves: K, at least 3.
        confusion: e, from 0 to 1/2.

    Returns: P, float64 (K, K).
    Raises: ValueError, `field: expected ..., got ...`.
    """
    if require_integer("n_leaves", n_leaves, minimum=1) < 3:
        raise ValueError(f"n_leaves: expected at least 3 for a circle, got {n_leaves}")
    if not 0 <= confusion <= 0.5:
        raise ValueError(f"cyclic_confusion: expected a number from 0 to 0.5, got {confusion!r}")
    identity = np.eye(n_leaves)
    return (1 - 2 * confusion) * identity + confusion * (np.roll(identity, 1, 0) + np.roll(identity, -1, 0))
