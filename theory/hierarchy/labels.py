"""Hierarchical labels: the geometry of free features and a linear classifier for a tree of confusable classes.

    minimise over W (K, d), h_i (d)   (1/N) sum_i CE(W h_i, P(.|leaf of i)) + lam_W/2 |W|^2 + lam_H/2 sum_i |h_i|^2

K = b^D leaves with n samples each, N = n K, c = sqrt(lam_W lam_H n). If P depends on the tree distance of two leaves
alone and falls with it, with eigenvalue lambda_l on the contrasts of level l (`tree`), then at the minimum

    softmax of the logits   S = sum_l s_l Pi_l,   s_0 = 1,  s_l = max(lambda_l - c K, 0)
    level l is resolved iff c < lambda_l / K
    logits                  Z = sum_(l >= 1) z_l Pi_l, the log of S minus its mean; z_l > 0 iff level l is resolved
    W W^T = sqrt(n lam_H / lam_W) Z,   H H^T = sqrt(lam_W / (n lam_H)) Z for the features of the leaves

Other targets lead to the convex problem of `convex_labels`. Proofs: `theory/hierarchical_labels.md`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from theory.checks import require_integer
from theory.hierarchy.label_task import LabelTask, require_task
from theory.hierarchy.tree import Tree

if TYPE_CHECKING:
    from jaxtyping import Bool, Float, Int

# A relative gap below the first number counts as converged; singular values below the second share as zero.
_CONVERGED, _NEGLIGIBLE = 1e-10, 1e-7


class LabelPrediction(NamedTuple):
    """The minimiser, up to one rotation of features and classifier.

    Args:
        branching, depth: of the tree.
        features: of the leaves, float64 (K, d); every sample of leaf i has row i.
        classifier: W, float64 (K, d).
        logits: Z, float64 (K, K), nats; row i holds the logits W h_i.
        thresholds: float64 (D,), levels 1 to D: a level is not resolved for c at or above its threshold. For targets
            that are not those of a tree only the first is known, at and above which everything is zero; the others are
            NaN.
        resolved: bool (D,): whether a level is resolved.
        level_strengths: z_l, float64 (D,), nats: the mean of Z over the contrasts of a level.
        multiplicities: of the levels, integers (D,).
        rank: dimension of the span of features and classifier.
        cross_entropy, risk: nats.
        lower_bound: certified lower bound on the risk of features of any dimension, nats.
        decay: c.
        basis: "theorem", "certified" or "numerical".
        note: the basis of the prediction, in one line.
    """

    branching: int
    depth: int
    features: Float[np.ndarray, "K d"]
    classifier: Float[np.ndarray, "K d"]
    logits: Float[np.ndarray, "K K"]
    thresholds: Float[np.ndarray, " D"]
    resolved: Bool[np.ndarray, " D"]
    level_strengths: Float[np.ndarray, " D"]
    multiplicities: Int[np.ndarray, " D"]
    rank: int
    cross_entropy: float
    risk: float
    lower_bound: float
    decay: float
    basis: str
    note: str

    @property
    def gap(self) -> float:
        """Risk minus its lower bound, nats; 0 where rounding makes it negative."""
        return max(self.risk - self.lower_bound, 0.0)

    def to_json(self) -> dict[str, object]:
        """Return the prediction as plain JSON values, without the arrays that a rotation changes."""
        thresholds = [None if np.isnan(value) else float(value) for value in self.thresholds]
        lists = {name: getattr(self, name).tolist() for name in ("resolved", "level_strengths", "multiplicities")}
        numbers = ("rank", "cross_entropy", "risk", "lower_bound", "gap", "decay", "basis", "note")
        return {"thresholds": thresholds, **lists, **{name: getattr(self, name) for name in numbers}}


def predict_labels(
    *,
    branching: int = 2,
    depth: int = 3,
    level_eigenvalues: Sequence[float] | None = None,
    targets: Float[np.ndarray, "K K"] | None = None,
    samples_per_leaf: int = 4,
    feature_weight_decay: float = 0.02,
    classifier_weight_decay: float = 0.02,
    feature_dim: int | None = None,
) -> LabelPrediction:
    """Return the minimiser of the risk of free features with hierarchical labels.

    Args:
        branching: b, at least 2.
        depth: D, at least 1.
        level_eigenvalues: lambda_1 .. lambda_D, non-increasing and in [0, 1]; if all are equal, the minimiser is a
            simplex.
        targets: P instead of its eigenvalues, a row for each leaf, (K, K).
        samples_per_leaf: n.
        feature_weight_decay: lam_H > 0, the coefficient of |h_i|^2 / 2 for each sample.
        classifier_weight_decay: lam_W > 0.
        feature_dim: d; the rank of the minimiser if not given.

    Returns: the prediction, with its `basis`.
    Valid: for d at least the rank of the minimiser.
    Raises: ValueError, `field: expected ..., got ...`; also if d is below that rank.
    Source: derived here, `theory/hierarchical_labels.md`.
    """
    task = require_task(
        branching=branching,
        depth=depth,
        level_eigenvalues=level_eigenvalues,
        targets=targets,
        samples_per_leaf=samples_per_leaf,
        feature_weight_decay=feature_weight_decay,
        classifier_weight_decay=classifier_weight_decay,
    )
    dim = None if feature_dim is None else require_integer("feature_dim", feature_dim, minimum=1)
    eigenvalues = task.level_eigenvalues
    prediction = _solve(task) if eigenvalues is None else _apply_theorem(task, eigenvalues)
    return _pad(prediction, dim)


def resolved_rank(tree: Tree, eigenvalues: Float[np.ndarray, " D+1"], decay: float) -> int:
    """Return b^L - 1, with L the number of resolved levels: the rank of the minimiser.

    Args:
        tree: the tree.
        eigenvalues: lambda_l of levels 0 to D.
        decay: c.
    """
    return int(tree.multiplicities[1:][eigenvalues[1:] > decay * tree.n_leaves].sum())


def level_strengths(tree: Tree, eigenvalues: Float[np.ndarray, " D+1"], decay: float) -> Float[np.ndarray, " D"]:
    """Return z_l of levels 1 to D, in nats, by the level theorem.

    Args:
        tree: the tree.
        eigenvalues: lambda_l of levels 0 to D.
        decay: c > 0.
    """
    return tree.eigenvalues(np.log(tree.entries(_softmax_eigenvalues(tree, eigenvalues, decay))))[1:]


def _softmax_eigenvalues(tree: Tree, eigenvalues: Float[np.ndarray, " D+1"], decay: float) -> np.ndarray:
    """Return s_l of levels 0 to D."""
    shrunk = np.maximum(eigenvalues - decay * tree.n_leaves, 0.0)
    shrunk[0] = 1.0
    return shrunk


def _apply_theorem(task: LabelTask, eigenvalues: Float[np.ndarray, " D+1"]) -> LabelPrediction:
    """Return the closed form of the level theorem."""
    tree, decay = task.tree, task.decay
    resolved = eigenvalues[1:] > decay * tree.n_leaves
    softmax = tree.entries(_softmax_eigenvalues(tree, eigenvalues, decay))
    logarithms = tree.eigenvalues(np.log(softmax))
    strengths = np.where(resolved, logarithms[1:], 0.0)
    levels = 1 + np.flatnonzero(resolved)
    parts = [tree.contrasts(int(level)) * np.sqrt(strengths[level - 1]) for level in levels]
    vectors = np.hstack([np.zeros((tree.n_leaves, 0)), *parts])
    cross_entropy = -float(tree.multiplicities @ (eigenvalues * logarithms)) / tree.n_leaves
    # The lower bound at the minimiser is the entropy of its softmax, with theta = 1.
    probabilities = softmax[tree.common_depths[0]]
    risk = cross_entropy + decay * float(tree.multiplicities[1:] @ strengths)
    return LabelPrediction(
        branching=tree.branching,
        depth=tree.depth,
        features=vectors / np.sqrt(task.classifier_scale),
        classifier=vectors * np.sqrt(task.classifier_scale),
        logits=vectors @ vectors.T,
        thresholds=eigenvalues[1:] / tree.n_leaves,
        resolved=resolved,
        level_strengths=strengths,
        multiplicities=tree.multiplicities[1:],
        rank=vectors.shape[1],
        cross_entropy=cross_entropy,
        risk=risk,
        lower_bound=-float(probabilities @ np.log(probabilities)),
        decay=decay,
        basis="theorem",
        note="the level theorem: targets that fall with the tree distance",
    )


def _solve(task: LabelTask) -> LabelPrediction:
    """Return the solution of the convex problem, with its certificate."""
    from theory.hierarchy.convex_labels import solve_logits  # SciPy's optimisers are slow to import

    tree = task.tree
    solution = solve_logits(task.targets, task.decay)
    left, strengths, right = np.linalg.svd(solution.logits)
    rank = int(np.sum(strengths > _NEGLIGIBLE * max(strengths[0], 1.0)))
    root = np.sqrt(strengths[:rank])
    levels = tree.level_means(solution.logits)[1:]
    thresholds = np.full(tree.depth, np.nan)
    thresholds[0] = np.linalg.norm(task.targets - 1 / tree.n_leaves, 2) / tree.n_leaves
    gap = max(solution.risk - solution.lower_bound, 0.0)
    certified = gap <= _CONVERGED * solution.risk
    reason = "targets are not those of a tree: the convex problem, solved"
    return LabelPrediction(
        branching=tree.branching,
        depth=tree.depth,
        features=left[:, :rank] * root / np.sqrt(task.classifier_scale),
        classifier=right[:rank].T * root * np.sqrt(task.classifier_scale),
        logits=solution.logits,
        thresholds=thresholds,
        resolved=levels > _NEGLIGIBLE * max(strengths[0], 1.0),
        level_strengths=levels,
        multiplicities=tree.multiplicities[1:],
        rank=rank,
        cross_entropy=solution.cross_entropy,
        risk=solution.risk,
        lower_bound=solution.lower_bound,
        decay=task.decay,
        basis="certified" if certified else "numerical",
        note=f"{reason} and certified" if certified else f"{reason} up to a gap of {gap:.1e} nats",
    )


def _pad(prediction: LabelPrediction, dim: int | None) -> LabelPrediction:
    """Return the prediction with vectors padded to `dim`, or raise ValueError if `dim` is below the rank."""
    if dim is None:
        return prediction
    if dim < prediction.rank:
        raise ValueError(f"feature_dim: expected at least {prediction.rank}, the rank of the minimiser, got {dim}")
    padding = ((0, 0), (0, dim - prediction.rank))
    return prediction._replace(
        features=np.pad(prediction.features, padding), classifier=np.pad(prediction.classifier, padding)
    )
