"""Learning-rate factors of single parameters, frozen ones, and variables that are no parameters."""

import numpy as np
import pytest

pytestmark = pytest.mark.quick


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_factors_scale_the_updates_of_their_parameters(lab, optimizer):
    hyper = lab.Hyper(first_factor=0.25, second_factor=1.5)
    run = lab.train(lab.make_spec(optimizer=optimizer), hyper, initials=True)
    by_hand = lab.NumpyRun(run.initial)
    for _ in range(6):
        step = getattr(by_hand, optimizer)
        step(by_hand.gradients(lab.population_of(), hyper.weight_decay), hyper.learning_rate, factors=(0.25, 1.5))
    lab.assert_weights(run.final, by_hand)


@pytest.mark.parametrize("optimizer", ["sgd", "adam", "lbfgs"])
def test_a_frozen_parameter_keeps_its_bits_and_the_others_learn(lab, optimizer):
    """Also with a penalty, whose gradient a frozen parameter has all the same."""
    run = lab.train(lab.make_spec(optimizer=optimizer), lab.Hyper(first_factor=0.0), initials=True)
    np.testing.assert_array_equal(run.final["first"], run.initial["first"])
    assert np.abs(run.final["second"] - run.initial["second"]).max() > 1e-2
    assert run.metrics["risk"][-1] < run.metrics["risk"][0] / 2


def test_decoupled_decay_leaves_frozen_parameters_alone(lab):
    spec = lab.make_spec(objective=lab.DecoupledLeastSquares(), optimizer="adamw")
    run = lab.train(spec, lab.DecoupledHyper(second_factor=0.0), initials=True)
    np.testing.assert_array_equal(run.final["second"], run.initial["second"])
    assert np.abs(run.final["first"] - run.initial["first"]).max() > 1e-2


def ridge(mixed, targets, decay):
    """The minimiser over ``B`` of ``1/2 mean |f B - y|^2 + lam/2 |B|^2``: ``(F^T F / N + lam)^-1 F^T Y / N``."""
    n_examples, width = mixed.shape
    return np.linalg.solve(mixed.T @ mixed / n_examples + decay * np.eye(width), mixed.T @ targets / n_examples)


def test_lbfgs_with_frozen_features_reaches_ridge_regression_and_stops(lab):
    """With ``A`` frozen the risk is strictly convex in ``B``; only the gradient of ``B`` can end.

    A gradient of norm at most 1e-9 leaves ``B`` within ``1e-9 / lam`` of the minimiser, as ``lam`` bounds the curvature
    from below.
    """
    spec = lab.make_spec(optimizer="lbfgs", n_steps=200, steps_per_record=10, until_gradient_norm=1e-9)
    run = lab.train(spec, lab.Hyper(first_factor=0.0, weight_decay=0.1), initials=True)
    assert run.status == "converged"
    inputs, targets = lab.population_of()
    minimiser = ridge(inputs @ run.initial["mixing"] @ run.initial["first"], targets, 0.1)
    np.testing.assert_allclose(run.final["second"], minimiser, rtol=0, atol=1e-9 / 0.1)


def test_the_recorded_gradient_is_that_of_trained_parameters(lab):
    spec = lab.make_spec(n_steps=0, until_gradient_norm=1e-9)
    run = lab.train(spec, lab.Hyper(first_factor=0.0))
    _, second = lab.NumpyRun(run.final).gradients(lab.population_of(), 0.01)
    # Twenty roundings of 1.1e-16.
    assert run.metrics["gradient_norm"][0] == pytest.approx(np.linalg.norm(second), rel=1e-13)


def test_a_variable_that_is_no_parameter_is_part_of_the_network_and_never_changes(lab):
    """The risk by hand, with the variable, is the recorded one; Adam would move any parameter."""
    run = lab.train(lab.make_spec(optimizer="adam"), initials=True)
    np.testing.assert_array_equal(run.final["mixing"], run.initial["mixing"])
    by_hand = lab.NumpyRun(run.final)
    assert run.metrics["train_loss"][-1] == pytest.approx(by_hand.loss(lab.population_of()), rel=1e-13)
    assert np.abs(by_hand.mixing - np.eye(3)).max() > 0.1
