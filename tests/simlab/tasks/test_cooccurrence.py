"""Worlds of co-occurrence: their tables, what modalities see of them, draws, and bad fields."""

import re

import jax
import numpy as np
import pytest

from simlab.tasks.paired.cooccurrence import GivenWorld, RingWorld

pytestmark = pytest.mark.quick

TABLE = ((4.0, 1.0, 1.0, 2.0), (1.0, 3.0, 2.0, 2.0), (1.0, 2.0, 3.0, 1.0), (2.0, 2.0, 1.0, 5.0))


@pytest.mark.parametrize("window", ["exponential", "gaussian"])
def test_the_table_of_a_ring_by_hand(window):
    table = RingWorld(n_events=5, window=window, width=1.5, floor=0.2).sample(0).probabilities
    reach = np.exp(-np.array([0, 1, 2]) / 1.5 if window == "exponential" else -np.array([0, 1, 4]) / 4.5)
    total = reach[0] + 2 * reach[1] + 2 * reach[2]
    for i in range(5):
        for j in range(5):
            distance = min(abs(i - j), 5 - abs(i - j))
            assert table[i, j] == pytest.approx((0.8 * reach[distance] / total + 0.2 / 5) / 5, rel=1e-13)
    assert table.sum() == pytest.approx(1, abs=1e-14)


def test_modalities_see_events_or_blocks():
    world = RingWorld(n_events=6, block=1, second_block=3)
    table = world.sample(3)
    assert table.first.tolist() == [0, 1, 2, 3, 4, 5]
    assert table.second.tolist() == [0, 0, 0, 1, 1, 1]
    assert not world.is_shared
    assert RingWorld(n_events=6, block=2).is_shared
    assert world.population(table) is table
    given = GivenWorld(table=TABLE, block=2)
    np.testing.assert_allclose(given.make_table(), np.array(TABLE) / np.sum(TABLE), rtol=1e-15)
    assert given.sample(0).first.tolist() == given.sample(0).second.tolist() == [0, 0, 1, 1]


def test_draws_have_the_probabilities_of_the_table():
    world, size = GivenWorld(table=TABLE, second_block=2), 100_000
    data = world.sample(0)
    pairs = world.draw(jax.random.key(0), jax.tree.map(lambda array: np.asarray(array, np.float32), data), size)
    counts = np.zeros((4, 2))
    np.add.at(counts, (np.asarray(pairs.first, int), np.asarray(pairs.second, int)), 1)
    expected = data.probabilities.reshape(4, 2, 2).sum(axis=2)
    # Five standard errors of a frequency, at most 5 sqrt(1/4 / size).
    np.testing.assert_allclose(counts / size, expected, atol=2.5 / size**0.5)


def test_numbers_and_blocks_share_one_compilation():
    first, second = RingWorld(n_events=6, block=2), RingWorld(n_events=6, window="gaussian", width=1.0, second_block=3)
    assert first.compile_key == second.compile_key != RingWorld(n_events=8).compile_key
    assert GivenWorld(table=TABLE).compile_key == GivenWorld(table=TABLE[::-1], block=2).compile_key


@pytest.mark.parametrize(
    ("make", "line"),
    [
        (lambda: RingWorld(n_events=2), "n_events: expected a whole number of at least 3, got 2"),
        (lambda: RingWorld(n_events=6, block=4), "block: expected a divisor of the 6 events below it, got 4"),
        (lambda: RingWorld(n_events=6, second_block=6),
         "second_block: expected a divisor of the 6 events below it, got 6"),
        (lambda: RingWorld(n_events=6, floor=1.0), "floor: expected a number below 1, got 1.0"),
        (lambda: RingWorld(n_events=6, width=0.0), "width: expected a positive finite number, got 0.0"),
        (
            lambda: RingWorld(n_events=6, width=1e-3, floor=0.0),
            "width: expected a window that leaves no event without a partner, got 0.001",
        ),
        (
            lambda: RingWorld(n_events=60, width=0.5, floor=0.0, window="gaussian"),
            "floor: expected a positive share, as distant events never meet with width=0.5, got 0.0",
        ),
        (lambda: GivenWorld(table=((1.0, 0.0), (1.0, 1.0))), "table: expected a positive finite number, got 0.0"),
        (
            lambda: GivenWorld(table=((1, 2), (1,))),
            "table: expected at least two rows of at least two numbers, all of the same length, got ((1, 2), (1,))",
        ),
    ],
)  # fmt: skip
def test_bad_fields_are_one_line(make, line):
    with pytest.raises(ValueError, match=f"^{re.escape(line)}$"):
        make()
