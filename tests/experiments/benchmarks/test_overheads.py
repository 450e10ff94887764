"""Shares of batches and records: by hand from given times, and the batches are those of the steps; none is a speed."""

import numpy as np
import pytest

from experiments.benchmarks import overheads
from experiments.benchmarks.settings import BenchSettings
from experiments.registry import find_experiment
from simlab.sweeps.members import Member

SETTINGS = BenchSettings(rounds=2, only=("feature-collapse",))


def test_shares_by_hand(monkeypatch):
    seconds = {"segment": np.array([0.4, 0.4]), "record": np.array([0.1, 0.1]), "batches": np.array([0.02, 0.02])}
    monkeypatch.setattr(overheads, "_contestants", lambda member: [])
    monkeypatch.setattr(overheads, "take_turns", lambda contestants, rounds: seconds)
    parts = list(overheads.make_parts(SETTINGS))
    assert [part.name for part in parts] == [
        f"feature-collapse {name}"
        for name in ("uniform-small-sample", "zipf-large-sample", "zipf-small-sample", "zipf-layer-norm")
    ]
    # 4,500 steps in 100 segments of 45, and 101 records.
    time, batches, records = (one.value for one in parts[0].measure())
    assert time == pytest.approx(1e6 * 0.4 / 45)
    assert batches == pytest.approx(5)
    assert records == pytest.approx(100 * 10.1 / (40 + 10.1))


def test_the_batches_that_are_read_are_those_of_the_steps():
    """Fresh features are uniform on [0, 1): their sum over a segment has this mean and variance."""
    plan = find_experiment("superposition").plan("quick", {"n_steps": 40, "n_records": 2, "batch_size": 16})
    cell = next(cell for cell in plan.cells if cell.regime == "thirty-in-twenty")
    contestants = overheads._contestants(Member(cell.spec, cell.hyperparameters, 0))
    total = float({one.name: one for one in contestants}["batches"].turn())
    count = 20 * 16 * 30 * 2  # steps, draws, features; values and thresholds
    assert abs(total - count / 2) < 5 * np.sqrt(count / 12)
