"""Claims of superposition: the population that they rest on, and that a wrong prediction fails."""

from dataclasses import replace

import numpy as np
import pytest

from experiments.superposition.claims import geometry, robustness, two_features
from experiments.superposition.claims.population import Network, Population, excess_tolerance, summarise
from experiments.verification.claim import FAIL, PASS
from theory import superposition

NETWORK = Network(np.array([[0.9, -0.5, 0.2], [0.1, 0.7, -0.8]]), np.array([0.1, -0.2, 0.3]))


@pytest.fixture(scope="module")
def population():
    return Population(n_features=3, active_probability=0.4, importance=(1.0, 0.5, 2.0), log_points=7)


def test_the_population_has_every_mask_with_its_probability(population):
    assert population.probabilities.sum() == pytest.approx(1, rel=1e-14)
    assert population.probabilities @ population.masks == pytest.approx([0.4] * 3, rel=1e-14)
    always = Population(n_features=3, active_probability=1.0, importance=(1.0,) * 3)
    assert always.masks.tolist() == [[True] * 3]


@pytest.mark.parametrize("is_linear", [False, True])
def test_the_gradient_is_the_slope_of_the_loss(population, is_linear):
    tried = replace(population, is_linear=is_linear)
    inputs, step = population.inputs(0), 1e-6
    gradient = tried.loss_and_gradient(NETWORK, inputs)[1]
    for row, column in ((0, 0), (1, 2)):
        shift = np.zeros((2, 3))
        shift[row, column] = step
        ahead, behind = (
            tried.loss_and_gradient(Network(NETWORK.weights + sign * shift, NETWORK.bias), inputs)[0]
            for sign in (1, -1)
        )
        assert (ahead - behind) / (2 * step) == pytest.approx(gradient.weights[row, column], abs=1e-5)
    ahead, behind = (
        tried.loss_and_gradient(Network(NETWORK.weights, NETWORK.bias + sign * step), inputs)[0] for sign in (1, -1)
    )
    assert (ahead - behind) / (2 * step) == pytest.approx(gradient.bias.sum(), abs=1e-5)


def test_a_descent_ends_at_a_minimum(population):
    end = population.best_of(2, 4)
    loss, gradient = population.loss_and_gradient(end, population.inputs(0))
    assert max(np.abs(gradient.weights).max(), np.abs(gradient.bias).max()) < 1e-7
    assert loss < population.loss_and_gradient(NETWORK, population.inputs(0))[0]
    assert len(population.minima(end)) == 8


def test_an_excess_is_bounded_by_the_spread_of_replicates():
    values = np.array([1.0, 3.0] * 4)
    estimate = summarise(values)
    assert (estimate.mean, estimate.deviation) == (2.0, pytest.approx(np.std(values, ddof=1)))
    assert excess_tolerance(estimate) == pytest.approx(5 * estimate.deviation * (1 + 8**-0.5))


def statuses(claims):
    return {claim.claim.split(": ")[-1]: claim.status for claim in claims}


def minimiser(p, r):
    minimum = superposition.minimise_two_features(p, r)
    return Network(minimum.weights[None, :], minimum.bias), float(minimum.loss)


def test_a_wrong_loss_of_two_features_fails(monkeypatch):
    network = minimiser(0.3, 0.3)[0]
    assert set(statuses(two_features._check_loss("right", network, 0.3, 0.3)).values()) == {PASS}
    loss = superposition.two_feature_loss
    monkeypatch.setattr(superposition, "two_feature_loss", lambda *numbers: loss(*numbers) + 1e-6)
    assert statuses(two_features._check_loss("wrong", network, 0.3, 0.3))["midpoint rule"] == FAIL
    monkeypatch.setattr(superposition, "two_feature_loss", lambda *numbers: 1.05 * loss(*numbers))
    assert set(statuses(two_features._check_loss("wrong", network, 0.3, 0.3)).values()) == {FAIL}


def test_the_minimiser_of_another_importance_fails():
    right, wrong = minimiser(0.3, 0.3), minimiser(0.3, 0.31)
    assert set(statuses(two_features._check_minimiser("right", *right, 0.3, 0.3)).values()) == {PASS}
    claims = list(two_features._check_minimiser("wrong", *wrong, 0.3, 0.3))
    assert claims[0].claim == "minimiser, wrong: loss"
    assert FAIL in {claim.status for claim in claims}


def test_the_minimiser_is_not_better_than_the_candidate_where_that_is_exact(monkeypatch):
    monkeypatch.setattr(two_features, "ABOVE_CROSSING", 1.2)
    assert two_features._check_crossing(0.3).status == FAIL


def test_another_geometry_fails(monkeypatch):
    claims = list(geometry._check_sum(3, 2, 0.3))
    assert [claim.status for claim in claims] == [PASS] * 3
    triangle = superposition.predict(n_features=3, n_hidden=2, active_probability=0.7)
    monkeypatch.setattr(superposition, "predict", lambda **task: triangle)
    assert [claim.status for claim in geometry._check_sum(3, 2, 0.3)][::2] == [FAIL, FAIL]


def test_the_best_code_is_no_control():
    assert geometry._check_wrong_code(0.1, "pentagon").status == FAIL


def test_the_gain_of_another_probability_fails(monkeypatch):
    assert robustness._check_learned_gain(0.2).status == PASS
    other = superposition.predict(n_features=5, n_hidden=2, active_probability=0.19)
    monkeypatch.setattr(superposition, "predict", lambda **task: other)
    assert robustness._check_learned_gain(0.2).status == FAIL


def test_averaging_passes_and_other_averages_fail(monkeypatch):
    monkeypatch.setattr(robustness, "N_CLUSTERS", (4,))
    assert [claim.status for claim in robustness.check_averaging()] == [PASS] * 3
    average = superposition.averaged_features
    monkeypatch.setattr(superposition, "averaged_features", lambda *task: average(*task) * [[1.0], [1.1]])
    assert FAIL in [claim.status for claim in robustness.check_averaging()]
