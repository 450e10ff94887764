"""The benchmark of the phase diagram: equal work for all contestants; no test looks at a speed."""

from dataclasses import replace

import numpy as np
import pytest

from experiments.benchmarks import pytorch
from experiments.benchmarks import superposition as benchmark
from experiments.benchmarks.settings import BenchSettings
from simlab.sweeps.sweep import train_members

SMALL = BenchSettings(rounds=1, members=8)


@pytest.fixture(autouse=True)
def few_steps(monkeypatch):
    monkeypatch.setattr(benchmark, "TURN_STEPS", 4)
    monkeypatch.setattr(benchmark, "LOOP_STEPS", 2)


def test_every_contestant_is_measured_or_said_to_be_missing(monkeypatch):
    monkeypatch.setattr(pytorch, "is_installed", lambda: False)
    measured = {(one.contestant, one.quantity): one for one in benchmark.measure_superposition(SMALL)}
    for name in (benchmark.SAMPLED, benchmark.WEIGHTED):
        assert measured[f"{name}{benchmark.APART}", "time"].value > 0
    assert np.isnan(measured[benchmark.INSTANCES, "time"].value)
    assert "not installed" in measured[benchmark.INSTANCES, "time"].note
    assert {one.case for one in measured.values()} == {"8 members, 128 draws each"}


def test_members_are_cells_of_the_preset_in_one_program():
    members = benchmark.grid_members(BenchSettings(members=None), "sampled")
    assert len(members) == 20 * 20 * 4
    assert len({member.spec.group_key for member in members}) == 1
    assert {member.spec.source.batch_size for member in members} == {128}
    assert {member.spec.n_steps for member in members} == {4}


def test_instances_of_pytorch_learn_what_ours_learn():
    """A cell where the first feature is alone from any start: what is lost is r V = 0.1 (1/3 - 1/4) at p = 1."""
    pytest.importorskip("torch")
    [member] = benchmark.grid_members(BenchSettings(members=1), "sampled")
    long = replace(member.spec, n_steps=600, steps_per_record=600)
    [run] = train_members([member._replace(spec=long)])
    losses = [benchmark.begin_instances([member, member])(600).mean(), run.last_metrics["loss"]]
    # Means over 128 draws and more of an error of about its own size.
    np.testing.assert_allclose(losses, 0.1 / 12, rtol=0.4)
