"""The prediction for a task: which theory gives it, what it says, where there is none, and bad input."""

import re

import numpy as np
import pytest

from theory import superposition

pytestmark = pytest.mark.quick


def predict(n, m, p, **more):
    return superposition.predict(n_features=n, n_hidden=m, active_probability=p, **more)


@pytest.fixture(scope="module")
def pentagon():
    return predict(5, 2, 0.1)


def test_a_pentagon(pentagon):
    assert (pentagon.geometry, pentagon.basis) == ("1 pentagon", "ansatz")
    np.testing.assert_allclose(pentagon.dimensionalities, 0.4, rtol=1e-14)
    assert pentagon.represented.all()
    assert pentagon.weights.shape == (2, 5)
    np.testing.assert_allclose(np.diag(pentagon.gram), pentagon.norms**2, rtol=1e-14)
    np.testing.assert_allclose(pentagon.gains, pentagon.norms**2 / np.sqrt(0.4), rtol=1e-13)
    assert "1 pentagon (ansatz)" in repr(pentagon)


def test_json_has_what_the_command_promises(pentagon):
    values = pentagon.to_json()
    assert list(values) == ["geometry", "dimensionalities", "represented", "loss", "norms", "bias", "basis", "note"]
    assert values["represented"] == [True] * 5
    assert values["loss"] == pentagon.loss


@pytest.mark.parametrize(
    ("arguments", "geometry", "basis", "represented"),
    [
        ((2, 1, 0.3, (1, 0.3)), "1 antipodal pair", "numerical", [True, True]),
        ((2, 1, 0.5, (2, 0.2)), "1 dedicated feature, 1 dropped", "numerical", [True, False]),
        ((2, 1, 0.5, (0.2, 2)), "1 dedicated feature, 1 dropped", "numerical", [False, True]),
        ((5, 2, 0.7), "1 triangle, 2 dropped", "ansatz", [True] * 3 + [False] * 2),
        ((7, 4, 0.05), "1 dedicated feature, 3 antipodal pairs", "ansatz", [True] * 7),
        ((3, 3, 1.0), "3 dedicated", "theorem", [True] * 3),
    ],
)
def test_geometries(arguments, geometry, basis, represented):
    prediction = predict(*arguments[:3], importance=arguments[3] if len(arguments) > 3 else None)
    assert (prediction.geometry, prediction.basis) == (geometry, basis)
    assert prediction.represented.tolist() == represented


@pytest.mark.parametrize("importance", [(1.0, 0.3), (3.0, 0.9), (0.3, 1.0)])
def test_the_loss_of_two_features_is_in_units_of_the_importances(importance):
    prediction = predict(2, 1, 0.2, importance=importance)
    p, size = 0.2, 300_000
    rng = np.random.default_rng(0)
    inputs = rng.uniform(size=(size, 2)) * (rng.uniform(size=(size, 2)) < p)
    outputs = np.maximum(inputs @ prediction.gram + prediction.bias, 0)
    errors = (inputs - outputs) ** 2 @ np.array(importance)
    assert abs(errors.mean() - prediction.loss) < 5 * errors.std() / np.sqrt(size)


def test_equal_importances_scale_the_loss(pentagon):
    scaled = predict(5, 2, 0.1, importance=(3.0,) * 5)
    assert scaled.loss == pytest.approx(3 * pentagon.loss, rel=1e-15)
    np.testing.assert_array_equal(scaled.weights, pentagon.weights)


@pytest.mark.parametrize(
    ("n", "m", "p", "importance", "reason"),
    [
        (60, 20, 0.1, None, "more than two features per dimension"),
        (3, 1, 0.1, None, "more than two features per dimension"),
        (5, 2, 0.1, (1, 1, 1, 1, 0.5), "unequal importances"),
        (5, 2, 1.0, None, "every feature is always active"),
    ],
)
def test_where_there_is_no_prediction(n, m, p, importance, reason):
    prediction = predict(n, m, p, importance=importance)
    assert (prediction.geometry, prediction.basis, prediction.is_predicted) == ("no prediction", "none", False)
    assert reason in prediction.note
    assert np.isnan(prediction.loss)
    assert np.isnan(prediction.weights).all()
    values = prediction.to_json()
    assert [values[name] for name in ("dimensionalities", "represented", "loss", "norms", "bias")] == [None] * 5


def test_the_linear_control_keeps_the_most_important_features():
    importance = np.array([0.5, 2.0, 0.1, 1.0])
    prediction = predict(4, 2, 0.3, importance=importance, nonlinearity="linear")
    assert prediction.basis == "theorem"
    assert prediction.represented.tolist() == [False, True, False, True]
    assert prediction.dimensionalities.tolist() == [1, 1, 0, 0]
    assert prediction.note == ""
    # the loss of any rank-2 map, at its best bias, is V sum_i I_i |(1 - M) e_i|^2
    rng = np.random.default_rng(0)
    variance = superposition.feature_variance(0.3)
    assert prediction.loss == pytest.approx(variance * 0.6, rel=1e-14)
    for scale in (0.3, 1.0):
        matrix = rng.normal(size=(2000, 2, 4)) * scale
        rest = np.eye(4) - np.swapaxes(matrix, 1, 2) @ matrix
        losses = variance * np.sum(rest**2 * importance, axis=(1, 2))
        assert losses.min() > prediction.loss


def test_the_linear_control_of_equal_importances_is_not_unique():
    prediction = predict(5, 2, 0.3, nonlinearity="linear")
    assert "not unique" in prediction.note
    orthonormal = np.linalg.qr(np.random.default_rng(0).normal(size=(5, 2)))[0]
    rest = np.eye(5) - orthonormal @ orthonormal.T
    assert prediction.loss == pytest.approx(superposition.feature_variance(0.3) * np.sum(rest**2), rel=1e-13)
    assert superposition.dimensionalities(orthonormal.T).sum() == pytest.approx(2, rel=1e-13)


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"active_probability": 0}, "active_probability: expected a number in (0, 1], got 0"),
        ({"active_probability": 1.5}, "active_probability: expected a number in (0, 1], got 1.5"),
        ({"active_probability": "much"}, "active_probability: expected a number in (0, 1], got 'much'"),
        (
            {"n_hidden": 6},
            "n_features: expected at least n_hidden=6, got 5: with fewer features than dimensions there is nothing to "
            "superpose",
        ),
        ({"n_hidden": 0}, "n_hidden: expected at least 1, got 0"),
        ({"n_features": 2.5}, "n_features: expected an integer, got 2.5"),
        ({"n_features": 10**7}, "n_features: expected at most 500000 with n_hidden=2, got 10000000"),
        ({"importance": (1, 2)}, "importance: expected 5 numbers, one for each feature, got 2"),
        ({"importance": (1, 2, 3, 4, 0)}, "importance: expected a positive finite number, got 0"),
        ({"nonlinearity": "tanh"}, "nonlinearity: expected one of relu, linear, got 'tanh'"),
    ],
)
def test_bad_input_is_one_line(changes, line):
    with pytest.raises(ValueError, match=f"^{re.escape(line)}$"):
        superposition.predict(**{"n_features": 5, "n_hidden": 2, "active_probability": 0.1} | changes)
