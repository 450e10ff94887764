"""Claims of feature contamination: what they rest on, and that a wrong prediction fails."""

import numpy as np
import pytest

from experiments.feature_contamination.claims import curves, neurons, ratio
from experiments.feature_contamination.claims.samples import network_gradient, neuron_gradients
from experiments.verification.claim import FAIL, PASS
from theory import feature_contamination as contamination
from theory.feature_contamination import AlignedNetwork

FEATURES = contamination.check_features(core_features=32, background_features=32)


@pytest.fixture(autouse=True)
def fewer_samples(monkeypatch):
    monkeypatch.setattr(curves, "N_SAMPLES", 50_000)
    monkeypatch.setattr(curves, "N_REPLICATES", 4)
    monkeypatch.setattr(curves, "N_STEPS", 40)
    monkeypatch.setattr(ratio, "N_SAMPLES", 100_000)


def statuses(claims):
    return [claim.status for claim in claims]


def test_the_gradient_of_a_network_is_the_slope_of_its_loss():
    rng = np.random.default_rng(0)
    weights, strengths = rng.standard_normal((4, 5)), rng.standard_normal((50, 5))
    signs = np.array([1.0, -1.0, 1.0, -1.0])

    def loss(point):
        total = 0.0
        for label in (1.0, -1.0):
            inputs = strengths * np.array([label, label, label, 1, 1])
            total += np.mean(np.log1p(np.exp(-label * np.tanh(inputs @ point.T) @ signs / 4))) / 2
        return total

    gradient = network_gradient(np.tanh, lambda h: 1 - np.tanh(h) ** 2, weights, signs, strengths, 3)
    for place in ((0, 0), (3, 4)):
        shift = np.zeros_like(weights)
        shift[place] = 1e-5
        slope = (loss(weights + shift) - loss(weights - shift)) / 2e-5
        assert slope == pytest.approx(gradient[place], abs=1e-9)


def test_sampled_gradients_are_those_of_single_examples():
    """A single draw with both labels, by hand: the neuron is active on label 1 alone."""
    sampled = neuron_gradients(
        np.array([[1.0, 0.5]]), np.array([1.0]), np.array([[2.0, 1.0], [2.0, 1.0]]), core_features=1, slope=0.0
    )
    assert sampled.mean.ravel().tolist() == [1.0, 0.5, 2.5]


def test_a_wrong_drift_of_a_neuron_fails():
    weights, signs = neurons._random_weights(FEATURES)
    strengths = 0.5 + np.random.default_rng(0).standard_normal((20_000, 64)) * FEATURES.core_deviation
    sampled = neuron_gradients(weights, signs, strengths, 32, 0.0)
    summary = contamination.summarise(weights, 32)
    drift = contamination.neuron_drift(summary, signs, FEATURES)
    assert statuses(neurons._check_drift("right", drift, sampled)) == [PASS] * 3
    wrong = contamination.neuron_drift(summary, signs, FEATURES, leaky_slope=0.05)
    assert statuses(neurons._check_drift("wrong", wrong, sampled)) == [FAIL] * 3


def test_a_wrong_ratio_fails(monkeypatch):
    assert ratio._check_root("right", FEATURES, 0.0).status == PASS
    right = contamination.contamination_ratio
    monkeypatch.setattr(contamination, "contamination_ratio", lambda *task: right(*task) * (1 + 1e-6))
    assert ratio._check_root("wrong", FEATURES, 0.0).status == FAIL


def test_a_wrong_accuracy_fails(monkeypatch):
    assert statuses(ratio._check_accuracy()) == [PASS] * 4
    monkeypatch.setattr(contamination, "ood_accuracy", lambda features, r: 0.99)
    assert statuses(ratio._check_accuracy()) == [FAIL, FAIL] * 2


@pytest.mark.parametrize(("network", "end"), curves.SETTINGS[1:])
def test_wrong_curves_fail(network, end):
    right = contamination.aligned_curves(FEATURES, network, np.array([0.0, end]))
    assert statuses(curves._check_end("right", FEATURES, network, right)) == [PASS] * 4
    assert statuses(curves._check_descent("right", FEATURES, network, right, end)) == [PASS] * 2
    wrong = right._replace(
        **{name: 1.5 * getattr(right, name) for name in ("loss", "margin", "ood_loss", "ood_margin")}
    )
    assert statuses(curves._check_end("wrong", FEATURES, network, wrong)) == [FAIL] * 4
    wrong = contamination.aligned_curves(FEATURES, network, np.array([0.0, 0.9 * end]))
    assert FAIL in statuses(curves._check_descent("wrong", FEATURES, network, wrong, end))


def test_odd_activations_pass_with_their_control():
    assert statuses(curves._check_odd()) == [PASS] * 3


def test_without_saturation_the_ratio_does_not_fall(monkeypatch):
    assert curves._check_saturation(FEATURES).status == PASS
    early = contamination.aligned_curves(FEATURES, AlignedNetwork(loss="hinge"), np.array([0.0, 0.1]))
    monkeypatch.setattr(contamination, "aligned_curves", lambda *task: early)
    assert curves._check_saturation(FEATURES).status == FAIL
