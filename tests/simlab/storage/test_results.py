import numpy as np
import pytest
import xarray

from simlab.storage.results import RESULTS_FILE, load_dataset, provenance, save_dataset, write_atomically


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
