"""A saved run as a report takes it: its dataset, and the hash and size of its file."""

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from experiments.registry import NAMES, find_experiment
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


_OTHER_TOPICS = {"verify": "Verification", "bench": "Speed and memory"}


def topic_of(dataset) -> str:
    """Return the phenomenon under which a page lists a run, as a heading; of what has none, the kind of run.

    A file of a version that did not name it is listed where the experiment is listed today.
    """
    experiment = str(dataset.attrs["experiment"])
    name = dataset.attrs.get("topic") or _OTHER_TOPICS.get(experiment)
    if name is None:
        is_known = experiment in NAMES
        name = find_experiment(experiment).phenomenon.topic if is_known else dataset.attrs.get("phenomenon", experiment)
    text = str(name).replace("-", " ")
    return f"{text[:1].upper()}{text[1:]}"


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
