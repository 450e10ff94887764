"""Regular codes: moments and losses against quadrature, samples and the network of two features; the best sums."""

import itertools

import numpy as np
import pytest
from scipy.integrate import nquad
from scipy.optimize import minimize

from theory import superposition
from theory.superposition.code_scales import CodeLoss, solve_code_scale
from theory.superposition.codes import Code, describe_mixture, regular_codes
from theory.superposition.mixtures import best_mixture, fill_dimensions
from theory.superposition.uniform_sums import SparseSum

pytestmark = pytest.mark.quick

CODES = {code.name: code for code in regular_codes(12, 11)}
EPS = np.finfo(float).eps


@pytest.mark.parametrize("code", CODES.values(), ids=CODES)
def test_codes_are_tight_frames_of_unit_vectors(code):
    vectors = code.vectors()
    assert vectors.shape == (code.dim, code.n_vectors)
    np.testing.assert_allclose(np.sum(vectors**2, axis=0), 1, atol=16 * EPS)
    expected = code.n_vectors / code.dim * np.eye(code.dim)
    np.testing.assert_allclose(vectors @ vectors.T, expected, atol=16 * code.n_vectors * EPS)
    gram = vectors.T @ vectors
    np.testing.assert_allclose(np.sort(gram, axis=1), np.sort(gram[[0]], axis=1).repeat(code.n_vectors, 0), atol=1e-14)
    np.testing.assert_allclose(superposition.dimensionalities(vectors), code.dim / code.n_vectors, rtol=1e-13)


@pytest.mark.parametrize("order", [1, 2, 3])
@pytest.mark.parametrize("threshold", [-0.3, 0.4])
def test_moments_are_those_of_quadrature(order, threshold):
    coefficients, p = (0.5, -0.8), 0.3
    expected = 0.0
    for mask in itertools.product((0, 1), repeat=2):
        weight = np.prod([p if active else 1 - p for active in mask])
        active = [c for c, flag in zip(coefficients, mask, strict=True) if flag]
        value = (
            nquad(
                lambda *x, active=active: max(0.0, threshold + np.dot(active, x)) ** order,
                [(0, 1)] * len(active),
                opts={"epsabs": 1e-9, "limit": 200},
            )[0]
            if active
            else max(0.0, threshold) ** order
        )
        expected += weight * value
    moment = SparseSum(coefficients, p).positive_moment(order, threshold)
    assert moment == pytest.approx(expected, abs=1e-8)  # ten times what quadrature was asked for


def test_equal_coefficients_are_counted_together():
    apart = SparseSum((0.5, 0.5 + 1e-9, -0.4), 0.3).positive_moment(2, np.array([-0.2, 0.1, 0.7]))
    together = SparseSum((0.5, 0.5, -0.4, 0.0), 0.3).positive_moment(2, np.array([-0.2, 0.1, 0.7]))
    np.testing.assert_allclose(apart, together, atol=1e-8)  # the coefficients differ by 1e-9, the moment by its slope


@pytest.mark.parametrize("p", [0.05, 0.2, 0.4])
def test_an_antipodal_pair_has_the_loss_of_two_features(p):
    scale, bias = 0.9, 0.07
    network = np.sqrt(scale) * np.array([1.0, -1.0]), np.full(2, bias)
    exact = superposition.two_feature_loss(*network, p, 1.0)
    assert 2 * CodeLoss([-1.0], p)(scale, bias / scale) == pytest.approx(float(exact), rel=1e-13)
    best = solve_code_scale(CODES["antipodal pair"], p)
    minimum = superposition.minimise_two_features(p, 1.0)
    assert 2 * best.loss == pytest.approx(float(minimum.loss), rel=1e-12)


def test_where_features_are_dense_the_two_of_a_pair_differ():
    pair, minimum = solve_code_scale(CODES["antipodal pair"], 0.9), superposition.minimise_two_features(0.9, 1.0)
    assert minimum.loss < 2 * pair.loss * (1 - 1e-3)
    assert abs(minimum.weights.sum()) > 0.1


