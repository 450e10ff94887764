"""The ODE of a neuron against Monte Carlo gradients, against the ODE of all weights, and a linear network."""

import numpy as np
import pytest
from scipy.special import ndtr

from theory import feature_contamination as contamination
from theory.feature_contamination import Neurons

D_CORE, D_BACKGROUND = 12, 8
FEATURES = contamination.check_features(
    core_features=D_CORE, background_features=D_BACKGROUND, core_mean=0.5, background_mean=0.3, strength_deviation=0.4
)
SIGNS = np.array([1.0, -1.0, 1.0, -1.0, 1.0])
WEIGHTS = np.random.default_rng(1).normal(0.05, 0.3, size=(5, D_CORE + D_BACKGROUND))


def sampled_drift(weights, signs, features, slope, size=200_000):
    """Return S_c', S_b' and (N^2)' of gradient descent on -y f at f = 0, and their standard errors."""
    rng = np.random.default_rng(0)
    means = np.repeat(
        [features.core_mean, features.background_mean], [features.core_features, features.background_features]
    )
    strengths = means + features.core_deviation * rng.standard_normal((size, len(means)))
    labels = np.where(np.arange(size) % 2, 1.0, -1.0)
    inputs = strengths.copy()
    inputs[:, : features.core_features] *= labels[:, None]
    is_active = inputs @ weights.T > 0
    pull = signs * labels[:, None] * np.where(is_active, 1.0, slope)
    core = pull * inputs[:, : features.core_features].sum(axis=1, keepdims=True)
    background = pull * inputs[:, features.core_features :].sum(axis=1, keepdims=True)
    terms = np.stack([core, background, 2 * pull * (inputs @ weights.T)])
    pairs = terms.reshape(3, size // 2, 2, -1).mean(axis=2)  # one of each label
    return pairs.mean(axis=1), pairs.std(axis=1) / np.sqrt(size // 2)


@pytest.mark.parametrize("slope", [0.0, 0.3, 1.0])
def test_the_drift_is_the_mean_gradient(slope):
    mean, error = sampled_drift(WEIGHTS, SIGNS, FEATURES, slope)
    neurons = contamination.summarise(WEIGHTS, D_CORE)
    drift = np.stack(contamination.neuron_drift(neurons, SIGNS, FEATURES, leaky_slope=slope))
    assert np.all(np.abs(drift - mean) < 5 * error)
    halved = contamination.neuron_drift(neurons, SIGNS, FEATURES, leaky_slope=slope, loss_slope=0.5)
    np.testing.assert_allclose(np.stack(halved), drift / 2, rtol=1e-14)


def weight_drift(weights, signs, features, slope):
    """Return the drift of every weight: Stein's lemma feature by feature."""
    means = np.repeat(
        [features.core_mean, features.background_mean], [features.core_features, features.background_features]
    )
    label = np.repeat([1.0, -1.0], [features.core_features, features.background_features])
    norm = np.linalg.norm(weights, axis=1, keepdims=True)
    total = 0.0
    for sign in (1.0, -1.0):
        signed = np.where(label > 0, sign, 1.0)
        kappa = (weights * signed) @ means[:, None] / (features.core_deviation * norm)
        density = np.exp(-(kappa**2) / 2) / np.sqrt(2 * np.pi)
        mean = means * (slope + (1 - slope) * ndtr(kappa))
        edge = (1 - slope) * features.core_deviation * signed * weights / norm * density
        total = total + np.where(label > 0, 1.0, sign) * (mean + edge)
    return signs[:, None] / 2 * total


@pytest.mark.parametrize("slope", [0.0, 0.3])
def test_the_sums_close(slope):
    """Runge-Kutta of order four in all weights: its error falls by 16 when steps are halved."""
    end, ends = 0.3, []
    for n_steps in (20, 40):
        weights, step = WEIGHTS.copy(), end / n_steps
        for _ in range(n_steps):
            first = weight_drift(weights, SIGNS, FEATURES, slope)
            second = weight_drift(weights + step / 2 * first, SIGNS, FEATURES, slope)
            third = weight_drift(weights + step / 2 * second, SIGNS, FEATURES, slope)
            last = weight_drift(weights + step * third, SIGNS, FEATURES, slope)
            weights = weights + step / 6 * (first + 2 * second + 2 * third + last)
        ends.append(np.stack(contamination.summarise(weights, D_CORE)))
    start = contamination.summarise(WEIGHTS, D_CORE)
    paths = contamination.neuron_paths(start, SIGNS, np.array([0.0, end]), FEATURES, leaky_slope=slope)
    bound = np.abs(ends[1] - ends[0]).max() + 1e-8 * np.abs(ends[1]).max()
    assert bound < 1e-5
    np.testing.assert_allclose(np.stack(paths)[:, 1], ends[1], atol=bound)
    np.testing.assert_allclose(np.stack(paths)[:, 0], np.stack(start), rtol=1e-14)


def test_a_linear_network_does_not_learn_the_background():
    start, times = contamination.summarise(WEIGHTS, D_CORE), np.linspace(0, 2, 5)
    paths = contamination.neuron_paths(start, SIGNS, times, FEATURES, leaky_slope=1.0, loss_slope=0.5)
    np.testing.assert_allclose(paths.background_sum, np.tile(start.background_sum, (5, 1)), atol=1e-11)
    expected = start.core_sum + SIGNS * times[:, None] * 0.5 * FEATURES.core_mean * D_CORE
    np.testing.assert_allclose(paths.core_sum, expected, atol=1e-8)


def test_at_random_weights_the_background_has_no_mean_drift():
    """The laws of S_c and -S_c are the same, so that the asymmetry of a neuron and of its mirror image cancel."""
    neurons = contamination.summarise(WEIGHTS, D_CORE)
    mirror = neurons._replace(core_sum=-neurons.core_sum)
    drift = [contamination.neuron_drift(start, np.ones(5), FEATURES) for start in (neurons, mirror)]
    np.testing.assert_allclose(drift[0].background_sum, -drift[1].background_sum, rtol=1e-12)


def test_other_deviations_of_the_background_do_not_close():
    features = contamination.check_features(core_features=4, background_features=4, background_deviation=0.1)
    with pytest.raises(ValueError, match=r"^background_deviation: expected 0.288675, that of the core, .*, got 0.1$"):
        contamination.neuron_drift(Neurons(*np.ones((3, 1))), np.ones(1), features)
