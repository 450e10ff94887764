"""Files of others that ask for other files: refused before any data is read, in one line."""

import os

import h5py
import numpy as np
import pytest
import xarray

from simlab.storage.results import load_dataset, save_dataset

SECRET = np.arange(4.0)


@pytest.fixture
def folder(tmp_path):
    save_dataset(xarray.Dataset({"x": ("i", SECRET)}, attrs={"experiment": "x"}), tmp_path / "results.nc")
    (tmp_path / "secret").write_bytes(SECRET.tobytes())
    return tmp_path


def external_storage(file, folder):
    file.create_dataset("y", (4,), "f8", external=[(str(folder / "secret"), 0, 32)])


def a_fifo(file, folder):
    os.mkfifo(folder / "fifo")
    file.create_dataset("y", (4,), "f8", external=[(str(folder / "fifo"), 0, 32)])


def external_link(file, folder):
    file["y"] = h5py.ExternalLink(str(folder / "other.h5"), "/x")


def link_in_a_group(file, folder):
    file.create_group("deeper")["y"] = h5py.SoftLink("/x")


def virtual_data(file, folder):
    layout = h5py.VirtualLayout((4,), "f8")
    layout[:] = h5py.VirtualSource(str(folder / "other.h5"), "x", (4,))
    file.create_virtual_dataset("y", layout)


@pytest.mark.parametrize("add", [external_storage, a_fifo, external_link, link_in_a_group, virtual_data])
def test_a_file_that_asks_for_another_is_refused(folder, add):
    assert load_dataset(folder).x.values.tolist() == SECRET.tolist()
    with h5py.File(folder / "results.nc", "r+") as file:
        add(file, folder)
    line = r"^folder: expected a readable results.nc in it \(.*'y'.*another file"
    with pytest.raises(ValueError, match=line) as raised:
        load_dataset(folder)
    assert "\n" not in str(raised.value)
