import errno
import os
import random
import resource
from pathlib import Path

import numpy as np
import pytest

from simlab.storage import sealed_files
from simlab.storage.sealed_files import (
    CorruptFile,
    PartsRemoved,
    SaveError,
    explained,
    locked,
    read_arrays,
    read_or_quarantine,
    write_arrays,
)

pytestmark = pytest.mark.quick

ARRAYS = {
    "step": np.int64(7),
    "weights": np.arange(6.0, dtype=np.float32).reshape(2, 3),
    "columns": np.asfortranarray(np.arange(6).reshape(2, 3)),
    "status": np.array(["finished", "ü", ""]),
    "alive": np.array([True, False]),
    "nothing": np.zeros((0, 4)),
    "special": np.array([np.nan, -0.0, np.inf, 1 + 2j]),
    "rows/0": np.arange(4),
}


def failing(code):
    def fail(*_):
        raise OSError(code, os.strerror(code))

    return fail


# --- content ---


def test_arrays_come_back_as_they_were(tmp_path):
    write_arrays(tmp_path / "a", "label", ARRAYS)
    loaded = read_arrays(tmp_path / "a", "label")
    assert list(loaded) == list(ARRAYS)
    for name, value in ARRAYS.items():
        assert loaded[name].dtype == value.dtype
        assert loaded[name].shape == value.shape
        assert loaded[name].tobytes() == value.tobytes()


@pytest.mark.parametrize(
    "array",
    [np.array([{}, None]), np.array(["ü"], np.dtypes.StringDType()), np.zeros(2, [("x", float)])],
    ids=["object", "string", "record"],
)
def test_arrays_that_would_not_come_back_are_refused(tmp_path, array):
    expected = r"^arrays\['x'\]: expected numbers, truth values or text of fixed length, got"
    with pytest.raises(ValueError, match=expected):
        write_arrays(tmp_path / "a", "label", {"x": array})
    assert list(tmp_path.iterdir()) == []


def test_content_is_on_the_disk_before_its_name_and_the_name_before_the_write_returns(tmp_path, monkeypatch):
    events, sync, rename = [], os.fsync, Path.replace
    monkeypatch.setattr(os, "fsync", lambda handle: events.append(os.fstat(handle).st_ino) or sync(handle))
    monkeypatch.setattr(Path, "replace", lambda *paths: events.append("rename") or rename(*paths))
    write_arrays(tmp_path / "a", "label", ARRAYS)
    assert events == [(tmp_path / "a").stat().st_ino, "rename", tmp_path.stat().st_ino]


# --- corruption ---


def test_harm_at_any_byte_and_another_label_are_found(tmp_path):
    path, bits = tmp_path / "a", random.Random(0)
    write_arrays(path, "label", {"x": np.arange(3), "status": np.array(["ü"])})
    whole = path.read_bytes()
    harmed = [whole[:place] for place in range(len(whole))]
    for place in range(len(whole)):
        flipped = bytearray(whole)
        flipped[place] ^= 1 << bits.randrange(8)
        harmed.append(flipped)
    for content in [*harmed, whole + b"\0", whole + whole]:
        path.write_bytes(content)
        with pytest.raises(CorruptFile, match=r"^its checksum is wrong$"):
            read_arrays(path, "label")
    path.write_bytes(whole)
    for label in ("labe", "label2", ""):
        with pytest.raises(CorruptFile, match=r"^it was saved for another part or sweep$"):
            read_arrays(path, label)
    assert read_arrays(path, "label")["x"].tolist() == [0, 1, 2]


def test_corrupt_files_are_quarantined_and_do_not_replace_each_other(tmp_path):
    reports, path = [], tmp_path / "parts" / "a"
    path.parent.mkdir()

    def read(path):
        raise CorruptFile(f"it says {path.read_text()}")

    for content in ("one", "two", "three"):
        path.write_text(content)
        assert read_or_quarantine(path, read, reports.append, "computed again") is None
        assert not path.exists()
    kept = {file.name: file.read_text() for file in (tmp_path / "quarantine").iterdir()}
    assert kept == {"a": "one", "a.2": "two", "a.3": "three"}
    assert reports == [
        "parts/a: corrupt (it says one), moved to quarantine/a; computed again",
        "parts/a: corrupt (it says two), moved to quarantine/a.2; computed again",
        "parts/a: corrupt (it says three), moved to quarantine/a.3; computed again",
    ]


def test_a_file_that_is_sound_or_absent_is_not_corrupt_and_a_folder_that_is_gone_is_told(tmp_path):
    def read(path):
        return read_or_quarantine(path, Path.read_text, pytest.fail, "")

    (tmp_path / "a").write_text("sound")
    assert read(tmp_path / "a") == "sound"
    assert read(tmp_path / "b") is None
    with pytest.raises(PartsRemoved, match=r"parts: gone, as after the sweep's result is written$"):
        read(tmp_path / "parts" / "a")


# --- a full disk ---


@pytest.mark.parametrize(
    ("code", "reason", "then"),
    [
        (errno.ENOSPC, "the disk is full (No space left on device)", "there is room"),
        (errno.EDQUOT, "the disk is full (Disk quota exceeded)", "there is room"),
        (errno.EIO, "Input/output error", "that is mended"),
        (errno.ENOENT, "No such file or directory", "that is mended"),
    ],
)
def test_an_error_of_the_system_is_explained_in_one_line(tmp_path, code, reason, then):
    with pytest.raises(SaveError) as caught, explained(tmp_path / "a"):
        failing(code)()
    kept = f"what was saved so far is kept, and the same command continues once {then}"
    assert str(caught.value) == f"{tmp_path / 'a'}: {reason}; {kept}"


def test_only_a_file_that_is_not_found_tells_that_its_folder_is_gone(tmp_path):
    with pytest.raises(SaveError, match="Permission denied"), explained(tmp_path / "unseen" / "a"):
        failing(errno.EACCES)()


def test_a_write_that_the_system_cuts_leaves_the_old_file_and_no_other(tmp_path):
    path = tmp_path / "a"
    write_arrays(path, "label", ARRAYS)
    before = path.read_bytes()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, limits[1]))
    try:
        with pytest.raises(OSError, match="File too large"):
            write_arrays(path, "label", {"x": np.zeros(50_000)})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


# --- locks ---


def test_two_locks_in_one_process_exclude_each_other(tmp_path):
    def lock(name):
        return locked(tmp_path / name, wait=False)

    with lock("a") as first, lock("a") as second, lock("b") as other:
        assert (first, second, other) == (True, False, True)
    with lock("a") as held:
        assert held


def test_a_lock_ends_with_an_error_which_passes_unchanged(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"^theirs$"), locked(tmp_path / "a", wait=False):
        raise FileNotFoundError("theirs")
    with locked(tmp_path / "a", wait=False) as held:
        assert held


@pytest.mark.parametrize("wait", [False, True])
@pytest.mark.parametrize("code", [None, errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS])
def test_where_files_cannot_be_locked_every_lock_is_held(tmp_path, monkeypatch, code, wait):
    if code is None:
        monkeypatch.setattr(sealed_files, "fcntl", None)
    else:
        monkeypatch.setattr(sealed_files.fcntl, "flock", failing(code))
    with locked(tmp_path / "a", wait=wait) as first, locked(tmp_path / "a", wait=wait) as second:
        assert first
        assert second


def test_a_lock_in_a_folder_that_is_gone_is_refused(tmp_path):
    with pytest.raises(PartsRemoved, match=r"parts: gone"), locked(tmp_path / "parts" / "a", wait=True):
        pytest.fail("held a lock")
