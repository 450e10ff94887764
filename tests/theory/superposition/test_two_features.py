"""Two features in one dimension: the exact loss against adaptive quadrature and Monte Carlo, and its minimiser."""

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.optimize import minimize

from theory import superposition
from theory.superposition.two_features import loss_and_gradient

NETWORKS = (
    ((0.8, -0.7), (0.1, 0.2), 0.4, 0.7),
    ((1.1, 0.5), (-0.3, 0.1), 0.2, 2.0),
    ((-0.4, 1.3), (-0.2, -0.1), 0.9, 0.3),
    ((1.0, -1.0), (0.0, 0.0), 0.5, 1.0),
    ((0.0, 1.0), (0.2, 0.0), 0.4, 5.0),
)


def piecewise(integrand, kinks):
    inside = [kink for kink in kinks if 0 < kink < 1]
    return quad(integrand, 0, 1, points=inside or None, epsabs=1e-13, epsrel=1e-12)[0]


def quadrature_loss(weights, bias, p, r):
    """The definition: the network on every input, each mask with its probability, adaptive quadrature between kinks."""
    slopes = [[weights[i] * weights[0], weights[i] * weights[1]] for i in (0, 1)]

    def error(x, y):
        outputs = [max(0.0, slopes[i][0] * x + slopes[i][1] * y + bias[i]) for i in (0, 1)]
        return (x - outputs[0]) ** 2 + r * (y - outputs[1]) ** 2

    def crossings(axis, offset):
        return [-(bias[i] + slopes[i][1 - axis] * offset) / slopes[i][axis] for i in (0, 1) if slopes[i][axis] != 0]

    first = piecewise(lambda x: error(x, 0.0), crossings(0, 0.0))
    second = piecewise(lambda y: error(0.0, y), crossings(1, 0.0))
    pair = piecewise(
        lambda y: piecewise(lambda x: error(x, y), crossings(0, y)), [*crossings(1, 0.0), *crossings(1, 1.0)]
    )
    return (1 - p) ** 2 * error(0.0, 0.0) + p * (1 - p) * (first + second) + p**2 * pair


@pytest.mark.parametrize(("weights", "bias", "p", "r"), NETWORKS)
def test_the_loss_is_that_of_adaptive_quadrature(weights, bias, p, r):
    exact = superposition.two_feature_loss(np.array(weights), np.array(bias), p, r)
    # quad was asked for 1e-12 of each of the four integrals, all of them below 10
    assert exact == pytest.approx(quadrature_loss(weights, bias, p, r), abs=1e-11)


@pytest.mark.parametrize(("weights", "bias", "p", "r"), NETWORKS[:3])
def test_the_loss_is_the_mean_over_samples(weights, bias, p, r):
    rng = np.random.default_rng(0)
    inputs = rng.uniform(size=(400_000, 2)) * (rng.uniform(size=(400_000, 2)) < p)
    outputs = np.maximum(inputs @ np.array(weights)[:, None] * np.array(weights) + np.array(bias), 0.0)
    errors = (inputs - outputs) ** 2 @ np.array([1.0, r])
    exact = superposition.two_feature_loss(np.array(weights), np.array(bias), p, r)
    assert abs(errors.mean() - exact) < 5 * errors.std() / np.sqrt(len(errors))


def test_the_gradient_is_the_slope_of_the_loss():
    rng = np.random.default_rng(1)
    points, p, r = rng.normal(scale=0.7, size=(50, 4)), rng.uniform(0.1, 1, 50), rng.uniform(0.2, 4, 50)
    gradient = loss_and_gradient(points[:, :2], points[:, 2:], p, r)[1]
    step = 1e-5
    for axis in range(4):
        shift = step * np.eye(4)[axis]
        ahead, behind = (
            superposition.two_feature_loss(shifted[:, :2], shifted[:, 2:], p, r)
            for shifted in (points + shift, points - shift)
        )
        # the second derivative jumps at kinks: the difference is off by at most the step times that jump, below 20
        np.testing.assert_allclose((ahead - behind) / (2 * step), gradient[:, axis], atol=20 * step)


@pytest.fixture(scope="module")
def grid():
    p, r = np.geomspace(1, 0.01, 20)[:, None], np.geomspace(0.1, 10, 20)
    return p, r, superposition.minimise_two_features(p, r)


@pytest.mark.parametrize(("p", "r"), [(0.3, 0.3), (0.181, 0.1), (0.7, 1.0), (0.05, 2.0), (0.6, 1.13)])
def test_no_start_of_another_method_ends_lower(p, r):
    minimum = superposition.minimise_two_features(p, r)
    rng = np.random.default_rng(2)

    def loss(point):
        return float(superposition.two_feature_loss(point[:2], point[2:], p, r)) / p

    ends = [minimize(loss, rng.normal(scale=0.8, size=4), method="BFGS", tol=1e-9).fun for _ in range(12)]
    # BFGS stops at gradients of 1e-8 from differences, where the loss is flat to far below 1e-9
    assert min(ends) == pytest.approx(float(minimum.loss) / p, abs=1e-9)


def test_the_descent_converges_everywhere(grid):
    p, r, minima = grid
    assert minima.loss.shape == (20, 20)
    assert minima.gradient_norm.max() < 1e-9
    losses = superposition.two_feature_loss(minima.weights, minima.bias, p, r)
    np.testing.assert_array_equal(losses, minima.loss)


def test_a_dropped_feature_has_no_column_and_its_mean_as_bias(grid):
    p, r, minima = grid
    p, _ = np.broadcast_arrays(p, r)
    dropped = ~minima.represented
    alone = dropped.any(axis=-1) & (np.abs(minima.weights).min(axis=-1) == 0)
    assert alone[0, [0, -1]].all(), "p = 1 and unequal features"
    ends = minima.weights[alone], minima.bias[alone]
    np.testing.assert_array_equal(ends[0], np.where(dropped[alone], 0.0, 1.0))
    np.testing.assert_array_equal(ends[1], np.where(dropped[alone], p[alone][:, None] / 2, 0.0))
    # the gradient vanishes there as well: what is left is rounding of numbers of size one
    gradient = loss_and_gradient(*ends, p[alone], np.broadcast_to(r, p.shape)[alone])[1]
    assert np.abs(gradient).max() < 1e-15 * 10 * r.max()


def test_the_minimum_is_never_above_a_candidate(grid):
    p, r, minima = grid
    candidates = superposition.candidate_losses(p, r).min(axis=-1)
    assert np.all(minima.loss <= candidates * (1 + 1e-12))


def test_exchanging_the_features_turns_r_into_its_inverse(grid):
    p, r, minima = grid
    exchanged = superposition.minimise_two_features(p, 1 / r)
    np.testing.assert_allclose(r * exchanged.loss, minima.loss, rtol=1e-11)
    np.testing.assert_array_equal(exchanged.represented[..., ::-1], minima.represented)


def test_phases(grid):
    phases = superposition.phase_index(grid[2].represented)
    assert set(np.unique(phases)) == {1, 2, 3}
    assert np.all(phases[-1] == 3)  # p = 0.01 superposes at every r from 0.1 to 10
    np.testing.assert_array_equal(phases[0], np.where(grid[1] < 1, 1, 2))


def test_a_grid_that_is_out_of_range_is_refused():
    with pytest.raises(ValueError, match=r"^active_probability: expected numbers in \(0, 1\], got 1.5$"):
        superposition.minimise_two_features(np.array([0.5, 1.5]), 1.0)
    with pytest.raises(ValueError, match=r"^importance: expected positive finite numbers, got 0$"):
        superposition.minimise_two_features(0.5, np.array([0.0, 1.0]))
