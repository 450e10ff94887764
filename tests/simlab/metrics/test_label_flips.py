"""The first change of sign along a line, against a fine grid of points on it."""

import numpy as np
import pytest

from simlab.metrics.label_flips import alignments, flip_distance, outputs

pytestmark = pytest.mark.quick

SIGNS = np.array([1.0, 1.0, -1.0, -1.0])


@pytest.mark.parametrize("seed", range(5))
def test_flip_distance_against_a_grid(seed):
    rng = np.random.default_rng(seed)
    weights, start, direction = rng.standard_normal((4, 3)), rng.standard_normal(3), rng.standard_normal(3)
    direction /= np.linalg.norm(direction)
    grid = np.linspace(0, 20, 200_001)
    values = outputs(weights, SIGNS, start + grid[:, None] * direction)
    changed = np.flatnonzero(values * values[0] <= 0)
    distance = flip_distance(weights, SIGNS, start, direction)
    if len(changed):
        assert abs(distance - grid[changed[0]]) <= 2e-4  # two steps of the grid
    else:
        assert distance > 20


def test_a_label_that_never_flips():
    weights = np.eye(2)
    assert flip_distance(weights, np.array([1.0, 1.0]), np.array([1.0, 1.0]), np.array([1.0, 0.0])) == np.inf


def test_a_flip_behind_the_last_kink():
    """Along x the units 2x + ... grow apart only after both are active."""
    weights, signs = np.array([[1.0, 3.0], [2.0, 0.0]]), np.array([1.0, -1.0])
    # f = (x + 3)/2 - x for x > 0: zero at x = 3.
    assert abs(flip_distance(weights, signs, np.array([0.0, 1.0]), np.array([1.0, 0.0])) - 3) < 1e-12


def test_alignment_is_a_cosine():
    rows, targets = np.array([[3.0, 0.0], [1.0, 1.0]]), np.array([[2.0, 0.0], [-1.0, 0.0]])
    np.testing.assert_allclose(alignments(rows, targets), [1.0, -np.sqrt(0.5)])
