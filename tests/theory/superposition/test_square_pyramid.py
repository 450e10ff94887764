"""The square pyramid: the exact loss of one feature of any network, and where the pyramid is the best code."""

import numpy as np
import pytest
from scipy.optimize import minimize

from theory import superposition
from theory.superposition.code_scales import CodeLoss
from theory.superposition.codes import regular_codes
from theory.superposition.square_pyramid import feature_loss, solve_square_pyramid


@pytest.fixture(scope="module")
def pyramid():
    return solve_square_pyramid(0.7)


def sampled_errors(weights, bias, p, size=400_000):
    """Squared errors of each feature, over inputs that are drawn by their definition."""
    rng = np.random.default_rng(0)
    inputs = rng.uniform(size=(size, len(bias))) * (rng.uniform(size=(size, len(bias))) < p)
    return (inputs - np.maximum(inputs @ weights.T @ weights + bias, 0)) ** 2


def test_the_loss_of_each_feature_of_any_network():
    rng = np.random.default_rng(1)
    weights, bias, p = rng.normal(size=(2, 4)), rng.normal(scale=0.3, size=4), 0.4
    gram, errors = weights.T @ weights, sampled_errors(weights, bias, p)
    for i in range(4):
        exact = feature_loss(gram[i, i], np.delete(gram[i], i), bias[i], p)
        assert abs(errors[:, i].mean() - exact) < 5 * errors[:, i].std() / np.sqrt(len(errors))


def test_a_regular_code_has_the_same_loss_by_both_formulas():
    (pentagon,) = (code for code in regular_codes(5, 2) if code.name == "pentagon")
    scale, bias, p = 1.1, -0.2, 0.2
    both = (
        feature_loss(scale, scale * pentagon.cosines(), bias, p),
        CodeLoss(pentagon.cosines(), p)(scale, bias / scale),
    )
    assert both[0] == pytest.approx(float(both[1]), rel=1e-12)


def test_the_loss_of_the_pyramid_is_that_of_its_network(pyramid):
    weights, bias, loss = pyramid
    errors = sampled_errors(weights, bias, 0.7).sum(axis=1)
    assert abs(errors.mean() - loss) < 5 * errors.std() / np.sqrt(len(errors))


def test_no_network_near_the_pyramid_is_better(pyramid):
    """All 20 numbers are free, and the loss of each feature is the exact one."""
    weights, bias, loss = pyramid

    def total(point):
        columns = point[:15].reshape(3, 5)
        gram = columns.T @ columns
        terms = (feature_loss(gram[i, i], np.delete(gram[i], i), point[15 + i], 0.7) for i in range(5))
        return sum(terms)

    start = np.concatenate([weights.ravel(), bias])
    assert total(start) == pytest.approx(loss, rel=1e-12)
    disturbed = start + 1e-3 * np.random.default_rng(0).normal(size=20)
    end = minimize(total, disturbed, method="BFGS", options={"gtol": 1e-6, "maxiter": 60})
    # it returns to the pyramid: below it by no more than rounding, and far closer than it began
    assert loss - 1e-12 < end.fun < loss + 1e-2 * (total(disturbed) - loss)


@pytest.mark.parametrize(
    ("shape", "p", "geometry"),
    [
        ((5, 3), 0.7, "1 square pyramid"),
        ((6, 3), 0.7, "1 square pyramid, 1 dropped"),
        ((5, 3), 0.5, "1 dedicated feature, 2 antipodal pairs"),
        ((6, 3), 0.8, "1 tetrahedron, 2 dropped"),
    ],
)
def test_where_the_pyramid_is_the_best(shape, p, geometry):
    prediction = superposition.predict(n_features=shape[0], n_hidden=shape[1], active_probability=p)
    assert prediction.geometry == geometry
