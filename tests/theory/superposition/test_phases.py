"""The exact boundary of superposition, and the crossing of the candidates, which is another curve."""

import numpy as np
import pytest
from scipy.integrate import dblquad
from scipy.optimize import brentq

from theory import superposition
from theory.superposition.task import feature_variance

RATIOS = np.array([0.1, 0.3, 0.6, 1 / 0.3])


@pytest.fixture(scope="module")
def boundary():
    return superposition.phase_boundary(RATIOS)


@pytest.mark.quick
def test_the_antipodal_pair_loses_the_smaller_feature():
    smaller = dblquad(lambda y, x: min(x, y) ** 2, 0, 1, lambda x: 0, lambda x: x)[0] * 2
    p, r = 0.3, 0.4
    assert superposition.candidate_losses(p, r)[2] == pytest.approx(p**2 * (1 + r) * smaller, abs=1e-9)
    pair = superposition.two_feature_loss(np.array([1.0, -1.0]), np.zeros(2), p, r)
    assert superposition.candidate_losses(p, r)[2] == pytest.approx(float(pair), rel=1e-14)


@pytest.mark.quick
@pytest.mark.parametrize("ratio", [0.1, 0.5, 1.0, 3.0])
def test_the_candidates_cross_at_their_crossing(ratio):
    def difference(p):
        dropped_second, dropped_first, pair = superposition.candidate_losses(p, ratio)
        return pair - min(dropped_second, dropped_first)

    assert superposition.candidate_crossing(ratio) == pytest.approx(
        brentq(difference, 1e-3, 1.0, xtol=1e-14), rel=1e-11
    )


def test_the_boundary_lies_above_the_crossing(boundary):
    assert np.all(boundary > superposition.candidate_crossing(RATIOS))


def test_the_boundary_is_the_same_for_the_inverse_ratio(boundary):
    assert boundary[1] == boundary[3]


@pytest.mark.parametrize("row", range(3))
def test_the_minimiser_superposes_below_and_not_above(boundary, row):
    step = 1e-5
    phases = [
        superposition.phase_index(superposition.minimise_two_features(p, RATIOS[row]).represented)
        for p in (boundary[row] * (1 - step), boundary[row] * (1 + step))
    ]
    assert phases == [3, 1]


def test_the_jump_at_a_small_ratio_is_where_the_two_losses_are_equal(boundary):
    minimum = superposition.minimise_two_features(boundary[0] * (1 - 1e-4), RATIOS[0])
    dropped = RATIOS[0] * feature_variance(boundary[0] * (1 - 1e-4))
    assert np.abs(minimum.weights).min() > 0.6
    assert 0 < 1 - minimum.loss / dropped < 1e-4


def test_ties_are_the_cells_beside_another_phase():
    phases = np.array([[1, 1, 1, 1], [1, 1, 1, 3], [1, 1, 1, 1]])
    expected = np.zeros((3, 4), dtype=bool)
    expected[:, 2:] = True
    np.testing.assert_array_equal(superposition.tied_cells(phases), expected)
    assert not superposition.tied_cells(np.ones((3, 3), dtype=int)).any()
