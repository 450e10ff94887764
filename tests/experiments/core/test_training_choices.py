"""How a number of steps is cut into records."""

import pytest

from experiments.core.training_choices import _steps_per_record


@pytest.mark.parametrize(
    ("n_records", "n_steps", "steps"),
    [(50, 0, 1), (50, 1, 1), (50, 7, 1), (50, 100, 2), (50, 53 * 7, 53), (9, 4_000_037, 4_000_037), (10, 11, 11)],
)
def test_records_are_equally_far_apart_and_at_most_as_many_as_asked_for(n_records, n_steps, steps):
    assert _steps_per_record(n_records, n_steps) == steps


@pytest.mark.parametrize(
    ("n_records", "n_steps", "nearest"), [(50, 4_000_037, 4_000_050), (50, 53, 50), (200, 211, 200), (50, 2 * 211, 400)]
)
def test_steps_that_cannot_be_cut_are_refused_with_the_nearest_that_can(n_records, n_steps, nearest):
    wanted = f"a number of steps with a divisor near n_records={n_records}, such as {nearest}"
    line = f"^n_steps: expected {wanted}, got {n_steps}$"
    with pytest.raises(ValueError, match=line):
        _steps_per_record(n_records, n_steps)
    assert nearest // _steps_per_record(n_records, nearest) > n_records / 10
