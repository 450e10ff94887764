"""Closed forms of deep linear networks against direct integration of all weights, and against gradient descent."""

from itertools import pairwise

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from theory import hierarchy
from theory.hierarchy import modes
from theory.hierarchy.riccati import decoupled_starts, solve_two_layers
from theory.hierarchy.tree import Tree

pytestmark = pytest.mark.quick

TARGET = Tree(2, 2).path_properties()  # 7 properties of 4 items, s^2 = 7, 3, 1, 1
LEFT, VALUES, RIGHT = np.linalg.svd(TARGET, full_matrices=False)
# Of the integrator: errors of single steps, relative and absolute; over a path they add up to some hundred times that.
INTEGRATION = {"rtol": 1e-11, "atol": 1e-13, "method": "DOP853"}
INTEGRATED = 1e-9


def product(weights):
    result = np.eye(weights[0].shape[1])
    for matrix in weights:
        result = matrix @ result
    return result


def velocity(weights, target=TARGET):
    """Return minus the gradient of |Y - W|^2 / 2 in each layer."""
    error = target - product(weights)
    return [
        product([np.eye(matrix.shape[0]), *weights[layer + 1 :]]).T
        @ error
        @ product([np.eye(weights[0].shape[1]), *weights[:layer]]).T
        for layer, matrix in enumerate(weights)
    ]


def integrate(weights, times):
    """Return the weights at each time by integration of every entry."""
    shapes = [matrix.shape for matrix in weights]
    ends = np.cumsum([matrix.size for matrix in weights])[:-1]

    def unpack(point):
        return [part.reshape(shape) for part, shape in zip(np.split(point, ends), shapes, strict=True)]

    def slope(_, point):
        return np.concatenate([matrix.ravel() for matrix in velocity(unpack(point))])

    start = np.concatenate([matrix.ravel() for matrix in weights])
    path = solve_ivp(slope, (0, times[-1]), start, t_eval=times, **INTEGRATION)
    return [unpack(point) for point in path.y.T]


def frames(rng, sizes, rank):
    return [np.linalg.qr(rng.standard_normal((size, rank)))[0] for size in sizes]


def balanced_weights(rng, strength, hidden, n_layers):
    """Return layers with equal singular values and random frames that fit each other."""
    sides = frames(rng, [4, *[hidden] * (n_layers - 1), 7], 4)
    return [strength ** (1 / n_layers) * out @ into.T for into, out in pairwise(sides)]


def stacked(weights):
    first, last = weights[0].T, weights[-1]
    return np.vstack([first, last]) @ np.vstack([first, last]).T


@pytest.mark.parametrize("n_layers", [1, 2, 3, 5])
def test_aligned_modes_follow_the_flow_of_all_weights(n_layers):
    hidden = np.linalg.qr(np.random.default_rng(0).standard_normal((6, 4)))[0]
    sides = [RIGHT.T, *[hidden] * (n_layers - 1), LEFT]
    start = [0.02 ** (1 / n_layers) * out @ into.T for into, out in pairwise(sides)]
    times = np.linspace(0, 4, 9)
    learned = [np.diag(LEFT.T @ product(weights) @ RIGHT.T) for weights in integrate(start, times)]
    predicted = modes.aligned_strengths(VALUES, 0.02, times, n_layers)
    np.testing.assert_allclose(predicted, learned, atol=INTEGRATED)
    halves = modes.half_times(VALUES, 0.02, n_layers)
    at_half = [modes.aligned_strengths(VALUES, 0.02, [time], n_layers)[0, i] for i, time in enumerate(halves)]
    np.testing.assert_allclose(at_half, VALUES / 2, rtol=1e-12)


