"""Targets of trees and circles, by their definitions, and tasks that refuse what is no distribution."""

import dataclasses

import numpy as np
import pytest

from simlab.tasks.soft_labels import SoftLabelTask, as_rows, cyclic_targets, tree_targets

pytestmark = pytest.mark.quick

TARGETS = as_rows(tree_targets(2, 2, (0.8, 0.5)))


def test_tree_targets_fall_with_the_distance():
    """For b = 2, D = 2: 1/4 + lambda_1/4 + lambda_2/2 on the leaf, 1/4 + (lambda_1 - 2 lambda_2)/4 for its sibling."""
    rows = tree_targets(2, 2, (0.8, 0.5))
    np.testing.assert_allclose(rows[0], [0.7, 0.2, 0.05, 0.05], rtol=1e-14)
    np.testing.assert_allclose(rows[3], [0.05, 0.05, 0.2, 0.7], rtol=1e-14)
    np.testing.assert_allclose(tree_targets(3, 2, (0.9, 0.4)).sum(axis=1), 1, rtol=1e-14)


def test_cyclic_targets_mix_neighbours():
    np.testing.assert_allclose(cyclic_targets(4, 0.1)[0], [0.8, 0.1, 0, 0.1])
    np.testing.assert_allclose(cyclic_targets(4, 0.1), cyclic_targets(4, 0.1).T)


def test_a_task_holds_its_targets_as_data():
    task = SoftLabelTask(factor_sizes=4, samples_per_cell=2, targets=TARGETS)
    data = task.sample(0)
    np.testing.assert_array_equal(data.targets, TARGETS)
    np.testing.assert_array_equal(data.labels[:, 0], [0, 0, 1, 1, 2, 2, 3, 3])
    other = dataclasses.replace(task, targets=as_rows(np.eye(4)))
    assert task.compile_key == other.compile_key
    assert task != other


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: tree_targets(1, 2, (0.5, 0.4)), "branching: expected a whole number of at least 2, got 1"),
        (lambda: tree_targets(2, 0, ()), "depth: expected a whole number of at least 1, got 0"),
        (lambda: tree_targets(2, 2, (0.5,)), "level_eigenvalues: expected 2 numbers, one for each level, got 1"),
        (lambda: cyclic_targets(2, 0.1), "n_classes: expected a whole number of at least 3, got 2"),
        (lambda: cyclic_targets(4, 0.6), "cyclic_confusion: expected a number from 0 to 0.5, got 0.6"),
        (lambda: SoftLabelTask(factor_sizes=3, samples_per_cell=1, targets=TARGETS), "targets: expected 3 rows of 3"),
        (
            lambda: SoftLabelTask(factor_sizes=2, samples_per_cell=1, targets=((0.5, 0.6), (0.5, 0.5))),
            "targets: expected rows of probabilities that sum to 1",
        ),
    ],
)
def test_bad_input_names_the_field(make, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        make()
