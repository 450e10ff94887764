"""Gain and dimensionality of a network, and the distances of the classifier that averages its clusters."""

import re

import numpy as np
import pytest
from scipy.optimize import minimize

from theory import superposition


@pytest.fixture(scope="module")
def weights():
    return np.random.default_rng(0).normal(size=(3, 2, 5))


def test_the_gain_is_the_slope_of_an_active_output(weights):
    rng = np.random.default_rng(1)
    for matrix in weights:
        direction = rng.normal(size=5)
        steps = (matrix.T @ matrix @ direction) / np.linalg.norm(direction)
        assert np.all(np.abs(steps) <= superposition.gains(matrix) * (1 + 1e-14))
        row = matrix.T @ matrix[:, 0]
        assert row @ row / np.linalg.norm(row) == pytest.approx(superposition.gains(matrix)[0], rel=1e-14)


def test_the_gain_is_the_square_norm_over_the_root_of_the_dimensionality(weights):
    square_norms = np.sum(weights**2, axis=1)
    expected = square_norms / np.sqrt(superposition.dimensionalities(weights))
    np.testing.assert_allclose(superposition.gains(weights), expected, rtol=1e-13)


def test_dimensionalities_by_their_definition(weights):
    for matrix in weights:
        for i, column in enumerate(matrix.T):
            unit = column / np.linalg.norm(column)
            expected = column @ column / sum((unit @ other) ** 2 for other in matrix.T)
            assert superposition.dimensionalities(matrix)[i] == pytest.approx(expected, rel=1e-13)


def test_a_column_of_zeros_has_no_dimension():
    matrix = np.array([[1.0, 0.0, -1.0]])
    np.testing.assert_array_equal(superposition.dimensionalities(matrix), [0.5, 0, 0.5])
    np.testing.assert_array_equal(superposition.represented_features(matrix), [True, False, True])


@pytest.mark.parametrize("n_clusters", [2, 4, 8])
def test_the_averaged_network_flips_at_the_predicted_distance(n_clusters):
    norm = 1.7
    means = norm * np.eye(n_clusters)
    labels = np.arange(n_clusters) % 2 == 0
    negative, positive = superposition.averaged_features(means, labels)

    def decide(x):
        return max(0.0, positive @ x) - max(0.0, negative @ x)

    distances = superposition.feature_averaging(n_clusters, norm)
    for direction, distance in (
        (negative - positive, distances.flip_distance),
        (-positive, distances.gradient_attack_distance),
    ):
        unit = direction / np.linalg.norm(direction)
        assert decide(means[0] + 0.999 * distance * unit) > 0
        assert decide(means[0] + 1.001 * distance * unit) <= 0
    # no nearer input flips: the least distance subject to f <= 0, from random starts
    rng = np.random.default_rng(0)
    nearest = [
        minimize(
            lambda x: np.sum((x - means[0]) ** 2),
            means[0] + rng.normal(size=n_clusters),
            constraints={"type": "ineq", "fun": lambda x: -decide(x)},
            method="SLSQP",
        )
        for _ in range(8)
    ]
    least = min(np.sqrt(end.fun) for end in nearest if end.success)
    assert least == pytest.approx(distances.flip_distance, rel=1e-5)  # SLSQP stops at 1e-6 of the square


def test_the_robust_classifier_cuts_between_two_clusters():
    distances = superposition.feature_averaging(2, 3.0)
    assert distances.flip_distance == pytest.approx(distances.robust_distance, rel=1e-15)
    assert distances.robust_distance == pytest.approx(np.linalg.norm([3.0, -3.0]) / 2, rel=1e-15)


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ((3,), "n_clusters: expected an even number, half of each label, got 3"),
        ((0,), "n_clusters: expected at least 2, got 0"),
        ((4, -1.0), "mean_norm: expected a positive finite number, got -1.0"),
    ],
)
def test_bad_clusters_are_refused(arguments, line):
    with pytest.raises(ValueError, match=f"^{re.escape(line)}$"):
        superposition.feature_averaging(*arguments)
