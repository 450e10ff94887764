"""Neural collapse: norms, Gram matrices and risks against an exact minimisation over free features."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from experiments.neural_collapse.claims.free_features import (
    best_vectors,
    compare_products,
    compare_risk,
    minimise_free_features,
)
from experiments.verification.claim import Claim, compare, must_exceed
from experiments.verification.tolerance import position_tolerance
from simlab.exact.minimise import Minima
from theory import feature_collapse
from theory.neural_collapse import Prediction, predict
from theory.neural_collapse.class_imbalance import collapse_thresholds

BALANCED = "Zhu et al., NeurIPS 2021; derived again here"
IMBALANCED = "derived here; two sizes: Fang et al., PNAS 2021"
TYPE_ONE = "Theorem 1 with L = 1; derived here"
CODES = "an ansatz, confirmed by restarts"


@dataclass(frozen=True, kw_only=True)
class FreeFeatures:
    """Classes of given sizes with free features, and the weight decays of the risk.

    Args:
        sizes: number of samples of each class, ``n_k``.
        decays: weight decays ``(lam_H, lam_W)`` of features and classifier, nats.
        dim: dimension ``d`` of the features, or None for ``K``, one more than a simplex needs.
        restarts: number of random starts of the exact minimiser.
    """

    sizes: tuple[int, ...]
    decays: tuple[float, float]
    dim: int | None = None
    restarts: int = 4

    def __str__(self) -> str:
        sizes = f"K={len(self.sizes)} n={self.sizes[0]}" if len(set(self.sizes)) == 1 else f"n_k={self.sizes}"
        width = "" if self.dim is None else f" d={self.dim}"
        return f"{sizes}{width} lam_H={self.decays[0]:.3g} lam_W={self.decays[1]:.3g}"

    @property
    def labels(self) -> np.ndarray:
        """The class of each sample, ``Int[N]``."""
        return np.repeat(np.arange(len(self.sizes)), self.sizes)

    @cached_property
    def prediction(self) -> Prediction:
        """The prediction of theory, in float64."""
        return predict(
            n_classes=len(self.sizes),
            samples_per_class=self.sizes,
            feature_weight_decay=self.decays[0],
            classifier_weight_decay=self.decays[1],
            feature_dim=self.dim,
        )

    @cached_property
    def minimum(self) -> Minima:
        """The minimiser, found from random starts."""
        n_classes = len(self.sizes)
        return minimise_free_features(
            self.labels[:, None], (n_classes,), self.decays, self.dim or n_classes, self.restarts
        )


BALANCED_SETTINGS = (
    FreeFeatures(sizes=(3,) * 4, decays=(1e-2, 1e-2)),
    FreeFeatures(sizes=(5,) * 3, decays=(2e-3, 3e-2)),
    FreeFeatures(sizes=(2,) * 6, decays=(1e-3, 5e-3)),
)
IMBALANCED_SETTINGS = (
    FreeFeatures(sizes=(6, 6, 2, 2), decays=(1e-2, 1e-2)),
    FreeFeatures(sizes=(8, 4, 2, 1), decays=(2e-3, 1e-2)),
    FreeFeatures(sizes=(5, 5, 3, 3, 3), decays=(4e-3, 1e-2)),
)
CODE_SETTINGS = (
    FreeFeatures(sizes=(2,) * 5, decays=(5e-3, 5e-3), dim=2, restarts=12),
    FreeFeatures(sizes=(2,) * 6, decays=(5e-3, 5e-3), dim=3, restarts=12),
    FreeFeatures(sizes=(1,) * 8, decays=(5e-3, 5e-3), dim=3, restarts=12),
)


def check_neural_collapse() -> Iterator[Claim]:
    """Check balanced and unequal classes, the thresholds, the relation to Type I, and the codes of low dimension."""
    for setting in BALANCED_SETTINGS:
        yield from _check_configuration("neural collapse", BALANCED, setting)
        yield from _check_type_one(setting)
    for setting in IMBALANCED_SETTINGS:
        yield from _check_configuration("unequal classes", IMBALANCED, setting)
    yield from _check_minority_collapse((6, 6, 2, 2))
    yield from _check_total_collapse((3, 3, 3))
    for setting in CODE_SETTINGS:
        yield compare_risk(f"low dimension, {setting}", CODES, setting.prediction.risk, setting.minimum)


def _check_configuration(kind: str, source: str, setting: FreeFeatures) -> Iterator[Claim]:
    """Compare rotation-invariant quantities: Gram matrices of features and classifier, logits, and the risk."""
    prediction, minimum = setting.prediction, setting.minimum
    means = prediction.class_means[setting.labels]
    yield from compare_products(f"{kind}, {setting}", source, means, prediction.classifier, minimum)
    yield compare_risk(f"{kind}, {setting}", source, prediction.risk, minimum)


def _check_type_one(setting: FreeFeatures) -> Iterator[Claim]:
    """Check that balanced classes are Type I collapse of K concepts with L = 1 and one word for each sample."""
    prediction, n_classes = setting.prediction, len(setting.sizes)
    type_one = feature_collapse.predict(
        n_concepts=n_classes,
        n_words=sum(setting.sizes),
        sentence_length=1,
        n_classes=n_classes,
        word_frequency="uniform",
        weight_decay=setting.decays[0],
        classifier_weight_decay=setting.decays[1],
        embedding_dim=n_classes,
    )
    numbers = {
        "feature norm": (type_one.embedding_norms[0], prediction.feature_norms[0]),
        "classifier norm": (type_one.classifier_norm, prediction.classifier_norms[0]),
        "risk": (type_one.risk, prediction.risk),
    }
    for label, (of_type_one, of_neural_collapse) in numbers.items():
        tolerance = 64 * np.finfo(float).eps * abs(of_type_one)
        name = f"neural collapse is Type I with L = 1, {setting}: {label}"
        yield compare(name, TYPE_ONE, of_type_one, of_neural_collapse, tolerance, "rounding of the two formulas")


def _check_minority_collapse(sizes: tuple[int, ...]) -> Iterator[Claim]:
    """Check that the smallest classes coincide above their threshold and differ below it."""
    threshold = collapse_thresholds(sizes).min()
    for factor in (0.98, 1.02):
        setting = FreeFeatures(sizes=sizes, decays=(factor * threshold, factor * threshold))
        _, classifier = best_vectors(setting.minimum)
        distance = float(np.linalg.norm(classifier[-1] - classifier[-2]))
        if factor > 1:
            place = 2 * position_tolerance(setting.minimum) * np.sqrt(classifier.shape[1])
            name = f"minority collapse, {setting}: distance of the smallest classes"
            yield compare(name, IMBALANCED, 0.0, distance, place, "2 x position tolerance")
        else:
            name = f"below minority collapse (control), {setting}: distance of the smallest classes"
            yield must_exceed(name, IMBALANCED, 1e-3, distance, "far above rounding")


def _check_total_collapse(sizes: tuple[int, ...]) -> Iterator[Claim]:
    """Check that the network is zero above the threshold and nonzero below it."""
    threshold = FreeFeatures(sizes=sizes, decays=(1.0, 1.0)).prediction.zero_threshold
    for factor in (0.98, 1.02):
        setting = FreeFeatures(sizes=sizes, decays=(factor * threshold, factor * threshold))
        features, _ = best_vectors(setting.minimum)
        largest = np.abs(features).max()
        if factor > 1:
            # The smallest eigenvalue of the Hessian at zero is lam - lam_th.
            gradient = setting.minimum.gradient_norm[setting.minimum.best]
            tolerance = 2 * gradient / (threshold * (factor - 1)) + 1e-14
            name = f"total collapse, {setting}: largest weight"
            yield compare(name, BALANCED, 0.0, largest, tolerance, "2 |gradient| / (lam - lam_th)")
        else:
            name = f"below total collapse (control), {setting}: largest weight"
            yield must_exceed(name, BALANCED, 1e-3, largest, "far above rounding")