@pytest.mark.parametrize("n_layers", [2, 3])
def test_gradient_descent_of_aligned_modes_is_exact(n_layers):
    hidden = np.linalg.qr(np.random.default_rng(0).standard_normal((6, 4)))[0]
    sides = [RIGHT.T, *[hidden] * (n_layers - 1), LEFT]
    weights = [0.05 ** (1 / n_layers) * out @ into.T for into, out in pairwise(sides)]
    for _ in range(60):
        weights = [matrix + 0.05 * step for matrix, step in zip(weights, velocity(weights), strict=True)]
    learned = np.diag(LEFT.T @ product(weights) @ RIGHT.T)
    predicted = modes.descend_strengths(VALUES, 0.05, [10, 60], 0.05, n_layers)[1]
    np.testing.assert_allclose(learned, predicted, rtol=1e-12)


@pytest.mark.parametrize("hidden", [4, 9])
def test_two_layers_from_any_balanced_start(hidden):
    start = balanced_weights(np.random.default_rng(1), 0.05, hidden, 2)
    steps = np.array([0, 50, 130, 300, 700])
    solved = solve_two_layers(TARGET, stacked(start), steps, 0.01)
    path = integrate(start, 0.01 * steps)
    np.testing.assert_allclose(solved.maps, [product(weights) for weights in path], atol=INTEGRATED)
    np.testing.assert_allclose(solved.item_grams, [w[0].T @ w[0] for w in path], atol=INTEGRATED)


def test_a_hidden_layer_narrower_than_the_rank():
    rng = np.random.default_rng(2)
    sides = frames(rng, [4, 2, 7], 2)
    start = [0.2 * out @ into.T for into, out in pairwise(sides)]
    solved = solve_two_layers(TARGET, stacked(start), np.array([0, 400]), 0.01, width=2)
    np.testing.assert_allclose(solved.maps[-1], product(integrate(start, [0, 4.0])[-1]), atol=INTEGRATED)
    # Rounding of the start must not grow into modes that the layer has no room for: after t = 60 by a factor of e^120.
    late = solve_two_layers(TARGET, stacked(start), np.array([0, 6000]), 0.01, width=2)
    np.testing.assert_allclose(np.linalg.svd(late.maps[-1])[1], [7**0.5, 3**0.5, 0, 0], atol=INTEGRATED)


def test_a_small_random_start_needs_the_coupling_of_modes():
    """The projected formula errs by the size of the start, the decoupled sigmoid by far more, at any size."""
    rng = np.random.default_rng(3)
    shapes, errors, decoupled = ((16, 4), (7, 16)), [], []
    draws = [rng.standard_normal(shape) for shape in shapes]
    for scale in (1e-2, 1e-3):
        start = [scale * draw for draw in draws]
        steps = np.arange(0, 1500, 100)
        path = hierarchy.predict_path(TARGET, "random", stacked(start), steps, 0.01, n_layers=2)
        levels = hierarchy.find_levels(TARGET)
        learned = levels.strengths(np.array([product(weights) for weights in integrate(start, 0.01 * steps)]))
        errors.append(np.abs(path.strengths - learned).max() / VALUES[0])
        decoupled.append(np.abs(path.decoupled - learned).max() / VALUES[0])
    # Its error is of second order in the start, whose squared norm is 16 scale^2 a mode, up to logarithms.
    assert errors[1] < 1e-4 < 100 * errors[1]
    assert errors[1] < errors[0] / 10
    assert min(decoupled) > 5e-3


def test_decoupled_starts_are_those_of_each_mode():
    rng = np.random.default_rng(4)
    start = [rng.standard_normal((5, 4)), rng.standard_normal((7, 5))]
    expected = [np.sum(((start[0] @ v + start[1].T @ u) / 2) ** 2) for u, v in zip(LEFT.T, RIGHT, strict=True)]
    np.testing.assert_allclose(decoupled_starts(LEFT, RIGHT.T, stacked(start)), expected, rtol=1e-13)


