"""Claims on the ODE of a neuron: against mean gradients and the ODE of all weights, with controls."""

from collections.abc import Iterator

import numpy as np

from experiments.feature_contamination.claims.samples import STANDARD_ERRORS, draw_strengths, neuron_gradients
from experiments.verification.claim import Claim, compare, must_exceed
from theory import feature_contamination as contamination

SOURCE = "derived here, theory/feature_contamination/neurons.py"
N_SAMPLES, N_NEURONS = 100_000, 16
SETTINGS = (
    ({"core_features": 32, "background_features": 32}, 0.0),
    ({"core_features": 24, "background_features": 8, "background_mean": 0.2, "strength_deviation": 0.4}, 0.25),
)
EPS = float(np.finfo(float).eps)


def check_neurons() -> Iterator[Claim]:
    """Check the drift at random weights, the paths of the sums, and the effect of a neuron's asymmetry."""
    for task, slope in SETTINGS:
        features = contamination.check_features(**task)
        weights, signs = _random_weights(features)
        sampled = neuron_gradients(weights, signs, draw_strengths(features, N_SAMPLES), features.core_features, slope)
        neurons = contamination.summarise(weights, features.core_features)
        drift = contamination.neuron_drift(neurons, signs, features, leaky_slope=slope)
        name = f"d_c={features.core_features} d_b={features.background_features} slope={slope:g}"
        yield from _check_drift(name, drift, sampled)
        if slope == 0:
            yield _check_asymmetry(name, drift, sampled)
        yield from _check_paths(name, features, weights, signs, slope)
    yield _check_linear()


def _random_weights(features) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(1)
    shape = (N_NEURONS, features.core_features + features.background_features)
    return 0.05 * rng.standard_normal(shape), np.where(np.arange(N_NEURONS) % 2, 1.0, -1.0)


def _check_drift(name: str, drift, sampled) -> Iterator[Claim]:
    """Compare the drift of every neuron, each in units of its standard error."""
    for index, symbol in enumerate(("S_c'", "S_b'", "(N^2)'")):
        error = sampled.error[index]
        claim = f"{symbol} of {N_NEURONS} random neurons, {name}: mean gradient, in standard errors"
        note = f"five standard errors of {N_SAMPLES} samples"
        yield compare(claim, SOURCE, drift[index] / error, sampled.mean[index] / error, STANDARD_ERRORS, note)


def _check_asymmetry(name: str, drift, sampled) -> Claim:
    """Check that the drift of the background is not zero, as it is in a linear network."""
    distance = float(np.max(np.abs(sampled.mean[1]) / sampled.error[1]))
    claim = f"control, {name}: some neuron has a non-zero background drift, in standard errors"
    return must_exceed(claim, SOURCE, 2 * STANDARD_ERRORS, distance, "ten standard errors")


def _check_paths(name: str, features, weights, signs, slope: float) -> Iterator[Claim]:
    """Compare the paths of the sums with the ODE of all weights, whose drift follows from Stein's lemma."""
    end = 0.1
    coarse, fine = (_runge_kutta(features, weights, signs, slope, end, n_steps) for n_steps in (16, 32))
    start = contamination.summarise(weights, features.core_features)
    paths = contamination.neuron_paths(start, signs, np.array([end]), features, leaky_slope=slope)
    for symbol, path, rough, exact in zip(("S_c", "S_b", "N^2"), paths, coarse, fine, strict=True):
        tolerance = np.max(np.abs(rough - exact)) + 1e-8 * np.max(np.abs(exact))
        claim = f"{symbol} at s={end:g}, {name}: ODE of all weights"
        yield compare(claim, SOURCE, path[0], exact, tolerance, "change when steps are halved, plus the solver's 1e-8")


def _runge_kutta(features, weights, signs, slope: float, end: float, n_steps: int):
    """Return S_c, S_b and N^2 of each neuron at the end of the ODE of all weights, by fourth-order Runge-Kutta."""
    step, point = end / n_steps, weights
    for _ in range(n_steps):
        first = _weight_drift(features, point, signs, slope)
        second = _weight_drift(features, point + step / 2 * first, signs, slope)
        third = _weight_drift(features, point + step / 2 * second, signs, slope)
        last = _weight_drift(features, point + step * third, signs, slope)
        point = point + step / 6 * (first + 2 * second + 2 * third + last)
    d = features.core_features
    return point[:, :d].sum(axis=1), point[:, d:].sum(axis=1), np.sum(point**2, axis=1)


def _weight_drift(features, weights, signs, slope: float) -> np.ndarray:
    """Return the derivative of every weight for Gaussian strengths."""
    from scipy.stats import norm

    is_core = np.arange(weights.shape[1]) < features.core_features
    means = np.where(is_core, features.core_mean, features.background_mean)
    deviation = features.core_deviation * np.linalg.norm(weights, axis=1, keepdims=True)
    drift = np.zeros_like(weights)
    for label in (1.0, -1.0):
        signed = np.where(is_core, label, 1.0)
        kappa = (weights @ (signed * means))[:, None] / deviation
        gate = slope + (1 - slope) * norm.cdf(kappa)
        edge = (1 - slope) * features.core_deviation**2 * signed * weights / deviation * norm.pdf(kappa)
        drift += label * signed * (means * gate + edge) / 2
    return signs[:, None] * drift


def _check_linear() -> Claim:
    features = contamination.check_features(core_features=32, background_features=32)
    weights, signs = _random_weights(features)
    start = contamination.summarise(weights, 32)
    paths = contamination.neuron_paths(start, signs, np.array([0.5]), features, leaky_slope=1.0)
    claim = "a linear network keeps the sum of background weights, s=0.5"
    tolerance = 1e3 * EPS * float(np.max(np.abs(start.background_sum)))
    return compare(claim, SOURCE, start.background_sum, paths.background_sum[0], tolerance, "rounding of the solver")
