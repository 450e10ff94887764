"""``simlab run all`` on a registry of small experiments: order, states, times, failures, and what is left."""

import json
import time
from dataclasses import dataclass

import numpy as np
import pytest

from experiments import Configuration, Experiment, Measured, Phenomenon, Prediction, Quantity, Regime, Variable, option
from experiments import standard_comparison as make_comparison
from experiments.commands import run_all as command
from experiments.commands import run_options
from experiments.commands.cli import main
from experiments.registry import NAMES, find_experiment
from experiments.run_all.stated_time import read_stated_time


@dataclass(frozen=True, kw_only=True)
class Draws(Configuration):
    """How many numbers are drawn, and from where."""

    size: int = option(10, "numbers drawn")
    model: str | None = option(None, "where they come from")


def measure(member, run, prediction):
    """Return the mean of the draws of a seed."""
    drawn = np.random.default_rng(member.seed).standard_normal(member.subject.size)
    return Measured(quantities={"mean": drawn.mean()}, arrays={"draws": drawn[:3]})


def predict(choices):
    """Return the mean of the law."""
    return Prediction(basis="theorem", quantities={"mean": 0.0}, arrays={"draws": np.zeros(3)})


def make_experiment(name, measure=measure, **fields):
    """Return a measurement of two seeds."""
    phenomenon = Phenomenon(
        name=name,
        configuration=Draws,
        predict=predict,
        load_comparison=lambda: make_comparison(
            quantities={"mean": Quantity(label="mean", headline="compared")},
            arrays={"draws": Variable(("draw",), "first draws")},
            measure=measure,
        ),
    )
    regimes = (Regime("normal", "", Draws()),)
    return Experiment(name, "", regimes, phenomenon, **{"seeds": {"quick": 2}, "quick_time": "2 s"} | fields)


def fail(member, run, prediction):
    """Be a fault of simlab's in the second of two members."""
    if member.seed == 1:
        raise TypeError("a fault\nof a measure")
    return measure(member, run, prediction)


def interrupt(member, run, prediction):
    """Be interrupted in the second of two members."""
    if member.seed == 1:
        raise KeyboardInterrupt
    return measure(member, run, prediction)


@pytest.fixture
def register(monkeypatch):
    """Return a function that makes some experiments the only ones of ``simlab run all``."""

    def replace(*experiments):
        by_name = {experiment.name: experiment for experiment in experiments}
        for module in (command, run_options):
            monkeypatch.setattr(module, "NAMES", tuple(by_name))
            monkeypatch.setattr(module, "find_experiment", by_name.__getitem__)

    return replace


def run_all(capsys, folder, *words):
    """Return exit status, rows of the table by name, and stderr."""
    status = main(["run", "all", "--out", str(folder), "--no-figures", "--json", *words])
    printed = capsys.readouterr()
    return status, {row["experiment"]: row for row in json.loads(printed.out)}, printed.err


def test_the_cheapest_is_first_and_a_finished_one_is_not_run_again(register, tmp_path, capsys):
    register(make_experiment("long", quick_time="1 min"), make_experiment("short"), make_experiment("x", quick_time=""))
    status, rows, _ = run_all(capsys, tmp_path, "--plan")
    assert (status, list(rows)) == (0, ["short", "long", "x"])
    assert {row["state"] for row in rows.values()} == {"not begun"}
    assert list(tmp_path.iterdir()) == []
    status, rows, error = run_all(capsys, tmp_path)
    assert status == 0
    assert {row["state"] for row in rows.values()} == {"done"}
    assert all(row["seconds"] > 0 and row["members"] == 2 for row in rows.values())
    assert "simlab: short (1 of 3): not begun, stated time 2 s" in error
    assert "simlab: x (3 of 3): not begun, stated time unknown" in error
    assert "mean" in (tmp_path / "long" / "table.txt").read_text()
    register(make_experiment("long", fail, quick_time="1 min"), make_experiment("short", fail), make_experiment("new"))
    status, again, _ = run_all(capsys, tmp_path)
    assert status == 0  # what is finished is loaded: the measure that fails is not called
    assert again["long"] == rows["long"]
    assert again["short"] == rows["short"]


def test_the_others_are_run_after_a_failure(register, tmp_path, capsys):
    register(make_experiment("broken", fail, quick_time="1 s"), make_experiment("whole"))
    status, rows, error = run_all(capsys, tmp_path, "--quiet")
    assert status == 1
    assert rows["broken"]["state"] == "failed: TypeError: a fault"
    assert rows["whole"]["state"] == "done"
    assert error.count("\n") == 1
    assert error.endswith(": TypeError: a fault\n")
    _, rows, _ = run_all(capsys, tmp_path, "--plan")
    assert rows["broken"]["state"] == "1 of 2 parts"


