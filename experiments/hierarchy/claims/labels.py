"""Claims on hierarchical labels: the level theorem against exact minimisation over all features and the classifier."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from experiments.neural_collapse.claims.free_features import (
    best_vectors,
    compare_products,
    compare_risk,
    minimise_free_features,
    product_tolerance,
)
from experiments.verification.claim import Claim, compare, must_exceed
from experiments.verification.tolerance import risk_tolerance
from simlab.exact.minimise import Minima
from simlab.metrics import tree as metrics
from simlab.tasks.soft_labels import cyclic_targets, tree_targets
from theory import hierarchy

SOURCE = "derived here: theory/hierarchical_labels.md"
NEAR = 0.02  # relative distance from a threshold; closer to it curvature, and with it accuracy, vanishes
N_RESTARTS = 2


@dataclass(frozen=True, kw_only=True)
class LabelSetting:
    """Free features with soft labels at one c.

    Args:
        branching: children per node of the tree, b.
        depth: levels of the tree, D.
        level_eigenvalues: eigenvalues of the targets by level.
        decay: c = sqrt(lam_W lam_H n).
        ratio: lam_H over lam_W.
        samples_per_leaf: samples per leaf, n.
        cyclic_confusion: probability of cyclic confusions, which replace the targets of the tree if given.
    """

    branching: int
    depth: int
    level_eigenvalues: tuple[float, ...]
    decay: float
    ratio: float = 1.0
    samples_per_leaf: int = 2
    cyclic_confusion: float | None = None

    def __str__(self) -> str:
        name = "" if self.cyclic_confusion is None else f" cyclic {self.cyclic_confusion:g}"
        return f"b={self.branching} D={self.depth}{name} c={self.decay:.4g}"

    @property
    def n_leaves(self) -> int:
        """Number of leaves, K."""
        return self.branching**self.depth

    @property
    def decays(self) -> tuple[float, float]:
        """``(lam_H, lam_W)``."""
        root = self.decay / self.samples_per_leaf**0.5
        return root * self.ratio**0.5, root / self.ratio**0.5

    @property
    def targets(self) -> np.ndarray:
        """The target distributions of the leaves, ``Float[K, K]``, as in the task."""
        if self.cyclic_confusion is not None:
            return cyclic_targets(self.n_leaves, self.cyclic_confusion)
        return tree_targets(self.branching, self.depth, self.level_eigenvalues)

    @cached_property
    def prediction(self) -> hierarchy.LabelPrediction:
        """The prediction of theory."""
        confusion = self.cyclic_confusion
        return hierarchy.predict_labels(
            branching=self.branching,
            depth=self.depth,
            level_eigenvalues=self.level_eigenvalues if confusion is None else None,
            targets=None if confusion is None else hierarchy.cyclic_targets(self.n_leaves, confusion),
            samples_per_leaf=self.samples_per_leaf,
            feature_weight_decay=self.decays[0],
            classifier_weight_decay=self.decays[1],
            feature_dim=self.n_leaves,
        )

    @cached_property
    def minimum(self) -> Minima:
        """The minima found from random starts."""
        labels = np.repeat(np.arange(self.n_leaves), self.samples_per_leaf)[:, None]
        sizes = (self.n_leaves,)
        return minimise_free_features(labels, sizes, self.decays, self.n_leaves, N_RESTARTS, self.targets)

    @property
    def features(self) -> np.ndarray:
        """The predicted feature of each sample, ``Float[K n, d]``."""
        return np.repeat(self.prediction.features, self.samples_per_leaf, axis=0)


BINARY = {"branching": 2, "depth": 3, "level_eigenvalues": (0.94, 0.87, 0.68)}
TERNARY = {"branching": 3, "depth": 2, "level_eigenvalues": (0.9, 0.6)}
SETTINGS = (
    LabelSetting(**BINARY, decay=0.03, ratio=4.0),
    LabelSetting(**TERNARY, decay=0.03, ratio=0.25, samples_per_leaf=3),
    LabelSetting(branching=2, depth=2, level_eigenvalues=(0.8, 0.8), decay=0.05),
)
THRESHOLD_TASKS = (BINARY, TERNARY)
CYCLIC = LabelSetting(**BINARY, cyclic_confusion=0.15, decay=0.0866)


def check_labels() -> Iterator[Claim]:
    """Check Gram matrices and risks, each threshold from both sides, the geometry of nodes, and other targets."""
    for setting in SETTINGS:
        yield from compare_products(
            str(setting), SOURCE, setting.features, setting.prediction.classifier, setting.minimum
        )
        yield compare_risk(str(setting), SOURCE, setting.prediction.risk, setting.minimum)
    for task in THRESHOLD_TASKS:
        yield from _check_thresholds(task)
    yield from _check_geometry(SETTINGS[0])
    yield from _check_null(SETTINGS[2], SETTINGS[0])
    yield from _check_cyclic()


def _check_thresholds(task: dict) -> Iterator[Claim]:
    """Check the strength of every level just below and just above its threshold."""
    for level, eigenvalue in enumerate(task["level_eigenvalues"], start=1):
        for side, word in ((1 - NEAR, "below"), (1 + NEAR, "above")):
            setting = LabelSetting(**task, decay=side * eigenvalue / task["branching"] ** task["depth"])
            strength, tolerance = _learned_strength(setting, level)
            predicted = setting.prediction.level_strengths[level - 1]
            yield compare(
                f"{setting}: strength of level {level}, {NEAR:.0%} {word} its threshold (nats)",
                SOURCE,
                predicted,
                strength,
                tolerance,
                "tolerance of logits, from errors of vectors times lengths",
            )
            if side < 1:
                yield must_exceed(
                    f"{setting}: level {level} is resolved beyond the error (nats)", SOURCE, tolerance, strength
                )


def _learned_strength(setting: LabelSetting, level: int) -> tuple[float, float]:
    """Return the strength of a level in the logits of the minimiser, and its largest error (nats)."""
    features, classifier = best_vectors(setting.minimum)
    leaves = features.reshape(setting.n_leaves, -1, features.shape[1]).mean(axis=1)
    strength = metrics.level_strengths(leaves @ classifier.T, setting.branching, setting.depth)[level - 1]
    # A mean over contrasts of a matrix has an error of at most K times that of its entries.
    return strength, setting.n_leaves * product_tolerance(setting.minimum, features, classifier)


def _check_geometry(setting: LabelSetting) -> Iterator[Claim]:
    """Check that child steps are orthogonal to parents, and that this fails for shuffled leaves."""
    _, classifier = best_vectors(setting.minimum)
    means = metrics.node_means(classifier, setting.branching, setting.depth)
    shortest = min(np.linalg.norm(mean, axis=1).min() for mean in means[1:])
    tolerance = 4 * product_tolerance(setting.minimum, classifier, classifier) / shortest**2
    cosines = metrics.step_cosines(classifier, setting.branching, setting.depth)
    note = "tolerance of inner products over the squared length of the shortest node"
    name = f"{setting}: cosine between (child - parent) and parent"
    yield compare(name, SOURCE, 0.0, cosines, tolerance, note)
    shuffled = metrics.shuffled_cosines(classifier, setting.branching, setting.depth)
    largest = metrics.largest_cosine(shuffled)
    yield must_exceed(f"{name}, leaves shuffled: non-zero", SOURCE, tolerance, largest)


def _check_null(simplex: LabelSetting, tree: LabelSetting) -> Iterator[Claim]:
    """Check that equal eigenvalues give a simplex, also orthogonal, and that a hierarchy has unequal strengths."""
    _, classifier = best_vectors(simplex.minimum)
    cosines = metrics.step_cosines(classifier, simplex.branching, simplex.depth)
    length = np.linalg.norm(classifier, axis=1).min()
    tolerance = 16 * product_tolerance(simplex.minimum, classifier, classifier) / length**2
    yield compare(f"{simplex}: equal strengths also give orthogonal child steps", SOURCE, 0.0, cosines, tolerance)
    strengths = [_learned_strength(tree, level) for level in range(1, tree.depth + 1)]
    spread = strengths[0][0] - strengths[-1][0]
    yield must_exceed(
        f"{tree}: first minus last level strength (nats), zero if all were equal",
        SOURCE,
        2 * strengths[0][1],
        spread,
    )


def _check_cyclic() -> Iterator[Claim]:
    """Check the convex problem, and that the threshold rule of trees fails for cyclic targets."""
    prediction, minimum = CYCLIC.prediction, CYCLIC.minimum
    yield compare_risk(f"{CYCLIC}: convex problem", SOURCE, prediction.risk, minimum)
    bound = 64 * np.finfo(float).eps * prediction.risk
    name = f"{CYCLIC}: certified gap of the convex problem (nats)"
    yield compare(name, SOURCE, 0.0, prediction.gap, bound, "rounding")
    eigenvalues = np.sort(np.linalg.eigvalsh(CYCLIC.targets))[:-1]
    rule = float(np.sum(eigenvalues > CYCLIC.decay * CYCLIC.n_leaves))
    features, classifier = best_vectors(minimum)
    rank = float(np.sum(np.linalg.svd(features @ classifier.T, compute_uv=False) > 1e-3))
    yield compare(f"{CYCLIC}: rank of the logits", SOURCE, prediction.rank, rank, 0.0)
    yield must_exceed(f"{CYCLIC}: the threshold rule of trees overestimates the rank", SOURCE, rank, rule)
    # Control: the closed form applied to level means of the cyclic targets has another risk.
    levels = hierarchy.Tree(CYCLIC.branching, CYCLIC.depth).level_means(CYCLIC.targets)
    wrong = hierarchy.predict_labels(
        branching=CYCLIC.branching,
        depth=CYCLIC.depth,
        level_eigenvalues=tuple(np.minimum.accumulate(np.clip(levels[1:], 0, 1))),
        samples_per_leaf=CYCLIC.samples_per_leaf,
        feature_weight_decay=CYCLIC.decays[0],
        classifier_weight_decay=CYCLIC.decays[1],
    )
    error = abs(wrong.risk - minimum.risk[minimum.best])
    yield must_exceed(
        f"{CYCLIC}: error of the risk by the closed form of trees (nats)", SOURCE, risk_tolerance(minimum), error
    )
