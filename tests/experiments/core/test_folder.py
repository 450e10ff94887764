"""What happens to the folder of a run while it trains: its process ends in one line, and never as if all were well."""

import json
import os
import shutil
import subprocess

import jax
import numpy as np
import pytest

from experiments.commands import run as command
from experiments.commands.cli import main
from experiments.core.progress import Lines, Quiet
from experiments.core.sweep import make_sweep, train
from experiments.registry import find_experiment
from simlab.runtime.devices import programs_for
from simlab.storage.parts import PARTS_FOLDER, open_store, remove_parts
from simlab.storage.results import RESULTS_FILE, load_dataset
from simlab.storage.store import MemoryStore

OPTIONS = "--n-words 6 --n-classes 8 --sentence-length 2 --embedding-dim 4 --batch-size 8 --n-evaluation 20 --epochs 8"
SMALL = {"n_words": 6, "n_classes": 8, "sentence_length": 2, "embedding_dim": 4, "batch_size": 8, "epochs": 8}
RUN = f"run uniform-small-sample --no-figures {OPTIONS} --seeds 2 --chunk 1 --quiet --out".split()


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


def test_a_sweep_begun_on_more_devices_goes_on_with_relayout(tmp_path, monkeypatch, capsys):
    """Its parts have two members on two devices; one part is finished before there is one device left."""
    words = f"run uniform-small-sample --no-figures {OPTIONS} --seeds 4 --chunk 2 --quiet --out".split()
    assert main([*words, str(tmp_path / "two")]) == 0
    two, folder = load_dataset(tmp_path / "two"), tmp_path / "run"

    def wait_for_a_part(steps, members):
        if list((folder / PARTS_FOLDER).glob("*.done")):
            raise KeyboardInterrupt

    progress = Quiet()
    progress.advance = wait_for_a_part
    monkeypatch.setattr(command, "make_progress", lambda quiet: progress)
    assert main([*words, str(folder)]) == 130
    monkeypatch.undo()
    assert len(list((folder / PARTS_FOLDER).glob("*.done"))) == 1
    capsys.readouterr()
    with programs_for(jax.local_devices()[:1]):
        assert main([*words, str(folder)]) == 2
        line = f"simlab: devices: expected the 2 on which the sweep in {folder} was started (or --relayout, which keeps"
        assert capsys.readouterr().err == f"{line} finished parts), got 1\n"
        assert main([*words, str(folder), "--relayout"]) == 0
    assert "corrupt" not in capsys.readouterr().err
    dataset = load_dataset(folder)
    assert dataset.embeddings.isel(seed=slice(2)).equals(two.embeddings.isel(seed=slice(2)))
    np.testing.assert_allclose(dataset.embeddings, two.embeddings, rtol=0, atol=1e-5)
    layout = json.loads(dataset.attrs["layout"])
    assert [group["member_shards"] for group in (*layout["groups"], *layout["earlier"]["groups"])] == [1, 2]


def test_a_sweep_that_is_found_complete_has_no_pace(capsys):
    plan = find_experiment("uniform-small-sample").plan("quick", SMALL, [0, 1])
    sweep, store = make_sweep(plan), MemoryStore()
    layouts = sweep.choose_layouts(chunk=1)
    train(plan, sweep, layouts, store, Lines(0))
    assert "steps/s" in capsys.readouterr().err
    train(plan, sweep, layouts, store, Lines(0))
    printed = capsys.readouterr().err
    assert "100 %, 2 of 2 members done" in printed
    assert "steps/s" not in printed
