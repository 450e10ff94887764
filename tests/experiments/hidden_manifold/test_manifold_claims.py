"""Claims of hidden manifolds: the descents that they rest on, and that wrong predictions fail."""

from dataclasses import replace

import numpy as np
import pytest

from experiments.hidden_manifold.claims import suite
from experiments.hidden_manifold.claims.free_embeddings import (
    descend_spectral,
    icosahedron,
    info_nce,
    ring_law,
    smallest_curvature,
    sphere_law,
)
from experiments.verification.claim import FAIL, PASS
from theory import hidden_manifold as theory


@pytest.fixture(scope="module")
def prediction():
    return theory.predict_grid(manifold="circle", n_points=12, output_dim=3)


def statuses(prediction):
    return [claim.status for claim in suite.check_embedding("x", ring_law(12, 0.5), prediction)]


def test_right_predictions_pass_and_wrong_ones_fail(prediction):
    assert statuses(prediction) == [PASS] * 3
    assert statuses(replace(prediction, loss=prediction.loss + 1e-10)) == [FAIL, PASS, PASS]
    bent = prediction.embeddings + 1e-5 * np.arange(12)[:, None]
    assert statuses(replace(prediction, embeddings=bent)) == [PASS, FAIL, PASS]
    assert statuses(replace(prediction, eigenvalues=prediction.eigenvalues * (1 + 1e-5)))[2] == FAIL


def test_the_gradient_of_info_nce_is_its_slope():
    joint = sphere_law(theory.spiral_points(10), 3.0)
    loss, point = info_nce(joint, 0.4), np.random.default_rng(0).normal(size=(10, 3))
    slope, step = loss(point)[1], 1e-6
    for place in ((0, 0), (4, 2), (9, 1)):
        shift = np.zeros_like(point)
        shift[place] = step
        ahead, behind = (loss(point + sign * shift)[0] for sign in (1, -1))
        assert (ahead - behind) / (2 * step) == pytest.approx(slope[place], abs=1e-8)


def test_curvature_beyond_the_flat_directions():
    values = np.array([0.0, 0.0, 0.5, 2.0])
    quadratic = lambda point: (0.5 * np.sum(values * point**2), values * point)  # noqa: E731
    assert smallest_curvature(quadratic, np.ones(4), 2) == pytest.approx(0.5, abs=1e-9)


def test_the_vertices_of_an_icosahedron_are_alike():
    products = np.sort(icosahedron() @ icosahedron().T, axis=1)
    expected = [-1, *[-(5**-0.5)] * 5, *[5**-0.5] * 5, 1]
    np.testing.assert_allclose(products, np.tile(expected, (12, 1)), atol=1e-15)


def test_a_control_that_is_no_control_fails(monkeypatch):
    """Partners that are not folded hide no coordinate."""
    monkeypatch.setattr(suite, "sphere_law", lambda points, kappa, **_: sphere_law(points, kappa))
    claims = {claim.claim: claim.status for claim in suite._check_spectral_loss()}
    assert claims["control: folded partners hide a coordinate, 1 - R^2"] == FAIL
    assert claims["minimum spectral loss, sphere, N=50 d=4"] == PASS


def test_wrong_closed_forms_fail(monkeypatch):
    right, loss = theory.sphere_eigenvalue, theory.least_loss
    monkeypatch.setattr(theory, "sphere_eigenvalue", lambda *numbers: right(*numbers) * (1 + 1e-10))
    monkeypatch.setattr(theory, "least_loss", lambda kappa: loss(kappa) + 1e-10)
    assert [claim.status for claim in suite._check_spectra()][-3:] == [FAIL] * 3
    contrast = [claim for claim in suite._check_contrast() if "InfoNCE on the sphere" in claim.claim]
    assert [claim.status for claim in contrast] == [FAIL] * 3


def test_a_descent_ends_at_the_least_loss():
    end = descend_spectral(ring_law(9, 0.5), 3, 0)
    values = np.linalg.eigvalsh(9 * ring_law(9, 0.5))[::-1]
    assert end.loss == pytest.approx(-np.sum(values[:3] ** 2), abs=1e-13)
