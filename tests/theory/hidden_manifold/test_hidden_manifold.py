"""Spectra of kernels on manifolds, what the spectral loss learns of them, and InfoNCE on the sphere."""

import re

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import eval_legendre

from theory import hidden_manifold as theory

EPS = np.finfo(float).eps


def dense_ring(n_points, width):
    """Return the kernel of a ring, summed over windings directly."""
    row = [sum(np.exp(-((2 * np.pi * (j / n_points + m)) ** 2) / (2 * width**2)) for m in range(-20, 21))
           for j in range(n_points)]  # fmt: skip
    return np.array([[row[(i - j) % n_points] for j in range(n_points)] for i in range(n_points)]) / sum(row)


@pytest.mark.quick
@pytest.mark.parametrize("n_points", [8, 13])
@pytest.mark.parametrize("width", [0.2, 0.5, 2.0])
def test_ring_eigenvalues_are_those_of_the_matrix(n_points, width):
    expected = np.linalg.eigvalsh(dense_ring(n_points, width))[::-1]
    np.testing.assert_allclose(theory.ring_modes(n_points, width).values, expected, atol=20 * EPS * n_points)


def test_without_a_grid_they_are_gaussian():
    np.testing.assert_allclose(theory.ring_eigenvalues(None, 0.5)[:4], np.exp(-0.125 * np.arange(4) ** 2))
    np.testing.assert_allclose(
        theory.ring_eigenvalues(500, 0.5)[:9], theory.ring_eigenvalues(None, 0.5)[:9], rtol=1e-13
    )


@pytest.mark.quick
def test_torus_eigenvalues_are_those_of_the_matrix():
    ring = dense_ring(6, 0.7)
    expected = np.linalg.eigvalsh(np.kron(ring, ring))[::-1]
    np.testing.assert_allclose(theory.torus_modes(6, 0.7, 36).values, expected, atol=1e-13)


@pytest.mark.quick
@pytest.mark.parametrize("concentration", [0.3, 8.0, 40.0])
def test_sphere_eigenvalues_are_integrals_of_legendre_polynomials(concentration):
    for degree in range(5):
        weight = lambda t: np.exp(concentration * (t - 1)) * eval_legendre(degree, t)  # noqa: B023, E731
        integral = quad(weight, -1, 1, epsabs=1e-13)[0]
        expected = concentration * integral / -np.expm1(-2 * concentration)
        assert theory.sphere_eigenvalue(degree, concentration) == pytest.approx(expected, abs=1e-11)
    assert theory.sphere_eigenvalue(1, concentration) == pytest.approx(
        1 / np.tanh(concentration) - 1 / concentration, rel=1e-12
    )


@pytest.mark.parametrize(("support", "n_points", "count"), [("full", 900, 16), ("folded", 900, 20)])
def test_points_on_the_sphere_have_nearly_the_eigenvalues_of_the_sphere(support, n_points, count):
    """The spiral integrates smooth functions to about 1/N, and functions with an edge to 1/sqrt(N)."""
    grid = theory.predict(manifold="sphere", support=support, output_dim=count, n_points=n_points).eigenvalues
    whole = theory.predict(manifold="sphere", support=support, output_dim=count).eigenvalues
    np.testing.assert_allclose(grid, whole, atol=1 / n_points if support == "full" else 0.2 / np.sqrt(n_points))


GRIDS = (
    {"manifold": "circle", "n_points": 15, "output_dim": 5},
    {"manifold": "torus", "n_points": 36, "output_dim": 9},
    {"manifold": "sphere", "n_points": 40, "output_dim": 4},
    {"manifold": "sphere", "n_points": 40, "output_dim": 6, "support": "folded"},
)


