"""Neural collapse with several labels: one head for each factor, against exact minimisation over free features."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, replace
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
from experiments.verification.tolerance import LARGEST_TOLERANCE, position_tolerance
from simlab.exact.minimise import Minima
from theory.neural_collapse.factors import FactorPrediction, predict
from theory.optimality.factor_certificate import Certificate, certify_factors

SOURCE = "derived here"
EPS = np.finfo(float).eps


@dataclass(frozen=True, kw_only=True)
class Factors:
    """Samples with a label of each factor and free features, with the weight decays of the risk.

    Args:
        sizes: number of values of each factor, ``K_f``.
        decays: weight decays ``(lam_H, lam_W)`` of features and classifier, nats.
        copies: number of samples of every combination of values.
        latin_square: whether the last factor is the sum of the others (modulo their common size), so that only pairs of
            factors combine freely.
    """

    sizes: tuple[int, ...]
    decays: tuple[float, float]
    copies: int = 1
    latin_square: bool = False

    def __str__(self) -> str:
        design = " Latin square" if self.latin_square else ""
        n_samples = len(self.labels)
        return f"K_f={self.sizes} N={n_samples}{design} lam_H={self.decays[0]:.3g} lam_W={self.decays[1]:.3g}"

    @property
    def labels(self) -> np.ndarray:
        """The value of each factor, ``Int[N, F]``."""
        sizes = self.sizes[:-1] if self.latin_square else self.sizes
        labels = np.array(list(itertools.product(*map(range, sizes))))
        if self.latin_square:
            labels = np.column_stack([labels, labels.sum(axis=1) % self.sizes[-1]])
        return np.repeat(labels, self.copies, axis=0)

    @property
    def dim(self) -> int:
        """The dimension ``d``, one more than the simplices need."""
        return sum(self.sizes) - len(self.sizes) + 1

    @property
    def joint_decay(self) -> float:
        """``sqrt(lam_W lam_H)``."""
        return float(np.sqrt(self.decays[0] * self.decays[1]))

    @cached_property
    def prediction(self) -> FactorPrediction:
        """The prediction of theory, in float64."""
        return predict(
            factor_sizes=self.sizes,
            n_samples=len(self.labels),
            feature_weight_decay=self.decays[0],
            classifier_weight_decay=self.decays[1],
            feature_dim=self.dim,
        )

    @cached_property
    def minimum(self) -> Minima:
        """The minimiser, found from random starts."""
        return minimise_free_features(self.labels, self.sizes, self.decays, self.dim, 4)

    def split(self, classifier: np.ndarray) -> list[np.ndarray]:
        """Return the rows ``Float[K_f, d]`` of each head."""
        return np.split(classifier, np.cumsum(self.sizes)[:-1])

    def certify(self, features: np.ndarray, classifier: np.ndarray) -> Certificate:
        """Return the certificate of given features and classifier."""
        decays = {"feature_weight_decay": self.decays[0], "classifier_weight_decay": self.decays[1]}
        return certify_factors(self.labels, self.sizes, features, classifier, **decays)


SETTINGS = (
    Factors(sizes=(2, 3), copies=2, decays=(2e-2, 8e-2)),
    Factors(sizes=(2, 2, 3), decays=(5e-2, 5e-2)),
    # sqrt(lam_W lam_H) = 0.18: the factor with three values has vanished, those with two have not.
    Factors(sizes=(2, 2, 3), decays=(0.3, 0.108)),
    Factors(sizes=(3, 3, 3), latin_square=True, decays=(6e-2, 2e-2)),
)


def check_factor_collapse() -> Iterator[Claim]:
    """Check the configurations, their linear and orthogonal directions, their certificates, and the thresholds."""
    for setting in SETTINGS:
        yield from check_factors(setting, setting.minimum)
    yield _check_refusal(SETTINGS[0])
    for factor in range(len(SETTINGS[0].sizes)):
        yield from _check_threshold(SETTINGS[0], factor)


def check_factors(setting: Factors, minimum: Minima) -> Iterator[Claim]:
    """Check a minimiser: rotation-invariant quantities, the directions of the factors, and the certificate."""
    prediction = setting.prediction
    features, classifier = prediction.features(setting.labels), np.vstack(prediction.classifiers)
    yield from compare_products(f"factors, {setting}", SOURCE, features, classifier, minimum)
    yield compare_risk(f"factors, {setting}", SOURCE, prediction.risk, minimum)
    yield from _check_directions(setting, minimum)
    yield from _check_certificate(setting, minimum)


def _check_directions(setting: Factors, minimum: Minima) -> Iterator[Claim]:
    """Check, from the learned features alone, that they are sums of one vector per factor, in orthogonal directions."""
    features, _ = best_vectors(minimum)
    place = position_tolerance(minimum)
    means = [_value_means(features, column, size) for column, size in zip(setting.labels.T, setting.sizes, strict=True)]
    sums = sum(mean[column] for mean, column in zip(means, setting.labels.T, strict=True))
    name = f"factors add up, {setting}: feature minus the mean features of its values"
    yield compare(name, SOURCE, 0.0, features - sums, (1 + len(means)) * place, "(1 + F) x position tolerance")
    if not setting.latin_square:
        name = f"linear concept directions, {setting}: spread of a factor's differences over the other factors"
        yield compare(name, SOURCE, 0.0, _spreads(setting, features), 4 * place, "4 x position tolerance")
    yield _check_orthogonality(setting, minimum, means)


def _value_means(features: np.ndarray, column: np.ndarray, size: int) -> np.ndarray:
    """Return the mean feature of each value of a factor, ``Float[K_f, d]``."""
    return np.array([features[column == value].mean(axis=0) for value in range(size)])


def _spreads(setting: Factors, features: np.ndarray) -> list[float]:
    """Return, for each factor, how much entries of a difference along it depend on the values of the other factors."""
    # Samples are ordered by their values, with copies fastest, then the last factor.
    grid = features.reshape(*setting.sizes, setting.copies, -1)
    factors = range(len(setting.sizes))
    others = [tuple(axis for axis in range(grid.ndim - 1) if axis != factor) for factor in factors]
    return [float(np.ptp(np.diff(grid, axis=factor), axis=others[factor]).max()) for factor in factors]


def _check_orthogonality(setting: Factors, minimum: Minima, means: list[np.ndarray]) -> Claim:
    """Check that the mean features of every two remaining factors are orthogonal; at least two must remain."""
    remaining = [mean for mean, gone in zip(means, setting.prediction.vanished, strict=True) if not gone]
    cosines, tolerances = [], []
    for left, right in itertools.combinations(remaining, 2):
        lengths = np.outer(np.linalg.norm(left, axis=1), np.linalg.norm(right, axis=1))
        cosines.append(np.abs(left @ right.T / lengths).max())
        tolerances.append(product_tolerance(minimum, left, right) / lengths.min())
    name = f"orthogonal factors, {setting}: cosine between mean features of two factors"
    return compare(name, SOURCE, 0.0, cosines, min(tolerances), "position tolerance over length")


def _check_certificate(setting: Factors, minimum: Minima) -> Iterator[Claim]:
    """Check that the certificate of the learned minimiser is tight, up to the error of the minimiser."""
    features, classifier = best_vectors(minimum)
    certificate = setting.certify(features, classifier)
    # The derivative of the softmax has norm at most 1/2, so it changes by at most half the change of the logits: the
    # error of one matrix times the norm of the other. G is 1/N of it, and singular values change by at most as much.
    norms = np.linalg.norm(features, 2) + np.linalg.norm(classifier, 2)
    slack = position_tolerance(minimum) * norms / (2 * len(features) * setting.joint_decay) + 8 * EPS * len(classifier)
    name = f"the minimiser is certified, {setting}"
    note = "position tolerance and rounding of G"
    yield compare(f"{name}: sigma_max / lam", SOURCE, 1.0, 1.0 + certificate.excess, slack, note)
    # Without scaling of the dual point, the gap is half the product of gradient and weights; scaling by 1 / (1 + slack)
    # costs, to leading order, the slack times lam |M|_* < risk.
    size = np.hypot(np.linalg.norm(features), np.linalg.norm(classifier))
    gap = 0.5 * minimum.gradient_norm[minimum.best] * size + 2 * slack * certificate.risk
    bound = min(gap + 64 * EPS * max(1.0, certificate.risk), LARGEST_TOLERANCE)
    yield compare(f"{name}: duality gap (nats)", SOURCE, 0.0, certificate.gap, bound, "slack of sigma_max x risk")


def _check_refusal(setting: Factors) -> Claim:
    """Check, as a control, that the gap of a non-minimising network bounds its excess risk."""
    features, classifier = best_vectors(setting.minimum)
    certificate = setting.certify(features, 1.05 * classifier)
    excess = certificate.risk - setting.prediction.risk
    name = f"control, {setting}, classifier 5 % too large: duality gap (nats)"
    return must_exceed(name, SOURCE, excess, certificate.gap, "the excess risk")


def _check_threshold(setting: Factors, factor: int) -> Iterator[Claim]:
    """Check the gradient on an omitted factor, and that its head is zero above the threshold and nonzero below it."""
    size, threshold = setting.sizes[factor], setting.prediction.thresholds[factor]
    prediction = setting.prediction
    without = [mean * (f != factor) for f, mean in enumerate(prediction.value_means)]
    heads = [head * (f != factor) for f, head in enumerate(prediction.classifiers)]
    features = prediction._replace(value_means=tuple(without)).features(setting.labels)
    sigma_max = setting.certify(features, np.vstack(heads)).sigma_max
    name = f"vanishing threshold, {setting}, factor of {size} left out: sigma_max"
    yield compare(name, SOURCE, threshold, sigma_max, 8 * EPS * sum(setting.sizes), "rounding of singular values")
    for share in (0.98, 1.02):
        near = replace(setting, decays=(share * threshold, share * threshold))
        largest = np.abs(near.split(best_vectors(near.minimum)[1])[factor]).max()
        if share > 1:
            name = f"above the vanishing threshold, {near}, factor of {size}: largest weight of its head"
            yield compare(name, SOURCE, 0.0, largest, position_tolerance(near.minimum), "position tolerance")
        else:
            name = f"below the vanishing threshold (control), {near}, factor of {size}: largest weight of its head"
            yield must_exceed(name, SOURCE, 1e-3, largest, "far above rounding")
