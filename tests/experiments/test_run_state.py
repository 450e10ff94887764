"""How far a run has come, without JAX, agrees with what the sweep itself counts."""

import pytest

from experiments.core.sweep import make_sweep
from experiments.registry import find_experiment
from experiments.run_all.run_state import Stage, count_parts, find_state


@pytest.mark.parametrize("name", ["formula-reach", "certified-descent", "moments-precision"])
@pytest.mark.parametrize("chunk", [1, 4, 1000])
def test_parts_are_counted_as_the_sweep_counts_them(name, chunk):
    plan = find_experiment(name).plan("quick", {})
    sweep = make_sweep(plan)
    layouts = sweep.choose_layouts(chunk=chunk)
    assert count_parts(plan, [layout._asdict() for layout in layouts]) == len(sweep.parts(layouts))


def test_a_result_that_cannot_be_read_is_another_run(tmp_path):
    (tmp_path / "results.nc").write_bytes(b"no netCDF")
    state = find_state(tmp_path, find_experiment("escape").plan("quick", {}))
    assert state.stage is Stage.OTHER
    assert "folder: expected a readable results.nc in it" in state.text