@pytest.mark.quick
@pytest.mark.parametrize("task", GRIDS, ids=str)
def test_embeddings_are_the_best_factor_of_the_kernel(task):
    """By singular values of a dense kernel, which is written out here."""
    prediction = theory.predict(**task)
    points = prediction.coordinates
    if task["manifold"] == "sphere":
        kernel = np.exp(8 * points @ points.T)
        if "support" in task:
            kernel += np.exp(8 * points @ np.diag([1, 1, -1]) @ points.T)
            kernel[np.outer(points[:, 2], points[:, 2]) < 0] = 0
    else:
        kernel = dense_ring(15 if task["manifold"] == "circle" else 6, 0.5)
        kernel = kernel if task["manifold"] == "circle" else np.kron(kernel, kernel)
    joint = kernel / kernel.sum()
    roots = np.sqrt(joint.sum(axis=1))
    left, values, right = np.linalg.svd(joint / np.outer(roots, roots))
    size = task["output_dim"]
    gram = (left[:, :size] * values[:size]) @ right[:size] / np.outer(roots, roots)
    np.testing.assert_allclose(prediction.embeddings @ prediction.embeddings.T, gram, atol=1e-10)
    np.testing.assert_allclose(prediction.eigenvalues, values[:size], atol=1e-13)
    np.testing.assert_allclose(prediction.weights, roots**2, atol=1e-15)
    assert prediction.next_eigenvalue == pytest.approx(values[size], abs=1e-13)
    assert prediction.loss == pytest.approx(-np.sum(values[:size] ** 2), abs=1e-13)
    assert prediction.unique


def test_coordinates_are_linear_in_the_embedding_of_a_whole_block():
    for task, value in zip(GRIDS[:3], (1, 1, 1 - 1e-3), strict=True):
        assert value - 1e-12 <= theory.predict(**task).r_squared <= 1 + 1e-12
    assert theory.predict(manifold="circle", output_dim=1).r_squared == 0
    # Equal singular values: the image is similar to the circle, with squared radius 2 lambda_1.
    prediction = theory.predict(**GRIDS[0])
    np.testing.assert_allclose(prediction.singular_values, np.sqrt(2 * prediction.eigenvalues[1]), rtol=1e-12)


def test_folded_partners_hide_a_coordinate():
    """Of z its sign alone is in the embedding: correlation^2 = (E|z|)^2/E z^2 with |z| uniform on [0, 1]."""
    share = quad(lambda z: z, 0, 1)[0] ** 2 / quad(lambda z: z**2, 0, 1)[0]
    whole = theory.predict(manifold="sphere", support="folded", output_dim=6)
    assert whole.r_squared == pytest.approx((2 + share) / 3, rel=1e-12)
    grid = theory.predict(manifold="sphere", support="folded", output_dim=6, n_points=1000)
    assert grid.r_squared == pytest.approx(whole.r_squared, abs=1e-3)


@pytest.mark.parametrize(
    ("task", "whole"),
    [
        ({"manifold": "circle", "output_dim": 4}, "3 or 5"),
        ({"manifold": "circle", "output_dim": 4, "n_points": 64}, "3 or 5"),
        ({"manifold": "torus", "output_dim": 7}, "5 or 9"),
        ({"manifold": "sphere", "output_dim": 3}, "1 or 4"),
        ({"manifold": "sphere", "output_dim": 3, "n_points": 64}, "1 or 4"),
        ({"manifold": "sphere", "output_dim": 4, "support": "folded"}, "2 or 6"),
    ],
)
def test_a_cut_eigenspace_is_said(task, whole):
    prediction = theory.predict(**task)
    assert not prediction.unique
    assert prediction.note.endswith(f"{whole} cuts none")
    assert np.isnan(prediction.r_squared)
    assert prediction.to_json()["r_squared"] is None


def test_dimensions_beyond_all_eigenvalues_cut_nothing():
    prediction = theory.predict(manifold="circle", width=3.0, output_dim=40)
    assert prediction.unique
    assert prediction.loss == pytest.approx(-np.sum(np.exp(-9.0 * np.arange(1, 9) ** 2)) * 2 - 1, rel=1e-13)


# --- InfoNCE on the sphere ---


