"""Neural collapse: the minimising features and classifier of the unconstrained features model.

    minimise over W (K, d), h_i (d)   (1/N) sum_i CE(W h_i, y_i) + lam_W/2 |W|^2 + lam_H/2 sum_i |h_i|^2

    balanced, d >= K - 1      a simplex:  logits rho (I - 11^T/K),  rho = log(1/c - K + 1),  c = sqrt(lam_W lam_H n)
    classes of other sizes    the convex problem of `class_imbalance`, with a certificate
    balanced, d < K - 1       a spherical code: an ansatz, see `spherical_codes`

Features of one class always coincide with their mean, since the risk is strictly convex in each feature. Here W is the
classifier, as in the literature on neural collapse; in `feature_collapse` W denotes the embeddings, which correspond to
the features.

Balanced classes are Type I collapse (`type_one`) of K concepts in sentences of length L = 1, with every latent a class
(kappa = 1), n words per concept (n_w = n K), and lam = sqrt(lam_W lam_H): a word vector is then a free feature.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from theory.checks import require_integer
from theory.neural_collapse.class_groups import ClassGroups, group_classes, spread_logits
from theory.neural_collapse.class_imbalance import zero_threshold
from theory.neural_collapse.collapsed_factors import rescale_factors, split_logits
from theory.neural_collapse.grouped_certificate import GroupedLogits
from theory.neural_collapse.grouped_solver import solve_balanced, solve_imbalanced
from theory.neural_collapse.spherical_codes import solve_scales, spherical_code
from theory.optimality.weight_decay import joint_decay
from theory.short_text import number_range

if TYPE_CHECKING:
    from jaxtyping import Bool, Float, Int

# A relative gap or residual above this means that the solver has not converged.
_CONVERGED = 1e-10
# A class mean below this share of the longest one counts as zero; rounding leaves about 1e-16.
_NEGLIGIBLE = 1e-9


class Prediction(NamedTuple):
    """The minimiser, up to one rotation of class means and classifier.

    Args:
        class_means: m_k, float64 (K, d); every feature of class k is m_k.
        classifier: W, float64 (K, d).
        logits: float64 (K, K), nats; row k holds the logits W m_k.
        feature_norms, classifier_norms: |m_k| and |w_k|, float64 (K,).
        cross_entropy, risk: nats.
        lower_bound: on the risk of a network of any feature dimension, nats.
        nuclear_norm: |Z diag(sqrt n)|_*, Z the logits in columns.
        zero_threshold: everything is zero for sqrt(lam_W lam_H) at or above this.
        collapse_thresholds: sqrt(n_k) / N, float64 (K,): classes of size n_k coincide for sqrt(lam_W lam_H) at or above
            this.
        collapsed: bool (K,): the class coincides with all others of its size, or is zero.
        rank: dimension of the span of class means and classifier; the same prediction holds for every d >= rank,
            except for status "ansatz".
        is_proved: whether the prediction is the minimiser by a theorem or by its certificate.
        status: "closed form", "certified", "not converged" or "ansatz".
        note: the basis of the prediction, in one line.
        residual: relative residual of the stationarity equations.
        samples_per_class: n_k, integers (K,).
        feature_weight_decay, classifier_weight_decay: lam_H and lam_W.
    """

    class_means: Float[np.ndarray, "K d"]
    classifier: Float[np.ndarray, "K d"]
    logits: Float[np.ndarray, "K K"]
    feature_norms: Float[np.ndarray, " K"]
    classifier_norms: Float[np.ndarray, " K"]
    cross_entropy: float
    risk: float
    lower_bound: float
    nuclear_norm: float
    zero_threshold: float
    collapse_thresholds: Float[np.ndarray, " K"]
    collapsed: Bool[np.ndarray, " K"]
    rank: int
    is_proved: bool
    status: str
    note: str
    residual: float
    samples_per_class: Int[np.ndarray, " K"]
    feature_weight_decay: float
    classifier_weight_decay: float

    def __repr__(self) -> str:
        """Return a summary of five lines."""
        kind = "zero network" if self.is_zero else f"{self.rank} dimensions"
        lines = (
            f"{kind}, {self.status}",
            f"task: {len(self.samples_per_class)} classes of {number_range(self.samples_per_class)} samples, "
            f"{self.class_means.shape[1]} dimensions",
            f"norms: features {number_range(self.feature_norms)}, classifier {number_range(self.classifier_norms)}",
            f"risk: {self.risk:.6g} nats, cross-entropy {self.cross_entropy:.6g} nats",
            f"zero threshold: {self.zero_threshold:.6g}; weight decays {self.feature_weight_decay:g}, "
            f"{self.classifier_weight_decay:g}",
        )
        return "\n".join(lines)

    @property
    def task(self) -> dict[str, object]:
        """The arguments of `predict` as plain JSON values."""
        sizes = self.samples_per_class.tolist()
        return {
            "n_classes": len(sizes),
            "samples_per_class": sizes[0] if len(set(sizes)) == 1 else sizes,
            "feature_dim": self.class_means.shape[1],
            "feature_weight_decay": self.feature_weight_decay,
            "classifier_weight_decay": self.classifier_weight_decay,
        }

    @property
    def gap(self) -> float:
        """Risk minus lower bound, nats; 0 if rounding makes it negative. For an ansatz it bounds the effect of d."""
        return max(self.risk - self.lower_bound, 0.0)

    @property
    def is_zero(self) -> bool:
        """Whether every logit is zero."""
        return self.rank == 0

    def to_json(self) -> dict[str, object]:
        """Return the prediction as plain JSON values, without the arrays that a rotation changes."""
        lists = ("feature_norms", "classifier_norms", "collapse_thresholds", "collapsed", "samples_per_class")
        numbers = ("cross_entropy", "risk", "lower_bound", "nuclear_norm", "zero_threshold", "rank", "status")
        values = {name: getattr(self, name).tolist() for name in lists}
        values |= {name: getattr(self, name) for name in numbers}
        return {**values, "exact": self.is_proved, "note": self.note}


def predict(
    *,
    n_classes: int = 10,
    samples_per_class: int | Sequence[int] | Int[np.ndarray, " K"] = 100,
    feature_weight_decay: float = 1e-5,
    classifier_weight_decay: float = 1e-3,
    feature_dim: int | None = None,
) -> Prediction:
    """Return the minimiser of the risk of unconstrained features.

    Args:
        n_classes: K, at least 2.
        samples_per_class: n for all classes, or n_k (K,).
        feature_weight_decay: lam_H > 0, the coefficient of |h_i|^2 / 2 for each sample.
        classifier_weight_decay: lam_W > 0.
        feature_dim: d; K - 1 if not given.

    Returns: the prediction.
    Valid: see `is_proved` and `status`; at or above the zero threshold for every d.
    Raises: ValueError, `field: expected ..., got ...`: also for unequal classes if d is below the rank of the
        minimiser, and for balanced ones if d < K - 1 and no code is known for (K, d).
    Source: balanced, Zhu et al., NeurIPS 2021 (arXiv 2105.02375), and derived here; the rest derived here.
    """
    groups = group_classes(_class_sizes(n_classes, samples_per_class))
    decay = joint_decay(feature_weight_decay, classifier_weight_decay)
    dim = groups.n_classes - 1 if feature_dim is None else require_integer("feature_dim", feature_dim, minimum=1)
    task = {
        "feature_weight_decay": float(feature_weight_decay),
        "classifier_weight_decay": float(classifier_weight_decay),
    }
    balanced = groups.sizes.size == 1
    if balanced and dim < groups.n_classes - 1 and decay < zero_threshold(groups):
        return _predict_code(groups, decay, dim, task)
    solution = solve_balanced(groups, decay) if balanced else solve_imbalanced(groups, decay)
    means, classifier = split_logits(groups, solution.margins, solution.averages)
    if dim < means.shape[1]:
        raise ValueError(f"feature_dim: expected at least {means.shape[1]}, the rank of the minimiser, got {dim}")
    status, note = _status_and_note(solution, balanced)
    return _assemble(groups, solution, means, classifier, dim, task, status, note)


def _class_sizes(n_classes: int, samples_per_class: int | Sequence[int] | Int[np.ndarray, " K"]) -> np.ndarray:
    """Return n_k (K,); `group_classes` checks that they are positive integers."""
    n_classes = require_integer("n_classes", n_classes, minimum=2)
    sizes = np.asarray(samples_per_class)
    if sizes.ndim == 0:
        return np.full(n_classes, require_integer("samples_per_class", samples_per_class, minimum=1))
    if sizes.shape != (n_classes,):
        raise ValueError(f"samples_per_class: expected {n_classes} integers, got shape {sizes.shape}")
    return sizes


def _status_and_note(solution: GroupedLogits, balanced: bool) -> tuple[str, str]:
    """Return status and note of a solution of the convex problem."""
    if balanced:
        return "closed form", "a theorem: balanced classes form a simplex"
    gap = solution.risk - solution.lower_bound
    if max(gap / solution.risk, solution.residual) <= _CONVERGED:
        return "certified", f"the convex problem, solved up to a certified gap of {max(gap, 0.0):.1e} nats"
    return "not converged", f"the solver stopped {gap:.1e} nats above the certified lower bound"


def _predict_code(groups: ClassGroups, decay: float, dim: int, task: dict[str, float]) -> Prediction:
    """Return the ansatz of a spherical code, with the risk of the simplex in K - 1 dimensions as lower bound."""
    code = spherical_code(groups.n_classes, dim)
    size = float(groups.sizes[0])
    solved = solve_scales(code, decay * math.sqrt(size))
    vectors = np.hstack([part * math.sqrt(scale) for part, scale in zip(code.parts, solved.scales, strict=True)])
    penalty = decay * math.sqrt(size) * groups.n_classes * float(solved.scales.sum())
    solution = GroupedLogits(
        margins=np.zeros(1),
        averages=np.zeros((1, 1)),
        cross_entropy=solved.cross_entropy,
        penalty=penalty,
        lower_bound=solve_balanced(groups, decay).risk,
        residual=solved.residual,
    )
    note = f"{code.name}: an ansatz, confirmed by minimising from random starts, not by a theorem"
    return _assemble(groups, solution, vectors / size**0.25, vectors * size**0.25, dim, task, "ansatz", note)


def _assemble(
    groups: ClassGroups,
    solution: GroupedLogits,
    means: Float[np.ndarray, "K r"],
    classifier: Float[np.ndarray, "K d"],
    dim: int,
    task: dict[str, float],
    status: str,
    note: str,
) -> Prediction:
    """Return the prediction for a solution in grouped coordinates, with derived quantities."""
    rank = means.shape[1]
    means, classifier = rescale_factors(means, classifier, dim=dim, **task)
    feature_norms, classifier_norms = np.linalg.norm(means, axis=1), np.linalg.norm(classifier, axis=1)
    decay = joint_decay(**task)
    thresholds = np.sqrt(groups.class_sizes) / groups.n_samples
    alike = (groups.counts > 1)[groups.group] & (thresholds <= decay)
    ansatz = status == "ansatz"
    return Prediction(
        class_means=means,
        classifier=classifier,
        logits=means @ classifier.T if ansatz else spread_logits(groups, solution.margins, solution.averages),
        feature_norms=feature_norms,
        classifier_norms=classifier_norms,
        cross_entropy=solution.cross_entropy,
        risk=solution.risk,
        lower_bound=solution.lower_bound,
        nuclear_norm=solution.penalty / decay,
        zero_threshold=zero_threshold(groups),
        collapse_thresholds=thresholds,
        collapsed=alike | (feature_norms <= _NEGLIGIBLE * feature_norms.max()),
        rank=rank,
        is_proved=status in ("closed form", "certified"),
        status=status,
        note=note,
        residual=solution.residual,
        samples_per_class=groups.class_sizes.astype(int),
        **task,
    )
