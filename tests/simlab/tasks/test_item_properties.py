"""Items and properties: what a leaf of a tree has, and the table of animals and plants."""

import numpy as np
import pytest

from simlab.tasks.item_properties import ItemProperties, item_names, property_names

pytestmark = pytest.mark.quick


def test_leaves_have_the_nodes_on_their_path():
    matrix = ItemProperties(branching=2, depth=2).matrix()
    expected = [
        [1, 1, 1, 1],
        [1, 1, 0, 0],
        [0, 0, 1, 1],
        [1, 0, 0, 0],
        [0, 1, 0, 0],
        [0, 0, 1, 0],
        [0, 0, 0, 1],
    ]
    np.testing.assert_array_equal(matrix, expected)


@pytest.mark.parametrize("fields", [{"branching": 3, "depth": 2}, {"kind": "animals-and-plants"}])
def test_shapes_are_those_of_the_matrix(fields):
    task = ItemProperties(**fields)
    assert task.matrix().shape == task.shape
    np.testing.assert_array_equal(task.sample(3), task.matrix())


def test_animals_and_plants():
    """8 items, about 20 properties; all share two, animals and plants share no other, and no item is like another."""
    matrix = ItemProperties(kind="animals-and-plants").matrix()
    assert len(item_names()) == 8
    assert len(property_names()) == len(matrix) == len(set(property_names()))
    assert matrix.sum(axis=1).max() == 8
    assert (matrix[:, :4].any(axis=1) & matrix[:, 4:].any(axis=1)).sum() == 2
    assert len({tuple(column) for column in matrix.T}) == 8


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"kind": "forest"}, "kind: expected one of tree, animals-and-plants, got 'forest'"),
        ({"branching": 1}, "branching: expected a whole number of at least 2, got 1"),
        ({"depth": 0}, "depth: expected a whole number of at least 1, got 0"),
    ],
)
def test_bad_input_names_the_field(fields, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        ItemProperties(**fields)
