import errno
import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from simlab.storage.parts import PartsRemoved, SaveError, open_store, remove_parts

pytestmark = pytest.mark.quick

SWEEP = {"lazy": {"width": 64, "rate": 0.1}, "seeds": 3}


def open_here(folder, sweep=SWEEP, layout=lambda: {"chunk": 4}, reports=None):
    return open_store(folder, sweep, layout, {"jax": "1.2.3"}, (reports if reports is not None else []).append)


def value(step):
    return {"step": np.array(step), "status": np.array(["ü"])}


def loaded(store, name="a"):
    """The step that a part was saved at and whether it is complete, or None."""
    found = store.load(name)
    return found and (found[0]["step"].item(), found[1])


def listing(folder):
    """The files under a folder with their content; locks, which are empty and stay, left out."""
    files = [path for path in folder.rglob("*") if path.is_file() and path.suffix != ".lock"]
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def test_a_complete_part_replaces_its_state(tmp_path):
    store = open_here(tmp_path / "new" / "run")
    assert loaded(store) is None
    for step in range(3):
        store.save("a", value(step), complete=False)
        assert loaded(open_here(tmp_path / "new" / "run")) == (step, False)
        assert not store.is_complete("a")
    store.save("a", value(3), complete=True)
    assert store.is_complete("a")
    assert set(listing(tmp_path)) == {"new/run/parts/manifest.json", "new/run/parts/a.done"}
    store.save("a", value(1), complete=False)  # a slower process
    assert loaded(store) == (3, True)
    assert loaded(store, "b") is None


def test_a_corrupt_complete_file_falls_back_to_the_state(tmp_path):
    reports = []
    store = open_here(tmp_path, reports=reports)
    store.save("a", value(9), complete=True)
    store.save("a", value(5), complete=False)
    os.truncate(tmp_path / "parts" / "a.done", 90)
    assert loaded(store) == (5, False)
    assert not store.is_complete("a")
    corrupt = "parts/a.done: corrupt (its checksum is wrong), moved to quarantine/a.done; computed again"
    assert reports == [corrupt]
    os.truncate(tmp_path / "parts" / "a.state", 90)
    assert loaded(store) is None
    assert reports == [corrupt, corrupt.replace("done:", "state:").replace("done;", "state;")]


def test_a_file_of_another_part_layout_or_sweep_is_corrupt(tmp_path):
    reports = []
    store = open_here(tmp_path / "here", reports=reports)
    others = {
        "part": (open_here(tmp_path / "part"), "b", "done"),
        "layout": (open_here(tmp_path / "layout", layout=lambda: {"chunk": 5}), "a", "done"),
        "sweep": (open_here(tmp_path / "sweep", SWEEP | {"seeds": 4}), "a", "done"),
        "state": (open_here(tmp_path / "state"), "a", "state"),
        "same": (open_here(tmp_path / "same"), "a", "done"),
    }
    for reason, (other, name, ending) in others.items():
        other.save(name, value(3), complete=ending == "done")
        shutil.copy(tmp_path / reason / "parts" / f"{name}.{ending}", tmp_path / "here" / "parts" / "a.done")
        assert (loaded(store) is None) == (reason != "same"), reason
    assert len(reports) == 4
    assert all("another part or sweep" in report for report in reports)


@pytest.mark.parametrize("complete", [False, True])
def test_a_write_that_fails_keeps_what_was_saved(tmp_path, monkeypatch, complete):
    def fail(_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    store = open_here(tmp_path)
    store.save("a", value(1), complete=False)
    before = listing(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fail)
        with pytest.raises(SaveError, match=rf"a\.{'done' if complete else 'state'}: the disk is full"):
            store.save("a", value(2), complete=complete)
    assert listing(tmp_path) == before
    store.save("a", value(2), complete=complete)
    assert loaded(store) == (2, complete)


def test_removal_leaves_nothing_and_may_happen_twice(tmp_path):
    store = open_here(tmp_path)
    store.save("a", value(1), complete=True)
    (tmp_path / "results.nc").write_text("kept")
    with store.claim("b"):
        store.remove()
    store.remove()
    remove_parts(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["results.nc"]


def test_a_removal_that_is_killed_leaves_no_half_folder(tmp_path, monkeypatch):
    store = open_here(tmp_path)
    monkeypatch.setattr(shutil, "rmtree", lambda *_, **__: None)
    store.remove()
    assert not (tmp_path / "parts").exists()


def test_a_folder_that_cannot_be_renamed_is_removed_all_the_same(tmp_path, monkeypatch):
    def fail(*_):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    open_here(tmp_path).save("a", value(1), complete=True)
    monkeypatch.setattr(Path, "rename", fail)
    remove_parts(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_whoever_is_late_is_told_that_the_sweep_is_finished(tmp_path):
    store, late = open_here(tmp_path), open_here(tmp_path)
    store.remove()
    assert not late.is_complete("a")
    for use in (
        late.load,
        lambda name: late.save(name, value(1), complete=True),
        lambda name: late.claim(name).__enter__(),
    ):
        with pytest.raises(PartsRemoved, match=r"parts: gone, as after the sweep's result is written$"):
            use("a")
    assert list(tmp_path.iterdir()) == []