@pytest.mark.parametrize("n_layers", [2, 3, 4])
def test_the_law_of_layers(n_layers):
    """At t = 12 what is left of the slowest mode, s = 1, is below e^-12; logarithms are taken of numbers above 0.3."""
    start = balanced_weights(np.random.default_rng(5), 0.3, 5, n_layers)
    weights = integrate(start, [0, 12.0])[-1]
    levels = hierarchy.find_levels(TARGET)
    for layer, exponent in enumerate(hierarchy.layer_exponents(n_layers), start=1):
        hidden = product(weights[:layer])
        np.testing.assert_allclose(levels.gram_strengths(hidden.T @ hidden), levels.values**exponent, rtol=1e-4)


def test_one_layer_learns_every_level_at_once():
    start = [np.random.default_rng(6).standard_normal((7, 4))]
    gram = np.block([[start[0].T @ start[0], start[0].T], [start[0], start[0] @ start[0].T]])
    path = hierarchy.predict_path(TARGET, "random", gram, np.array([0, 200]), 0.01, n_layers=1)
    learned = hierarchy.find_levels(TARGET).strengths(product(integrate(start, [0, 2.0])[-1]))
    np.testing.assert_allclose(path.strengths[-1], learned, atol=INTEGRATED)


def test_discrete_steps_are_closer_than_the_flow():
    """Descent with eta s = 0.02 departs from the flow by a relative eta s of the growth, which (1 + eta s)^n has."""
    start = balanced_weights(np.random.default_rng(7), 1e-4, 6, 2)
    weights, rate, n_steps = start, 0.02 / VALUES[0], 250
    for _ in range(n_steps):
        weights = [matrix + rate * step for matrix, step in zip(weights, velocity(weights), strict=True)]
    steps = np.array([0, n_steps])
    errors = [
        np.abs(
            solve_two_layers(TARGET, stacked(start), steps, rate, discrete=discrete).maps[-1] - product(weights)
        ).max()
        for discrete in (True, False)
    ]
    assert errors[0] < 0.5 * errors[1]
    assert errors[0] < 0.02


@pytest.mark.parametrize("n_layers", [1, 2, 3])
def test_the_largest_stable_step(n_layers):
    """Beside the minimum a step below it brings modes nearer, one above it drives them away."""
    largest = modes.largest_learning_rate(VALUES[0], n_layers)
    for factor, comes_nearer in ((0.98, True), (1.02, False)):
        near = VALUES[0] * (1 + 1e-6)
        later = modes.descend_strengths(VALUES[:1] + 0, near, [20], factor * largest, n_layers)[0, 0]
        assert (abs(later - VALUES[0]) < near - VALUES[0]) == comes_nearer


def test_levels_of_a_tree():
    levels = hierarchy.find_levels(Tree(2, 3).path_properties())
    np.testing.assert_allclose(levels.values**2, [15, 7, 3, 1], rtol=1e-13)
    np.testing.assert_array_equal(levels.multiplicities, [1, 1, 2, 4])
    prediction = hierarchy.predict_deep_linear(steps=(0, 500, 10_000))
    np.testing.assert_allclose(prediction.singular_values**2, [15, 7, 3, 3, 1, 1, 1, 1], rtol=1e-13)
    assert prediction.strengths.shape == (3, 8)
    np.testing.assert_allclose(prediction.strengths[0], 1e-3)
    assert np.all(np.diff(prediction.half_times) >= 0)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"branching": 1}, "branching: expected at least 2, got 1"),
        ({"depth": 0}, "depth: expected at least 1, got 0"),
        ({"layers": 0}, "layers: expected at least 1, got 0"),
        ({"steps": (0, -1)}, "steps: expected at least 0, got -1"),
        ({"learning_rate": 0.5}, "learning_rate: expected less than 0.258199, the largest stable step, got 0.5"),
        ({"initial_strength": 1.0}, "initial_strength: expected a number below the least singular value, 1, got 1.0"),
        ({"initial_strength": 0.0}, "initial_strength: expected a positive finite number, got 0.0"),
    ],
)
def test_bad_input_names_the_field(changes, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        hierarchy.predict_deep_linear(**changes)
