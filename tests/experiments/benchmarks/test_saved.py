"""Benchmarks that were interrupted: finished parts are saved at once, and only what is missing is measured."""

import json
import math

import pytest

from experiments.benchmarks import suite
from experiments.benchmarks.measurement import Measurement, Part, summarise, unmeasured
from experiments.benchmarks.saved import PARTS_FILE, SavedParts
from experiments.benchmarks.settings import BenchSettings
from experiments.commands.cli import main
from simlab.storage.manifest import OtherSweep

MACHINE = "CPU: a machine"


class StoppedError(Exception):
    pass


@pytest.fixture
def measured(monkeypatch):
    """The parts measured so far, of a benchmark of three; the second is interrupted the first time."""
    names = []

    def measure(name):
        names.append(name)
        if names == ["a", "b"]:
            raise StoppedError
        return [summarise(("step", name, "who"), "time", "us", [1.0, 2.0]), unmeasured(("step", name, "peer"), "us")]

    def parts(name, settings):
        return [Part(part, lambda part=part: measure(part)) for part in "abc"]

    monkeypatch.setattr(suite, "parts_of", parts)
    return names


def run(folder, settings=BenchSettings(), machine=MACHINE):  # noqa: B008 - immutable
    saved = SavedParts(folder, settings, machine)
    saved.read()
    return suite.measure(["step"], settings, lambda one: None, saved)


def test_only_what_is_missing_is_measured(measured, tmp_path):
    with pytest.raises(StoppedError):
        run(tmp_path)
    found = run(tmp_path)
    assert measured == ["a", "b", "b", "c"]
    assert [one.case for one in found] == ["a", "a", "b", "b", "c", "c"]
    assert run(tmp_path, BenchSettings(sizes=("small",)))[0] == found[0]  # another choice of parts
    assert len(measured) == 4
    assert math.isnan(found[1].value)
    fields = json.loads((tmp_path / PARTS_FILE).read_text())
    assert set(fields) == {"machine", "settings", "parts"}
    assert set(fields["parts"]["step"]["a"][0]) == set(Measurement._fields)


@pytest.mark.parametrize(
    ("settings", "machine", "line"),
    [
        (BenchSettings(rounds=3), MACHINE, "measured with rounds=3, not 9"),
        (BenchSettings(), "GPU: another", "measured with machine=GPU: another, not CPU: a machine"),
    ],
)
def test_other_settings_and_machines_are_refused(measured, tmp_path, settings, machine, line):
    with pytest.raises(StoppedError):
        run(tmp_path)
    with pytest.raises(OtherSweep, match=line):
        run(tmp_path, settings, machine)
    assert measured == ["a", "b"]


def test_the_command_resumes_or_says_why_not(tmp_path, monkeypatch, capsys):
    from experiments.benchmarks import pytorch, training

    monkeypatch.setattr(pytorch, "is_installed", lambda: False)
    monkeypatch.setattr(training, "MOST_STEPS", 20)
    folder = str(tmp_path / "out")
    command = ["bench", "training", "--only", "modality-gap", "--rounds", "2", "--members", "2", "--quiet"]
    assert main([*command, "--json", "--out", folder]) == 0
    first = json.loads(capsys.readouterr().out)
    rows = {(one["contestant"], one["quantity"]): one for one in first["measurements"]}
    assert rows["simlab, alone", "times the limit"]["value"] > 0
    assert rows["simlab, sweep", "time"]["unit"] == "us/member and step"
    assert rows["limit", "operations"]["value"] == pytest.approx(72 / 1e3)
    assert "not installed" in rows["PyTorch, compiled", "time"]["note"]
    monkeypatch.setattr(training, "_measure", None)  # nothing is measured again
    assert main([*command, "--json", "--out", folder]) == 0
    assert json.loads(capsys.readouterr().out) == first
    assert main([*command, "--out", folder]) == 0
    table = capsys.readouterr().out.split("\n\n")[-1]
    assert table.startswith("training step")
    assert "modality-gap, sgd, 2 in the sweep" in table
    assert main([*command, "--rounds", "3", "--out", folder]) == 2
    line = f"out: expected a folder measured with rounds=3, not 2 (or --overwrite), got {folder!r}"
    assert capsys.readouterr().err == f"simlab: {line}\n"
    (tmp_path / "out" / PARTS_FILE).write_text("{")
    assert main([*command, "--out", folder]) == 2
    assert "a folder whose measurements can be read" in capsys.readouterr().err


def test_a_folder_of_another_run_is_refused(tmp_path, capsys):
    (tmp_path / "results.nc").write_text("")
    assert main(["bench", "step", "--out", str(tmp_path)]) == 2
    assert "a folder without a run in it" in capsys.readouterr().err
