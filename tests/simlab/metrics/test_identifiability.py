"""Linear identifiability, coverings of the sphere and TwoNN at known answers, and where they are undefined."""

import numpy as np
import pytest

from simlab.metrics.identifiability import linear_identifiability, sphere_degree
from simlab.metrics.intrinsic_dimension import two_nn

pytestmark = pytest.mark.quick


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def random_sphere(rng, n_points):
    points = rng.normal(size=(n_points, 3))
    return points / np.linalg.norm(points, axis=1, keepdims=True)


# --- linear identifiability ---


def test_an_isometry_is_identified(rng):
    points = random_sphere(rng, 60)
    rotation = np.linalg.qr(rng.normal(size=(5, 5)))[0][:3]
    fit = linear_identifiability(points @ rotation + 2.0, points)
    assert fit.r_squared == pytest.approx(1, abs=1e-13)
    np.testing.assert_allclose(fit.singular_values, 1, rtol=1e-13)


def test_singular_values_are_those_of_the_map(rng):
    points = rng.normal(size=(50, 2))
    fit = linear_identifiability(points * [3.0, 0.5], points)
    np.testing.assert_allclose(fit.singular_values, [3, 0.5], rtol=1e-13)


def test_independent_features_explain_their_number_over_that_of_points(rng):
    """E R^2 = d/(N - 1) for Gaussian features that know nothing; its deviation is sqrt(2 d)/N for one coordinate."""
    n_points, dim = 2000, 8
    fit = linear_identifiability(rng.normal(size=(n_points, dim)), rng.normal(size=(n_points, 1)))
    assert fit.r_squared == pytest.approx(dim / (n_points - 1), abs=5 * np.sqrt(2 * dim) / n_points)


def test_the_square_of_a_coordinate_explains_nothing_of_it():
    line = np.linspace(-1, 1, 41)[:, None]
    fit = linear_identifiability(line**2, line)
    assert fit.r_squared == pytest.approx(0, abs=1e-15)
    assert fit.singular_values == pytest.approx([0], abs=1e-15)


def test_identifiability_is_undefined_without_variance_or_numbers(rng):
    points = rng.normal(size=(10, 2))
    assert np.isnan(linear_identifiability(points, np.ones((10, 2))).r_squared)
    assert np.isnan(linear_identifiability(points * np.nan, points).r_squared)
    assert linear_identifiability(np.ones((10, 1)), points).r_squared == pytest.approx(0, abs=1e-15)
    assert linear_identifiability(points[:, :1], points).singular_values.shape == (2,)


# --- coverings ---


def test_degree_of_known_maps(rng):
    points = random_sphere(rng, 400)
    rotation = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    rotation *= np.linalg.det(rotation)
    doubled = np.arctan2(points[:, 1], points[:, 0]) * 2
    radius = np.hypot(points[:, 0], points[:, 1])
    twice = np.column_stack([radius * np.cos(doubled), radius * np.sin(doubled), points[:, 2]])
    cases = {
        1: points @ rotation.T,
        -1: -points,
        0: points * [1, 1, 0] + [0, 0, 1] * np.abs(points),
        2: twice,
    }
    for degree, images in cases.items():
        assert sphere_degree(points, images) == pytest.approx(degree, abs=1e-12)
    assert np.isnan(sphere_degree(points, points * np.nan))


# --- TwoNN: its relative standard error is 1/sqrt(n) ---


@pytest.mark.parametrize("dim", [1, 2, 3])
def test_independent_data_have_their_dimension(rng, dim):
    estimate = two_nn(rng.uniform(size=(4000, dim)) @ rng.normal(size=(dim, 6)))
    assert estimate.dimension == pytest.approx(dim, rel=5 / np.sqrt(4000))
    assert estimate == (estimate.dimension, 0, "")


def test_the_sphere_has_two_dimensions_and_folding_is_not_seen(rng):
    points = random_sphere(rng, 4000)
    assert two_nn(points).dimension == pytest.approx(2, rel=5 / np.sqrt(4000))
    assert two_nn(np.abs(points)).dimension == pytest.approx(2, rel=5 / np.sqrt(4000))


def test_it_is_too_low_in_many_dimensions(rng):
    assert 14 < two_nn(rng.normal(size=(1000, 20))).dimension < 19


def test_an_isometry_changes_nothing(rng):
    points = rng.uniform(size=(200, 2))
    turned = points @ np.linalg.qr(rng.normal(size=(7, 7)))[0][:2] - 3
    assert two_nn(turned).dimension == pytest.approx(two_nn(points).dimension, rel=1e-9)


def test_points_on_others_are_dropped_and_counted(rng):
    points = rng.uniform(size=(100, 2))
    repeated = np.concatenate([points, points[:30], points[:10]])
    estimate = two_nn(repeated)
    assert estimate.n_dropped == 40
    assert estimate.dimension == pytest.approx(two_nn(points).dimension, rel=1e-12)


@pytest.mark.parametrize(
    ("features", "reason"),
    [
        (np.eye(2), "fewer than 3 points"),
        (np.ones((50, 4)), "collapsed features"),
        (np.zeros((50, 4)), "collapsed features"),
        (1 + 1e-16 * np.arange(50.0)[:, None], "collapsed features"),
        (np.repeat(np.eye(2), 20, axis=0), "fewer than 3 different points"),
        (np.arange(9.0)[:, None], ""),
        (np.array([[0.0, np.nan]] * 5), "features that are not finite"),
        (np.stack(np.meshgrid(np.arange(5.0), np.arange(5.0)), -1).reshape(-1, 2), "neighbours at equal distances"),
    ],
)
def test_it_is_undefined_with_a_reason(features, reason):
    estimate = two_nn(features)
    assert estimate.reason.startswith(reason)
    assert np.isnan(estimate.dimension) == bool(reason)


def test_single_precision_has_larger_zeros():
    collapsed = (1 + 1e-7 * np.random.default_rng(0).normal(size=(50, 3))).astype(np.float32)
    assert two_nn(collapsed).reason == "collapsed features"
