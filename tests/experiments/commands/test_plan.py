"""``simlab run --plan``: its size is told at once, and more members than a sweep may have are refused."""

import time

import numpy as np
import pytest

from experiments.commands.cli import main
from experiments.commands.plan_report import format_size
from experiments.core import axes
from experiments.core.experiment import list_seeds
from experiments.core.sweep import make_sweep
from experiments.registry import find_experiment
from experiments.sweep import run

EXPERIMENT = find_experiment("uniform-small-sample")


@pytest.mark.parametrize(
    ("options", "line"),
    [
        ("--seeds 1000000000", "seeds: expected a whole number of at most 1000000, got '1000000000'"),
        ("--seeds 99999999999999999999", "seeds: expected a whole number of at most 1000000, got '9999999999"),
        ("--vary weight-decay=log:1e-3:1e-2:99999999999", "vary weight_decay: expected at most 20000, got 99999999999"),
        ("--vary weight-decay=lin:1e-3:inf:9", "vary weight_decay: expected finite end points, got"),
        (
            "--vary weight-decay=log:1e-3:1e-2:200 --vary learning-rate=lin:1:2:201",
            "vary learning_rate: expected at most 20,000 regimes x values of all axes, got 40200",
        ),
        (
            "--vary weight-decay=log:1e-3:1e-2:2 --seeds 600000",
            "seeds: expected at most 1,000,000 members with 2 regimes x values, got 1200000",
        ),
        ("--shard ²/³", "shard: expected I/N with I from 0 to N-1"),
        ("--process-id 7 --n-processes 3", "distributed: expected with --n-processes --process-id, which only a"),
        (
            "--distributed --coordinator localhost:9999 --n-processes 3 --process-id 7",
            "process_id: expected a whole number of at most 2, got '7'",
        ),
    ],
)
def test_more_than_a_sweep_may_have_is_refused_at_once(tmp_path, capsys, options, line):
    started = time.monotonic()
    assert main(["run", "uniform-small-sample", *options.split(), "--out", str(tmp_path / "run"), "--plan"]) == 2
    assert time.monotonic() - started < 5
    printed = capsys.readouterr().err
    assert printed.startswith(f"simlab: {line}")
    assert printed.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_a_million_members_are_planned_in_seconds():
    started = time.process_time()
    plan = EXPERIMENT.plan("quick", {}, axes.MOST_MEMBERS)
    sweep = make_sweep(plan)
    text = format_size(plan, sweep)
    assert time.process_time() - started < 5
    assert text.startswith("uniform-small-sample: 1000000 members = 1 regimes x axes: none x 1000000 seeds")
    assert text.endswith("1 programs")


def test_the_plan_tells_its_size_before_anything_is_compiled(capsys):
    sizes = "--n-words 6 --n-classes 4 --sentence-length 2 --embedding-dim 4 --batch-size 10 --n-evaluation 20"
    words = ["run", "uniform-small-sample", *sizes.split(), "--epochs", "2", "--seeds", "40", "--plan"]
    assert main(words) == 0
    printed = capsys.readouterr()
    assert printed.out.startswith("uniform-small-sample: 40 members = 1 regimes x axes: none x 40 seeds, 160 steps\n")
    assert "bytes per member" in printed.out
    assert printed.err.splitlines() == [
        "simlab: compiling the programs to determine their memory",
        "simlab: timing program 1 of 1",
    ]


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ({"epoch": 5}, r"option: expected one of .*, got 'epoch' \(did you mean 'epochs'\?\)"),
        ({"seeds": 10**20}, "seeds: expected at most 1000000"),
        ({"seeds": "3"}, "seeds: expected a whole number or a list of them, got '3'"),
        ({"seeds": 0}, "seeds: expected a whole number of at least 1, got 0"),
        ({"seeds": 1.5}, "seeds: expected a whole number or a list of them, got 1.5"),
        ({"vary": {"weight_decay": 1e-3}}, "vary weight_decay: expected a list of values, got 0.001"),
        ({"vary": {"optimizer": "sgd"}}, "vary optimizer: expected a list of values, got 'sgd'"),
    ],
)
def test_python_is_told_the_same(arguments, line):
    with pytest.raises(ValueError, match=f"^{line}"):
        run("uniform-small-sample", **arguments)


def test_seeds_may_be_numbers_of_any_library():
    assert list(list_seeds(np.int64(2))) == list(list_seeds(range(2))) == list_seeds(np.arange(2)) == [0, 1]
    assert EXPERIMENT.plan("quick", {}, np.int64(2)).describe()["seeds"] == [0, 1]
