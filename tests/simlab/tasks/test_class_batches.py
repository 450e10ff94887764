"""Tables of classes that meet in a batch: against draws, and what is refused."""

import re
from itertools import product

import jax
import numpy as np
import pytest

from simlab.tasks.paired.class_batches import ClassBatches

pytestmark = pytest.mark.quick

UNEVEN = (0.5, 0.3, 0.2)


def table(task):
    """Return probabilities by class counts."""
    data = task.sample(0)
    assert data.counts.shape == (task.n_rows, task.n_classes)
    rows = zip(data.counts, data.probabilities, strict=True)
    return {tuple(row.astype(float).tolist()): float(p) for row, p in rows if p > 0}


def test_distinct_classes_are_all_subsets():
    found = table(ClassBatches(n_classes=4, batch_size=2))
    assert len(found) == 6
    assert set(found.values()) == {1 / 6}
    assert all(sorted(row) == [0, 0, 1, 1] for row in found)


def test_independent_classes_have_their_multinomial_law():
    found = table(ClassBatches(n_classes=3, batch_size=4, repeats_classes=True, class_priors=UNEVEN))
    expected = {}
    for draw in product(range(3), repeat=4):
        row = tuple(float(draw.count(k)) for k in range(3))
        expected[row] = expected.get(row, 0) + float(np.prod(np.array(UNEVEN)[list(draw)]))
    assert found == pytest.approx(expected)


def test_infinitely_many_negatives_are_the_priors():
    assert table(ClassBatches(n_classes=3, class_priors=UNEVEN)) == {UNEVEN: 1.0}


def test_tables_of_one_size_share_a_compilation():
    tasks = [ClassBatches(n_classes=4, batch_size=size) for size in (2, 4)]
    assert tasks[0].compile_key == tasks[1].compile_key
    shapes = [jax.tree.map(np.shape, task.abstract()) for task in (tasks[0], tasks[0].compile_key)]
    assert shapes[0] == shapes[1]
    assert tasks[0].compile_key != ClassBatches(n_classes=4, batch_size=2, repeats_classes=True).compile_key


@pytest.mark.parametrize("repeats", [False, True])
def test_draws_follow_the_table(repeats):
    task = ClassBatches(n_classes=3, batch_size=2, repeats_classes=repeats)
    keys = jax.random.split(jax.random.key(0), 4000)
    pairs = jax.vmap(lambda key: task.draw(key, task.sample(0), 2))(keys)
    np.testing.assert_array_equal(pairs.first, pairs.second)
    counts = (np.asarray(pairs.first)[:, :, None] == np.arange(3)).sum(1)
    for row, probability in table(task).items():
        share = np.mean(np.all(counts == row, axis=1))
        assert abs(share - probability) < 5 * np.sqrt(probability * (1 - probability) / 4000)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"n_classes": 1}, "n_classes: expected a whole number of at least 2, got 1"),
        (
            {"n_classes": 3, "batch_size": 4},
            "batch_size: expected at most n_classes=3, as the classes of a batch differ",
        ),
        ({"n_classes": 3, "batch_size": 1}, "batch_size: expected a whole number of at least 2, got 1"),
        ({"n_classes": 40, "batch_size": 20}, "batch_size: expected few enough for 300000 multisets of n_classes=40"),
        ({"n_classes": 3, "class_priors": (0.5, 0.5)}, "class_priors: expected 3 numbers, one for each class, got 2"),
        ({"n_classes": 2, "class_priors": (0.5, 0.6)}, "class_priors: expected numbers that sum to 1, got 1.1"),
        ({"n_classes": 2, "batch_size": 2, "class_priors": (0.4, 0.6)}, "class_priors: expected equal ones where"),
        (
            {"n_classes": 4, "batch_size": 2, "table_rows": 3},
            "table_rows: expected a whole number of at least 6, got 3",
        ),
    ],
)
def test_bad_tasks_are_one_line(fields, message):
    with pytest.raises(ValueError, match="^" + re.escape(message)):
        ClassBatches(**fields)
