"""Comparison of the datasets of trials with that of the undisturbed run, for bit-identity."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from experiments.reliability.tally import Tally
from experiments.reliability.undisturbed import Undisturbed
from simlab.storage.results import RESULTS_FILE, load_dataset

if TYPE_CHECKING:
    import xarray


def compare(tally: Tally, undisturbed: Undisturbed, folder: Path) -> None:
    """Compare the dataset of a trial with the undisturbed one, and add the differences to the tally."""
    dataset = load_dataset(folder)
    tally.compared += 1
    tally.members_lost += int(undisturbed.dataset.status.size) - int((dataset.status == "finished").sum())
    tally.differing += [f"{folder.name}: {name}" for name in differing(undisturbed.dataset, dataset)]
    expected = {RESULTS_FILE, *(f"sweep{ending}" for ending in (".pdf", ".png"))}
    tally.left_behind.update(_kind(path) for path in folder.iterdir() if path.name not in expected)


def _kind(path: Path) -> str:
    """Return a file's name without its random part."""
    return f"{path.name.split('-')[0]}-*{path.suffix}" if path.name.startswith(".") else path.name


def differing(first: "xarray.Dataset", second: "xarray.Dataset") -> list[str]:
    """Return the names of all variables, coordinates and attributes that are not bit-identical in two datasets."""
    names = {*first.variables, *second.variables}
    different = [name for name in names if not _same_bits(first.variables.get(name), second.variables.get(name))]
    attributes = [name for name in {*first.attrs, *second.attrs} if first.attrs.get(name) != second.attrs.get(name)]
    return sorted(map(str, different)) + sorted(f"attribute {name}" for name in attributes)


def _same_bits(first: "xarray.Variable | None", second: "xarray.Variable | None") -> bool:
    """Return whether two variables agree in dimensions, type, shape and every bit, including those of NaNs."""
    if first is None or second is None:
        return False
    if (first.dims, first.dtype, first.shape) != (second.dims, second.dtype, second.shape):
        return False
    if first.dtype.hasobject:
        return first.values.tolist() == second.values.tolist()
    return np.ascontiguousarray(first.values).tobytes() == np.ascontiguousarray(second.values).tobytes()