@pytest.mark.parametrize("name", ["triangle", "tetrahedron", "pentagon", "octagon", "simplex of 12"])
@pytest.mark.parametrize("p", [0.1, 0.9])
def test_scale_and_bias_minimise_the_loss(name, p):
    code = CODES[name]
    best, loss = solve_code_scale(code, p), CodeLoss(code.cosines(), p)
    end = minimize(
        lambda point: float(loss(point[0], point[1] / point[0])) / p,
        (0.8, 0.05),
        method="Nelder-Mead",
        options={"xatol": 1e-9, "fatol": 1e-14, "maxiter": 2000},
    )
    # a simplex of 12 has lost 2e5 eps to cancellation
    assert best.loss / p == pytest.approx(end.fun, abs=1e-10)
    assert best.loss / p <= end.fun + 1e-10
    np.testing.assert_allclose((best.square_norm, best.bias), end.x, atol=3e-5)  # the root of 1e-10 over the curvature


@pytest.mark.parametrize(("shape", "p"), [((5, 2), 0.1), ((5, 2), 0.7), ((7, 4), 0.3), ((8, 3), 0.5), ((6, 4), 0.5)])
def test_the_loss_of_a_sum_is_that_of_its_network(shape, p):
    mixture = best_mixture(*shape, p)
    weights, bias = mixture.network()
    rng = np.random.default_rng(0)
    size = 300_000, shape[0]
    inputs = rng.uniform(size=size) * (rng.uniform(size=size) < p)
    errors = np.sum((inputs - np.maximum(inputs @ weights.T @ weights + bias, 0)) ** 2, axis=1)
    assert abs(errors.mean() - mixture.loss) < 5 * errors.std() / np.sqrt(len(errors))


@pytest.mark.parametrize(
    ("p", "geometry", "learned"),
    [
        (0.7, "1 triangle, 2 dropped", 0.46271),
        (0.5, "2 antipodal pairs, 1 dropped", 0.51342),
        (0.3, "2 antipodal pairs, 1 dropped", 0.45364),
        (0.25, "2 antipodal pairs, 1 dropped", 0.43470),
        (0.2, "1 pentagon", 0.39793),
        (0.1, "1 pentagon", 0.26305),
        (0.05, "1 pentagon", 0.17808),
        (0.01, "1 pentagon", 0.10016),
    ],
)
def test_five_features_in_the_plane(p, geometry, learned):
    mixture = best_mixture(5, 2, p)
    assert mixture.geometry == geometry
    # losses over p of networks that were trained (Adam, 2,000 steps, best of 16) and evaluated on samples
    assert mixture.loss / p == pytest.approx(learned, rel=3e-4)


def test_the_sum_of_codes_is_the_best_of_all():
    codes = regular_codes(7, 4)
    rng = np.random.default_rng(3)
    for _ in range(5):
        savings = list(rng.uniform(0.5, 1, len(codes)) * [code.dim for code in codes])
        counts = fill_dimensions(codes, savings, 7, 4)
        ranges = [range(min(7 // code.n_vectors, 4 // code.dim) + 1) for code in codes]
        best = max(
            np.dot(choice, savings)
            for choice in itertools.product(*ranges)
            if np.dot(choice, [c.n_vectors for c in codes]) <= 7 and np.dot(choice, [c.dim for c in codes]) <= 4
        )
        assert np.dot(counts, savings) == pytest.approx(best, rel=1e-12)


def test_words_for_a_sum():
    counts = {"dedicated feature": 1, "simplex of 7": 2, "tetrahedron": 2}
    assert describe_mixture(counts, 3) == "1 dedicated feature, 2 simplices of 7, 2 tetrahedra, 3 dropped"
    assert describe_mixture({"pentagon": 2}, 0) == "2 pentagons"


def test_only_codes_that_fit_are_considered():
    assert {code.name for code in regular_codes(3, 1)} == {"dedicated feature", "antipodal pair"}
    assert Code("pentagon", 5, 2, True) not in regular_codes(4, 4)


def test_a_heptagon_saves_most_as_features_get_rare():
    corners = [*range(5, 17), 30, 100]
    assert corners[int(np.argmax([_sparse_saving(k) for k in corners]))] == 7


def _sparse_saving(corners):
    """Return what a polygon saves over p as p -> 0, by the definition: all outputs for one active feature."""
    x = (np.arange(1000) + 0.5) / 1000
    cosines = np.cos(2 * np.pi * np.arange(corners) / corners)[:, None]
    best = 0.0
    for ratio in np.linspace(-0.95, 0.2, 116):
        outputs = np.maximum(cosines * x + ratio, 0)
        # the least of 1/3 - 2 s <x z_1> + s^2 sum <z^2> over s
        best = max(best, corners * np.mean(x * outputs[0]) ** 2 / np.sum(np.mean(outputs**2, axis=1)))
    return best
