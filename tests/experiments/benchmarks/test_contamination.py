"""The benchmark of the toy training: equal work for all contestants; no test looks at a speed."""

from dataclasses import replace

import numpy as np
import pytest

from experiments.benchmarks import contamination as benchmark
from experiments.benchmarks import pytorch
from experiments.benchmarks.settings import BenchSettings
from simlab.sweeps.sweep import train_members


@pytest.fixture(autouse=True)
def few_steps(monkeypatch):
    monkeypatch.setattr(benchmark, "TURN_STEPS", 2)


def test_every_contestant_is_measured_or_said_to_be_missing(monkeypatch):
    monkeypatch.setattr(pytorch, "is_installed", lambda: False)
    settings = BenchSettings(rounds=1, members=8)
    measured = {(one.contestant, one.quantity): one for one in benchmark.measure_contamination(settings)}
    assert measured[benchmark.ALONE, "time"].value > 0
    assert measured[benchmark.SWEEP, "time"].value > 0
    assert np.isnan(measured[benchmark.LOOP, "time"].value)
    assert "not installed" in measured[benchmark.LOOP, "time"].note
    assert {one.case for one in measured.values()} == {"1000 examples, 256 inputs, 8 members in the sweep"}


def test_members_are_the_authors_training_in_one_program():
    members = benchmark.toy_members(BenchSettings(members=None))
    assert len(members) == benchmark.MEMBERS
    assert len({member.spec.group_key for member in members}) == 1
    assert members[0].hyperparameters == (1e-3, 1.0, 1e-3)
    assert (members[0].spec.optimizer, members[0].spec.source.batch_size) == ("adamw", "all")


def test_pytorch_learns_what_ours_learns():
    """The logistic loss falls from log 2 to a few thousandths within 40 steps, from any start."""
    pytest.importorskip("torch")
    [member] = benchmark.toy_members(BenchSettings(members=1))
    long = replace(member.spec, n_steps=40, steps_per_record=40, n_evaluation=1000)
    [run] = train_members([member._replace(spec=long)])
    losses = [benchmark.begin(member)(40), float(run.metrics["train_loss"][-1])]
    assert max(losses) < 0.01
    assert max(losses) < 2 * min(losses)
