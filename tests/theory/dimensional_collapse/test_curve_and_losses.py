"""The curve f(t) against a scalar minimiser, expected losses against quadrature and sums over a data set."""

import numpy as np
import pytest
from scipy.optimize import brentq

from theory import dimensional_collapse as theory
from theory.dimensional_collapse.curve import direction_curvature, direction_loss, direction_slope

EPS = np.finfo(float).eps


@pytest.mark.parametrize("ratio", [1e-3, 0.2, 1.0, 1.9, 1.999])
def test_the_curve_is_where_the_slope_vanishes(ratio):
    # The slope of the loss by central differences: rounding eps/h and truncation h^2 of a third derivative below 5.
    step = 1e-5
    slope = lambda c: (direction_loss(c + step, ratio) - direction_loss(c - step, ratio)) / (2 * step)  # noqa: E731
    root = brentq(slope, 0.0, 1e4, xtol=1e-14)
    error = (8 * EPS * (1 + ratio * root) / step + step**2) / direction_curvature(root)
    assert abs(theory.surviving_eigenvalue(ratio) - root) < 2 * error
    assert abs(slope(0.7) - direction_slope(0.7, ratio)) < 1e-9
    curvature = (direction_slope(0.7 + step, ratio) - direction_slope(0.7 - step, ratio)) / (2 * step)
    assert abs(curvature - direction_curvature(0.7)) < 1e-9


def test_known_values_of_the_curve():
    # y^2 + y = 1 is solved by the golden ratio's inverse; t = 3/4 by y = 1/2; t = 2 by y = 1.
    np.testing.assert_allclose(theory.surviving_eigenvalue([0.75, 1.0]), [1.0, (5**0.5 - 1) / 2], rtol=4 * EPS)
    assert theory.surviving_eigenvalue([2.0, 2.5, 100.0]).tolist() == [0, 0, 0]
    # Near the kink f = (2 - t)/3 + O((2 - t)^2), with all digits.
    assert theory.surviving_eigenvalue(2 - 1e-9) == pytest.approx((2 - (2 - 1e-9)) / 3, rel=1e-8)


@pytest.fixture(scope="module")
def plane():
    """Pairs in two dimensions whose S and Q do not commute, and an encoder of three dimensions."""
    covariance, augmentation = np.array([[1.0, 0.3], [0.3, 0.6]]), np.array([[0.5, -0.2], [-0.2, 0.9]])
    return covariance, augmentation, np.random.default_rng(0).normal(size=(3, 2)) * 0.6


def nodes(covariance, size=60):
    """Gauss-Hermite nodes of N(0, covariance) in two dimensions and their weights."""
    points, weights = np.polynomial.hermite_e.hermegauss(size)
    grid = np.stack(np.meshgrid(points, points), axis=-1).reshape(-1, 2)
    return grid @ np.linalg.cholesky(covariance).T, np.outer(weights, weights).ravel() / weights.sum() ** 2


@pytest.mark.parametrize("views", [1, 2])
@pytest.mark.parametrize("similarity", ["distance", "dot"])
def test_the_expected_loss_by_quadrature(plane, views, similarity):
    covariance, augmentation, encoder = plane
    pairs, temperature = theory.gaussian_pairs(covariance, augmentation, views), 1.3
    values = []
    for size in (40, 50):
        inputs, weights = nodes(covariance + (augmentation if views == 2 else 0), size)
        embedded = inputs @ encoder.T
        inner = embedded @ embedded.T
        squares = np.diag(inner)[:, None] + np.diag(inner) - 2 * inner
        scores = inner / temperature if similarity == "dot" else -squares / (2 * temperature)
        negative = weights @ np.log(np.exp(scores) @ weights)
        noise, noise_weights = nodes(augmentation, size)
        if similarity == "distance":  # the difference of a pair is one draw of the noise, or the sum of two
            positive = -views * noise_weights @ np.sum((noise @ encoder.T) ** 2, axis=1) / (2 * temperature)
        else:
            clean, clean_weights = nodes(covariance, size)
            positive = clean_weights @ np.sum((clean @ encoder.T) ** 2, axis=1) / temperature
        values.append(negative - positive)
    # The rule converges geometrically: what is left is below the change from 40 to 50 nodes.
    error = abs(values[1] - values[0]) + 1e-13
    assert error < 1e-6
    assert abs(theory.expected_loss(pairs, encoder.T @ encoder, similarity, temperature) - values[1]) < error