def test_an_interrupted_run_goes_on_and_its_seconds_add_up(register, tmp_path, capsys):
    def slow(member, run, prediction):
        time.sleep(0.3)
        return interrupt(member, run, prediction)

    register(make_experiment("first", slow), make_experiment("second"))
    status, rows, error = run_all(capsys, tmp_path)
    assert status == 130
    left = "simlab: left: 2 of 2: first (1 of 2 parts), second; the same command resumes from the saved state"
    assert error.splitlines()[-1] == left
    assert rows["first"]["state"] == "1 of 2 parts"
    assert rows["first"]["seconds"] > 0.3
    before = rows["first"]["seconds"]
    register(make_experiment("first"), make_experiment("second"))
    status, rows, _ = run_all(capsys, tmp_path)
    assert status == 0
    assert rows["first"]["seconds"] > before
    assert not rows["first"]["is_lower_bound"]


def test_seconds_of_a_call_that_was_killed_are_missing(register, tmp_path, capsys):
    register(make_experiment("only", interrupt))
    run_all(capsys, tmp_path)
    times = json.loads((tmp_path / "seconds.json").read_text())
    times["only"]["is_lower_bound"] = True  # as the file is while the run lasts
    (tmp_path / "seconds.json").write_text(json.dumps(times))
    register(make_experiment("only"))
    assert main(["run", "all", "--out", str(tmp_path), "--no-figures", "--quiet"]) == 0
    heading, row = capsys.readouterr().out.splitlines()
    assert heading.split() == ["experiment", "members", "measured", "stated", "state"]
    assert row.split()[:3] == ["only", "2", ">"]


def test_what_needs_an_option_is_skipped_without_it(register, tmp_path, capsys):
    register(make_experiment("encoder", needs=("model",)), make_experiment("other"))
    status, rows, error = run_all(capsys, tmp_path)
    assert status == 0
    assert rows["encoder"]["state"] == "skipped: needs --model"
    assert "simlab: encoder: skipped: needs --model" in error
    status, rows, _ = run_all(capsys, tmp_path, "--model", "here")
    assert rows["encoder"]["state"] == "done"


def test_another_run_in_a_folder_stops_before_anything_is_run(register, tmp_path, capsys):
    register(make_experiment("one"), make_experiment("two"))
    run_all(capsys, tmp_path, "--only", "two")
    with pytest.raises(json.JSONDecodeError):
        run_all(capsys, tmp_path, "--seeds", "3")
    assert not (tmp_path / "one").exists()
    status, rows, _ = run_all(capsys, tmp_path, "--seeds", "3", "--plan")
    assert rows["two"]["state"].startswith("another run: ")
    status, rows, _ = run_all(capsys, tmp_path, "--seeds", "3", "--overwrite")
    assert status == 0
    assert {row["members"] for row in rows.values()} == {3}
    register(make_experiment("one", fail), make_experiment("two", fail))
    status, _, _ = run_all(capsys, tmp_path, "--seeds", "3", "--overwrite")
    assert status == 0  # runs of this plan are kept


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ("--only escapes", "only: expected one of "),
        ("--only escape --skip escape", "skip: expected one experiment that is not skipped, got 'escape'"),
        ("--n-words 6", "option: expected one that 'simlab run all --help' lists, got '--n-words' (an option of "),
        ("--vary n-words=6", "option: expected one that 'simlab run all --help' lists, got '--vary'"),
        ("--seeds 0", "seeds: expected a whole number of at least 1, got '0'"),
        ("--preset big", "preset: expected one of quick, paper, got 'big'"),
        ("--model /nowhere --only real-encoder", "model: "),
    ],
)
def test_bad_input_is_one_line(words, line, tmp_path, capsys):
    assert main(["run", "all", *words.split(), "--out", str(tmp_path / "none")]) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"simlab: {line}")
    assert error.count("\n") == 1
    assert not (tmp_path / "none").exists()


def test_no_experiment_is_called_all():
    assert run_options.ALL not in NAMES


@pytest.mark.parametrize(
    ("text", "seconds"), [("", np.inf), ("90 s", 90.0), ("1.5 h", 5400.0), ("6 min (1 seed)", 1800.0)]
)
def test_stated_times_are_read(text, seconds):
    assert read_stated_time(text, 5) == seconds


@pytest.mark.parametrize("name", NAMES)
def test_every_stated_time_can_be_read(name):
    experiment = find_experiment(name)
    for text in (experiment.quick_time, experiment.paper_time):
        assert read_stated_time(text, 1) > 0


def test_a_stated_time_of_another_form_is_refused():
    with pytest.raises(ValueError, match=r"^stated time: expected a number of s, min or h, "):
        read_stated_time("6 minutes", 1)