@pytest.mark.quick
@pytest.mark.parametrize("kappa", [1e-3, 0.049, 0.051, 1.0, 8.0, 200.0])
def test_the_least_loss_is_minus_the_mutual_information(kappa):
    log_ratio = lambda t: kappa * (t - 1) + np.log(2 * kappa) - np.log(-np.expm1(-2 * kappa))  # noqa: E731
    ratio = lambda t: np.exp(log_ratio(t))  # noqa: E731
    information = quad(lambda t: ratio(t) * log_ratio(t) / 2, -1, 1, epsabs=1e-15, points=[1 - min(1, 5 / kappa)])[0]
    assert theory.least_loss(kappa) == pytest.approx(-information, rel=1e-7, abs=1e-14)


def test_the_number_of_the_literature():
    assert theory.least_loss(8) == pytest.approx(-1.7726, abs=5e-5)


@pytest.mark.quick
def test_a_batch_costs_what_the_correction_says():
    """Bayes' rule among M + 1 candidates, drawn: five standard errors and the second order, about (4.5/M)^2."""
    rng, kappa, n_negatives, n_draws = np.random.default_rng(0), 8.0, 200, 20_000
    share = rng.uniform(size=n_draws)
    positive = kappa + np.log1p(-share * -np.expm1(-2 * kappa))  # kappa times the cosine
    others = kappa * rng.uniform(-1, 1, size=(n_draws, n_negatives))
    losses = np.log((np.exp(positive) + np.exp(others).sum(axis=1)) / n_negatives) - positive
    expected = theory.predict_contrast(concentration=kappa, batch_size=n_negatives + 1).batch_loss
    assert losses.mean() == pytest.approx(expected, abs=5 * losses.std() / np.sqrt(n_draws) + (4.5 / n_negatives) ** 2)


@pytest.mark.parametrize(
    ("law", "reason"), [({"support": "folded"}, "restricted support"), ({"temperature": 0.2}, "other than 1/kappa")]
)
def test_without_its_assumptions_nothing_is_predicted(law, reason):
    prediction = theory.predict_contrast(concentration=8.0, batch_size=64, **law)
    assert (prediction.basis, prediction.batch_loss) == ("none", None)
    assert np.isnan([prediction.loss, prediction.r_squared]).all()
    assert reason in prediction.note
    assert prediction.to_json()["loss"] is None
    assert theory.predict_contrast(concentration=8.0, temperature=0.125).basis == "theorem"


# --- bad input ---


@pytest.mark.quick
@pytest.mark.parametrize(
    ("task", "message"),
    [
        ({"manifold": "plane"}, "manifold: expected one of circle, torus, sphere, got 'plane'"),
        ({"width": 0.0}, "width: expected a positive finite number, got 0.0"),
        ({"width": 1e-3}, "width: expected at least 0.01 radians, got 0.001"),
        ({"concentration": -1}, "concentration: expected a positive finite number, got -1"),
        ({"concentration": 1e5}, "concentration: expected at most 300, got 100000"),
        ({"support": "half"}, "support: expected one of full, folded, got 'half'"),
        ({"support": "folded"}, "support: expected full on the circle, got 'folded'"),
        ({"output_dim": 0}, "output_dim: expected at least 1, got 0"),
        ({"output_dim": 10**6}, "output_dim: expected at most 2000, got 1000000"),
        ({"output_dim": 20, "n_points": 10}, "output_dim: expected at most n_points=10, got 20"),
        ({"n_points": 2}, "n_points: expected at least 8, got 2"),
        ({"n_points": 10**6}, "n_points: expected at most 4000, got 1000000"),
        ({"manifold": "torus", "n_points": 50}, "n_points: expected a square number on the torus, got 50"),
    ],
)
def test_bad_tasks_are_one_line(task, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        theory.predict(**task)


def test_bad_laws_of_the_sphere_are_one_line():
    with pytest.raises(ValueError, match=r"^concentration: expected a positive"):
        theory.predict_contrast(concentration=0.0)
    with pytest.raises(ValueError, match=r"^batch_size: expected at least 2"):
        theory.predict_contrast(batch_size=1)
    with pytest.raises(ValueError, match=r"^support: expected one of full, folded, got 'half'"):
        theory.predict_contrast(support="half")
    with pytest.raises(ValueError, match=r"^temperature: expected a positive"):
        theory.predict_contrast(temperature=-1.0)
