"""What is measured of an autoencoder of sparse features, against cases done by hand and against sampling."""

import numpy as np
import pytest

from simlab.metrics import superposition as metrics

pytestmark = pytest.mark.quick

ANGLES = 2 * np.pi * np.arange(5) / 5
PENTAGON = 0.9 * np.stack([np.cos(2 * ANGLES), np.sin(2 * ANGLES)])


def test_dimensionalities_of_a_pentagon_of_a_pair_and_of_a_dropped_feature():
    np.testing.assert_allclose(metrics.feature_dimensionalities(PENTAGON), 2 / 5, rtol=1e-12)
    pair = np.array([[1.0, -1.0, 0.0, 0.0], [0.0, 0.0, 0.7, 0.0]])
    np.testing.assert_allclose(metrics.feature_dimensionalities(pair), [0.5, 0.5, 1.0, 0.0], rtol=1e-12)
    assert metrics.is_represented(pair).tolist() == [True, True, True, False]


def test_gain_is_the_largest_change_of_an_active_output():
    """Move the input by a small step along many directions, and look at the largest change of output 0."""
    directions = np.random.default_rng(0).standard_normal((5, 100_000))
    directions /= np.linalg.norm(directions, axis=0)
    changes = np.abs(PENTAGON[:, 0] @ (PENTAGON @ directions))
    gain = metrics.output_gains(PENTAGON)[0]
    assert changes.max() <= gain * (1 + 1e-12)
    assert changes.max() > 0.98 * gain  # the nearest of 100,000 directions in 5 dimensions is about 0.1 radians off
    np.testing.assert_allclose(gain, 0.9**2 / np.sqrt(2 / 5), rtol=1e-12)


@pytest.mark.parametrize("nonlinearity", ["relu", "linear"])
def test_expected_loss_against_plain_sampling(nonlinearity):
    importance, bias, p = np.array([1.0, 0.5, 2.0, 1.0, 0.3]), np.linspace(-0.2, 0.1, 5), 0.3
    loss = metrics.expected_loss(PENTAGON, bias, p, importance, nonlinearity)
    rng = np.random.default_rng(1)
    inputs = rng.random((5, 400_000)) * (rng.random((5, 400_000)) < p)
    outputs = PENTAGON.T @ PENTAGON @ inputs + bias[:, None]
    outputs = np.maximum(outputs, 0) if nonlinearity == "relu" else outputs
    errors = importance @ (inputs - outputs) ** 2
    assert loss.standard_error < 1e-5 * loss.value
    assert abs(loss.value - errors.mean()) < 5 * errors.std() / np.sqrt(errors.size)


@pytest.mark.parametrize(("norm", "bias"), [(0.9, -0.2), (0.9, 0.1), (1.1, -0.1), (0.3, -0.5), (0.0, 0.2)])
def test_loss_without_interference_against_quadrature(norm, bias):
    """Columns are orthogonal: the error depends on one input, and Gauss's rule is exact on both sides of the kink."""
    p, nodes, widths = 0.3, *np.polynomial.legendre.leggauss(2)
    kink = np.clip(-bias / max(norm**2, 1e-9), 0, 1)
    integral = 0.0
    for start, end in ((0, kink), (kink, 1)):
        x = (start + end) / 2 + (end - start) / 2 * nodes
        integral += (end - start) / 2 * widths @ (x - np.maximum(norm**2 * x + bias, 0)) ** 2
    loss = metrics.expected_loss(norm * np.eye(6), np.full(6, bias), p, np.ones(6)).value
    assert loss == pytest.approx(6 * ((1 - p) * max(bias, 0) ** 2 + p * integral), rel=1e-13)


def test_a_perfect_network_of_many_features_loses_nothing():
    assert metrics.expected_loss(np.eye(12), np.zeros(12), 0.2, np.ones(12)).value < 1e-20


def test_loss_of_many_features_against_plain_sampling():
    """Every feature has more partners than masks are enumerated."""
    weights, p = 0.4 * np.random.default_rng(2).standard_normal((4, 12)), 0.2
    loss = metrics.expected_loss(weights, np.full(12, -0.1), p, np.ones(12))
    rng = np.random.default_rng(3)
    inputs = rng.random((12, 200_000)) * (rng.random((12, 200_000)) < p)
    errors = np.sum((inputs - np.maximum(weights.T @ weights @ inputs - 0.1, 0)) ** 2, axis=0)
    assert 0 < loss.standard_error < 0.005 * loss.value
    sampled = errors.std() / np.sqrt(errors.size)
    # Four sets of points give their spread to a factor of about two: ten of their standard errors.
    assert abs(loss.value - errors.mean()) < 5 * sampled + 10 * loss.standard_error


def test_nothing_represented_costs_a_third_of_p_for_each_feature():
    assert metrics.expected_loss(np.zeros((3, 12)), np.zeros(12), 0.2, np.ones(12)).value == pytest.approx(12 * 0.2 / 3)