def test_the_spectral_loss_is_a_sum_over_all_views():
    rng = np.random.default_rng(1)
    first = rng.normal(size=(7, 3))
    second, encoder = first + rng.normal(size=(7, 3)), rng.normal(size=(2, 3))
    z, partner = first @ encoder.T, second @ encoder.T
    views = np.concatenate([z, partner])
    by_hand = -2 * np.mean([a @ b for a, b in zip(z, partner, strict=True)])
    by_hand += np.mean([(a @ b) ** 2 for a in views for b in views])
    pairs = theory.sample_pairs(first, second)
    assert theory.expected_loss(pairs, encoder.T @ encoder, "spectral") == pytest.approx(by_hand, rel=1e-13)
    np.testing.assert_allclose(pairs.spread, np.mean([np.outer(d, d) for d in first - second], axis=0), atol=1e-14)


@pytest.mark.parametrize("views", [1, 2])
def test_the_finite_batch_against_sampled_batches(views):
    """M times the excess over infinitely many negatives, extrapolated from M and 2 M to the limit."""
    rng, eigenvalues, noise = np.random.default_rng(0), np.array([0.8, 0.3]), np.array([0.4, 0.9])
    # Along each direction the metric is 1 and z = sqrt(c) x.
    clean = np.ones(2) if views == 1 else 1 / (1 + noise)
    spread = noise if views == 1 else 2 * noise / (1 + noise)
    augmentation = noise * clean
    draw = lambda size, variance: np.sqrt(variance) * rng.normal(size=(size, 2))  # noqa: E731
    anchors, anchor_only = 60_000, views == 1
    terms, errors = [], []
    for n_negatives in (32, 64):
        inputs = draw(anchors, clean)
        first = inputs + (0 if anchor_only else draw(anchors, augmentation))
        z, partner = np.sqrt(eigenvalues) * first, np.sqrt(eigenvalues) * (inputs + draw(anchors, augmentation))
        mean = np.prod(np.exp(-(z**2) / (2 * (1 + eigenvalues))) / np.sqrt(1 + eigenvalues), axis=1)
        total = np.exp(-np.sum((z - partner) ** 2, axis=1) / 2)
        for _ in range(n_negatives):
            total += np.exp(-np.sum((z - np.sqrt(eigenvalues) * draw(anchors, np.ones(2))) ** 2, axis=1) / 2)
        excess = n_negatives * np.log(total / (n_negatives * mean))
        terms.append(excess.mean())
        errors.append(excess.std() / np.sqrt(anchors))
    limit, error = 2 * terms[1] - terms[0], 5 * np.hypot(2 * errors[1], errors[0])
    left = (terms[1] - terms[0]) ** 2  # the next order of the expansion
    predicted = theory.batch_correction(eigenvalues, spread, views)
    assert abs(limit - predicted) < error + left
    assert error + left < 0.3 * predicted, "the test would see a wrong term"


@pytest.mark.parametrize("views", [1, 2])
def test_the_finite_batch_is_a_newton_step_of_the_corrected_loss(views):
    ratios, n_negatives, step = np.array([0.5, 0.9, 1.5, 2.3]), 400, 1e-6
    start = theory.surviving_eigenvalue(ratios)

    def corrected(values):
        return direction_loss(values, ratios).sum() + theory.batch_correction(values, ratios, views) / n_negatives

    slope = np.array([(corrected(start + h) - corrected(start - h)) / (2 * step) for h in step * np.eye(4)])
    expected = np.maximum(start - slope / direction_curvature(start), 0)
    np.testing.assert_allclose(theory.finite_batch_eigenvalues(ratios, n_negatives, views), expected, atol=1e-8)
    assert np.all(expected[:3] < start[:3])
    far = theory.finite_batch_eigenvalues(ratios, 10**9, views)
    np.testing.assert_allclose(far, start, atol=1e-7)
