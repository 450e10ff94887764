"""A saved run as a report takes it: its dataset, and the hash and size of its file."""

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from simlab.storage.results import RESULTS_FILE, load_dataset
from simlab.validation import invalid

if TYPE_CHECKING:
    import xarray

_JSON_ATTRIBUTES = (
    "axes", "axis_labels", "configuration", "layout", "assumptions", "quantities", "thresholds", "certificate",
    "figures", "talk", "sweep",
)  # fmt: skip


class SavedRun(NamedTuple):
    """A saved run.

    Attributes:
        folder: as the user names it.
        dataset: what it holds.
        sha256: of its file, in hexadecimal digits.
        size: of its file, in bytes.
    """

    folder: str
    dataset: "xarray.Dataset"
    sha256: str
    size: int


def load_run(folder: str) -> SavedRun:
    """Return the run that a folder holds.

    Raises:
        ValueError: the folder holds no run, or its file cannot be read.
    """
    dataset = load_dataset(Path(folder))
    for name in _JSON_ATTRIBUTES:
        try:
            json.loads(dataset.attrs.get(name, "null"))
        except (TypeError, ValueError) as error:
            raise invalid("folder", f"a {RESULTS_FILE} whose attribute {name!r} is JSON", folder) from error
    content = (Path(folder) / RESULTS_FILE).read_bytes()
    return SavedRun(folder, dataset, hashlib.sha256(content).hexdigest(), len(content))
