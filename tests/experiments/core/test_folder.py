"""What happens to the folder of a run while it trains: its process ends in one line, and never as if all were well."""

import os
import shutil
import subprocess

import pytest

from experiments.commands import run as command
from experiments.commands.cli import main
from experiments.core.progress import Quiet
from experiments.registry import find_experiment
from simlab.storage.parts import PARTS_FOLDER, open_store, remove_parts
from simlab.storage.results import RESULTS_FILE

OPTIONS = "--n-words 6 --n-classes 8 --sentence-length 2 --embedding-dim 4 --batch-size 8 --n-evaluation 20 --epochs 8"
RUN = f"run uniform-small-sample {OPTIONS} --seeds 2 --chunk 1 --quiet --out".split()


class Harming(Quiet):
    """Does something to the folder at the first report of progress."""

    def __init__(self, harm):
        self.harm = harm

    def advance(self, steps, members):
        harm, self.harm = self.harm, lambda: None
        harm()


def begin_another(folder):
    """As ``--overwrite`` of another process does."""
    remove_parts(folder)
    plan = find_experiment("uniform-small-sample").plan("quick", {"epochs": 3})
    open_store(folder, plan.describe(), dict, {}, print)


HARMS = {
    "parts deleted": (lambda folder: shutil.rmtree(folder / PARTS_FOLDER), "parts: removed while the sweep ran"),
    "folder deleted": (shutil.rmtree, "parts: removed while the sweep ran"),
    "manifest deleted": (lambda folder: (folder / PARTS_FOLDER / "manifest.json").unlink(), "removed or damaged while"),
    **{
        f"manifest is {text}": (
            lambda folder, text=text: (folder / PARTS_FOLDER / "manifest.json").write_text(text),
            "removed or damaged while the sweep ran",
        )
        for text in ("null", "[]", "1", "{}", "no JSON")
    },
    "another run begun": (begin_another, "another process has begun another run here"),
}


@pytest.mark.parametrize(("harm", "message"), HARMS.values(), ids=HARMS.keys())
def test_a_run_whose_parts_are_taken_away_says_so(tmp_path, monkeypatch, capsys, harm, message):
    folder = tmp_path / "run"
    monkeypatch.setattr(command, "make_progress", lambda quiet: Harming(lambda: harm(folder)))
    assert main([*RUN, str(folder)]) == 1
    printed = capsys.readouterr().err
    assert message in printed
    assert printed.count("\n") == 1
    monkeypatch.undo()
    assert main([*RUN, str(folder), "--overwrite"]) == 0
    assert (folder / RESULTS_FILE).exists()


def test_a_result_that_cannot_be_read_between_two_looks_is_one_line(tmp_path, monkeypatch, capsys):
    """It appears after the first look, as another process writes it."""
    folder = tmp_path / "run"

    def harm():
        remove_parts(folder)
        (folder / RESULTS_FILE).write_bytes(b"half a file")

    monkeypatch.setattr(command, "make_progress", lambda quiet: Harming(harm))
    assert main([*RUN, str(folder)]) == 1
    printed = capsys.readouterr().err
    assert "expected a readable results.nc" in printed
    assert printed.count("\n") == 1


@pytest.mark.parametrize("text", ["null", "[]", "1", '{"checksum": 1}', "\xff"])
def test_a_manifest_of_another_kind_is_quarantined_and_the_run_goes_on(tmp_path, capsys, text):
    (tmp_path / PARTS_FOLDER).mkdir()
    (tmp_path / PARTS_FOLDER / "manifest.json").write_bytes(text.encode("latin-1"))
    assert main([*RUN, str(tmp_path)]) == 0
    assert "parts/manifest.json: corrupt (" in capsys.readouterr().err


def test_waiting_for_the_lock_of_the_manifest_is_said(tmp_path, monkeypatch):
    monkeypatch.setattr("simlab.storage.sealed_files.PATIENCE", 0.2)
    (tmp_path / PARTS_FOLDER).mkdir()
    lock = tmp_path / PARTS_FOLDER / ".manifest.lock"
    said = []
    with subprocess.Popen(["flock", str(lock), "sleep", "1.5"]) as holder:
        while os.system(f"flock -n {lock} true") == 0:
            pass
        open_store(tmp_path, {}, dict, {}, said.append)
        holder.wait()
    assert said == [f"{lock}: waiting for a process that holds this lock; if it is stopped, continue or end it"]
