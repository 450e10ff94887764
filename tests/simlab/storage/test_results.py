import hashlib
import os
import shutil
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
import xarray

import simlab
from simlab.storage.results import (
    RESULTS_FILE,
    ResultUnreadable,
    load_dataset,
    provenance,
    save_dataset,
    write_atomically,
)


def test_a_dataset_comes_back_as_it_was(tmp_path):
    values = np.random.default_rng(0).normal(size=(3, 4)).astype(np.float32)
    dataset = xarray.Dataset(
        {"values": (("seed", "word"), values), "status": ("seed", np.array(["finished", "diverged", "ü"], object))},
        coords={"seed": [0, 1, 2]},
        attrs={"experiment": "test"},
    )
    save_dataset(dataset, tmp_path / RESULTS_FILE)
    loaded = load_dataset(tmp_path)
    xarray.testing.assert_identical(loaded.drop_vars("status"), dataset.drop_vars("status"))
    assert loaded.status.values.tolist() == ["finished", "diverged", "ü"]
    assert [path.name for path in tmp_path.iterdir()] == [RESULTS_FILE]


def test_a_failed_write_leaves_the_old_file_and_no_litter(tmp_path):
    path = tmp_path / "results.nc"
    path.write_text("old")

    def fail_halfway(temporary):
        temporary.write_text("half of the new")
        raise OSError("no space left on device")

    with pytest.raises(OSError, match="no space left"):
        write_atomically(path, fail_halfway)
    assert path.read_text() == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["results.nc"]


def test_a_folder_without_a_run_is_named(tmp_path):
    with pytest.raises(ValueError, match=r"^folder: expected one that holds results.nc, got "):
        load_dataset(tmp_path)


def test_provenance_names_versions_and_device():
    made_by = provenance()
    assert "jax " in made_by["versions"]
    assert "cpu" in made_by["device"] or "gpu" in made_by["device"] or "tpu" in made_by["device"]


@pytest.fixture
def saved(tmp_path):
    values = np.random.default_rng(0).normal(size=(30, 40))
    dataset = xarray.Dataset({"values": (("seed", "word"), values)}, attrs={"experiment": "test", "sweep": "{}"})
    save_dataset(dataset, tmp_path / RESULTS_FILE)
    return tmp_path / RESULTS_FILE


def test_any_reader_of_netcdf_opens_a_sealed_result(saved):
    with xarray.open_dataset(saved, engine="h5netcdf") as dataset:
        assert dataset.attrs["seal"] == "sha256 of all bytes before the last line"
        assert dataset.identical(load_dataset(saved.parent).assign_attrs(seal=dataset.attrs["seal"]))
    body, last_line = saved.read_bytes()[:-73], saved.read_bytes()[-73:]
    assert last_line == f"\nsha256 {hashlib.sha256(body).hexdigest()}\n".encode()


@pytest.mark.parametrize("share", np.linspace(0, 1, 41))
def test_any_damage_is_one_line(saved, share):
    content = bytearray(saved.read_bytes())
    content[int(share * (len(content) - 1))] ^= 0x10
    saved.write_bytes(content)
    with pytest.raises(ResultUnreadable, match=r"^folder: expected a[^\n]* checksum is [^\n]*, got [^\n]*$"):
        load_dataset(saved.parent)


@pytest.mark.parametrize("share", np.linspace(0, 0.99, 12))
def test_a_result_cut_short_is_one_line(saved, share):
    os.truncate(saved, int(share * saved.stat().st_size))
    with pytest.raises(ResultUnreadable, match=r"^folder: expected a readable results.nc in it [^\n]*, got [^\n]*$"):
        load_dataset(saved.parent)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # half-open files, when collected
def test_a_result_without_a_seal_is_read_and_its_damage_is_one_line(saved):
    """As an earlier version wrote it."""
    with xarray.open_dataset(saved) as dataset:
        older = dataset.load()
    del older.attrs["seal"]
    older.to_netcdf(saved, engine="h5netcdf")
    assert load_dataset(saved.parent).identical(older)
    content = saved.read_bytes()
    for place in range(0, len(content), 499):
        saved.write_bytes(content[:place] + bytes([content[place] ^ 0xFF]) + content[place + 1 :])
        with suppress(ValueError):
            load_dataset(saved.parent)


def test_the_revision_is_that_of_the_package_and_not_of_the_repository_around_it(tmp_path):
    """Installed into a repository of something else: what the package was built from, or nothing."""
    package = Path(simlab.__file__).parent
    shutil.copytree(package, tmp_path / "simlab", ignore=shutil.ignore_patterns("__pycache__"))
    git = ["git", "-C", str(tmp_path), "-c", "user.name=x", "-c", "user.email=x@y"]
    subprocess.run([*git, "init", "-q"], check=True)
    subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", "another"], check=True)
    show = "from simlab.storage.results import provenance; print(provenance()['git_revision'])"
    command = [sys.executable, "-c", show]
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}

    def revision():
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    assert revision() == "unknown"
    (tmp_path / "simlab" / "built_from.txt").write_text("abc\n")
    assert revision() == "abc"
    subprocess.run([*git, "add", "simlab"], check=True)
    assert revision().endswith("-dirty")
