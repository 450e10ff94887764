"""Claims of dimensional collapse: the descent that they rest on, and that wrong predictions fail."""

from dataclasses import replace

import numpy as np
import pytest

from experiments.dimensional_collapse.claims import losses, minimisers
from experiments.dimensional_collapse.claims.descent import Risk
from experiments.verification.claim import FAIL, PASS
from theory import dimensional_collapse as theory

SMALL = np.diag([1.0, 2.0, 0.5]), np.array([[0.5, 0.1, 0.0], [0.1, 1.0, 0.2], [0.0, 0.2, 2.0]])


@pytest.mark.parametrize(
    "given",
    [
        {"similarity": "distance", "temperature": 0.7},
        {"similarity": "dot", "temperature": 0.7},
        {"similarity": "spectral"},
    ],
)
def test_the_gradient_is_the_slope_of_the_expected_loss(given):
    pairs, weights = theory.gaussian_pairs(*SMALL, 2), np.random.default_rng(0).normal(size=(4, 3)) / 2
    value, gradient = Risk(pairs=pairs, weight_decay=0.3, **given)(weights)
    decay = 0.15 * np.sum(weights**2)
    assert value - decay == pytest.approx(theory.expected_loss(pairs, weights.T @ weights, **given), rel=1e-13)
    step = 1e-6
    for place in ((0, 0), (2, 1), (3, 2)):
        shift = np.zeros_like(weights)
        shift[place] = step
        ahead, behind = (Risk(pairs=pairs, weight_decay=0.3, **given)(weights + sign * shift)[0] for sign in (1, -1))
        assert (ahead - behind) / (2 * step) == pytest.approx(gradient[place], abs=1e-8)


def test_a_descent_ends_at_a_minimum_to_rounding():
    end = Risk(pairs=theory.gaussian_pairs(*SMALL, 1), similarity="distance").descend(4)
    assert end.gradient_norm < 1e-11


def statuses(pairs, prediction_changes, monkeypatch, output_dim=3):
    right = theory.predict_pairs(pairs, similarity="distance", output_dim=output_dim)
    monkeypatch.setattr(theory, "predict_pairs", lambda *a, **b: replace(right, **prediction_changes(right)))
    return [one.status for one in minimisers._check_spectrum("x", "y", pairs, {"similarity": "distance"}, output_dim)]


def test_right_spectra_pass_and_wrong_ones_fail(monkeypatch):
    pairs = theory.gaussian_pairs(*SMALL, 1)
    assert statuses(pairs, lambda right: {}, monkeypatch) == [PASS] * 3
    monkeypatch.undo()
    slightly = lambda right: {"eigenvalues": right.eigenvalues * (1 + 1e-8)}  # noqa: E731
    assert statuses(pairs, slightly, monkeypatch)[0] == FAIL
    monkeypatch.undo()
    full = lambda right: {"eigenvalues": right.eigenvalues + 1e-3, "loss": right.loss + 1e-10}  # noqa: E731
    assert statuses(pairs, full, monkeypatch) == [FAIL] * 3


def test_the_control_of_commuting_matrices_fails_where_they_commute():
    covariance = np.diag(np.geomspace(0.5, 2, minimisers.DIM))
    augmentation = covariance * np.diag(minimisers.RATIOS)
    controls = list(minimisers.check_controls(covariance, augmentation))
    assert [control.status for control in controls] == [PASS, PASS, PASS, FAIL, PASS]


def test_a_wrong_loss_and_a_wrong_correction_fail(monkeypatch):
    monkeypatch.setattr(losses, "N_ANCHORS", 20_000)
    assert {claim.status for claim in losses.check_losses()} == {PASS}
    loss, correction = theory.expected_loss, theory.batch_correction
    monkeypatch.setattr(theory, "expected_loss", lambda *numbers: loss(*numbers) + 1e-9)
    monkeypatch.setattr(theory, "batch_correction", lambda *numbers: 2 * correction(*numbers))
    checked = [claim for claim in losses.check_losses() if "control" not in claim.claim]
    assert {claim.status for claim in checked} == {FAIL}
