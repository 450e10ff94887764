"""The limit p -> 0: the lemma of its proof, the theorem by extrapolation, and a geometry that is not the minimiser."""

import numpy as np
import pytest
from scipy.integrate import dblquad

from theory import superposition
from theory.superposition.limit import pair_cost
from theory.superposition.mixtures import best_mixture

pytestmark = pytest.mark.quick


@pytest.mark.parametrize("cosine", [0.0, 0.3, 1.0])
def test_what_two_active_features_lose(cosine):
    expected = 2 * dblquad(lambda y, x: min(x, cosine * y) ** 2, 0, 1, 0, 1, epsabs=1e-9)[0]
    assert pair_cost(cosine) == pytest.approx(expected, abs=1e-7)


def test_a_dependent_component_costs_at_least_a_third():
    rng = np.random.default_rng(0)
    least = np.inf
    for _ in range(2000):
        size = rng.integers(2, 8)
        sparse = rng.uniform(size=(size, size)) ** rng.integers(1, 6) * (rng.uniform(size=(size, size)) < 0.7)
        inner = np.triu(sparse, 1) + np.triu(sparse, 1).T
        largest = np.linalg.eigvalsh(inner)[-1]
        if largest > 0 and (inner / largest).max() <= 1:
            least = min(least, np.sum(pair_cost(inner / largest)) / 2)
    assert 1 / 3 - 1e-12 < least < 1 / 3 + 0.01


def test_a_regular_simplex_costs_more_than_a_pair():
    sizes = np.arange(2, 30)
    costs = sizes * (sizes - 1) / 2 * pair_cost(1 / (sizes - 1))
    np.testing.assert_allclose(costs, 1 / 3 + (sizes - 2) / (6 * (sizes - 1) ** 2), rtol=1e-13)
    assert np.argmin(costs) == 0


@pytest.mark.parametrize(("n", "m"), [(3, 2), (4, 2), (6, 4), (7, 5)])
def test_the_loss_of_the_best_sum_goes_to_the_limit(n, m):
    limit = superposition.sparse_limit(n, m)
    p = np.array([0.02, 0.01, 0.005])
    ratios = np.array([best_mixture(n, m, value).loss / value**2 for value in p]) / limit.loss_coefficient
    linear, finer = 2 * ratios[1:] - ratios[:-1]
    # Extrapolation removes the term in p; the next one falls by four when p is halved, so that its rest is below this.
    assert abs(finer - 1) < abs(finer - linear)
    assert abs(finer - 1) < 1e-4 < 0.5 * abs(ratios[0] - 1)


@pytest.mark.parametrize(("n", "m"), [(3, 2), (4, 2), (6, 4), (30, 20)])
def test_the_geometry_of_the_best_sum_is_that_of_the_limit(n, m):
    prediction = superposition.predict(n_features=n, n_hidden=m, active_probability=0.01)
    limit = superposition.sparse_limit(n, m)
    np.testing.assert_allclose(prediction.dimensionalities, limit.dimensionalities, atol=1e-12)
    assert (limit.n_pairs, limit.n_dedicated) == (n - m, 2 * m - n)


def test_the_limit_needs_room():
    with pytest.raises(ValueError, match=r"^n_features: expected at most 2 n_hidden = 4, got 5$"):
        superposition.sparse_limit(5, 2)
    with pytest.raises(ValueError, match=r"^n_features: expected at least 3, got 2$"):
        superposition.sparse_limit(2, 3)
