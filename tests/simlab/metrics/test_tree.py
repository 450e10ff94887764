"""Measures of vectors on a tree, on vectors whose geometry is known by construction."""

import numpy as np
import pytest

from simlab.metrics import tree

pytestmark = pytest.mark.quick

ROUNDING = 1e-13  # sums of some tens of float64 terms of order one


def steps_and_vectors(branching, depth, lengths):
    """Return vectors in which every node adds a step of its own orthonormal direction to its parent."""
    sizes = [branching**level for level in range(1, depth + 1)]
    directions, vectors = np.eye(sum(sizes)), 0.0
    for size, first, length in zip(sizes, np.cumsum([0, *sizes[:-1]]), lengths, strict=True):
        below = branching**depth // size
        vectors = vectors + length * np.repeat(directions[first : first + size], below, axis=0)
    return vectors


def test_level_strengths_of_nested_steps():
    """The Gram matrix sum_l a_l^2 [same node of depth l] has eigenvalue sum_(m >= l) a_m^2 M_m on level l."""
    vectors = steps_and_vectors(2, 3, (3.0, 2.0, 1.0))
    expected = [9 * 4 + 4 * 2 + 1, 4 * 2 + 1, 1]
    np.testing.assert_allclose(tree.level_strengths(vectors @ vectors.T, 2, 3), expected, rtol=ROUNDING)
    centred = vectors - vectors.mean(axis=0)
    assert tree.level_deviation(centred @ centred.T, 2, 3) <= ROUNDING
    noisy = centred + 0.1 * np.random.default_rng(0).standard_normal(centred.shape)
    assert tree.level_deviation(noisy @ noisy.T, 2, 3) > 1e-2


def test_children_are_orthogonal_to_their_parents_in_a_tree_alone():
    vectors = steps_and_vectors(2, 3, (3.0, 2.0, 1.0))
    assert len(tree.step_cosines(vectors, 2, 3)) == 4 + 8
    assert tree.largest_cosine(tree.step_cosines(vectors, 2, 3)) <= ROUNDING
    assert tree.largest_cosine(tree.shuffled_cosines(vectors, 2, 3)) > 0.1
    random = np.random.default_rng(1).standard_normal((8, 30))
    assert tree.largest_cosine(tree.step_cosines(random, 2, 3)) > 0.05


def test_directions_of_nothing_are_not_numbers():
    vectors = steps_and_vectors(2, 3, (3.0, 2.0, 0.0))
    cosines = tree.step_cosines(vectors, 2, 3)
    assert np.isnan(cosines[4:]).all()
    assert np.isfinite(cosines[:4]).all()
    assert np.isnan(tree.largest_cosine(np.full(3, np.nan)))
    assert np.isnan(tree.level_deviation(np.zeros((8, 8)), 2, 3))


def test_average_linkage_finds_the_tree():
    """Leaves under a node of depth 2, 1 and 0 are apart by 2 (1), 2 (1 + 4) and 2 (1 + 4 + 9) squared."""
    vectors = steps_and_vectors(2, 3, (3.0, 2.0, 1.0))
    merges = tree.average_linkage(vectors)
    np.testing.assert_allclose(merges[:, 2], [2] * 4 + [10] * 2 + [28], rtol=ROUNDING)
    pairs = {tuple(sorted(pair)) for pair in merges[:4, :2].astype(int).tolist()}
    assert pairs == {(0, 1), (2, 3), (4, 5), (6, 7)}
    assert np.isnan(tree.average_linkage(np.full((3, 2), np.nan))).all()


def test_node_means():
    means = tree.node_means(np.arange(4.0)[:, None], 2, 2)
    assert [mean.ravel().tolist() for mean in means] == [[1.5], [0.5, 2.5], [0, 1, 2, 3]]
    assert [len(mean) for mean in tree.node_means(np.zeros((9, 2)), 3, 2)] == pytest.approx([1, 3, 9])
