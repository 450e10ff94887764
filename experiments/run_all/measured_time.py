"""The seconds that the runs below a folder took, kept in ``seconds.json`` over interruptions."""

import json
import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from experiments.core.progress import format_seconds
from simlab.storage.results import write_atomically

SECONDS_FILE = "seconds.json"


class MeasuredTime(NamedTuple):
    """The time of one run, summed over the calls that worked on it.

    Attributes:
        seconds: of the clock; NaN if no call was timed.
        is_lower_bound: whether a call was killed, so that its seconds are missing.
    """

    seconds: float = math.nan
    is_lower_bound: bool = False

    def __str__(self) -> str:
        """Return the time in words, a dash where there is none."""
        if math.isnan(self.seconds):
            return "-"
        return ("> " if self.is_lower_bound else "") + format_seconds(self.seconds)


def measured_times(folder: Path) -> dict[str, MeasuredTime]:
    """Return the measured time of each run below a folder, by name; nothing where the file is damaged."""
    return {name: MeasuredTime(seconds, is_lower_bound) for name, (seconds, is_lower_bound) in _read(folder).items()}


@contextmanager
def timed(folder: Path, name: str, *, is_new: bool) -> Iterator[None]:
    """Add the seconds of the context to the time of a run, also if the context ends with an exception.

    While the context lasts the file says that seconds are missing, which is true if the process is killed.

    Args:
        folder: above the folder of the run; it is made if it does not exist.
        name: of the run.
        is_new: whether the run begins, so that earlier seconds do not count.
    """
    folder.mkdir(parents=True, exist_ok=True)
    seconds, is_lower_bound = (0.0, False) if is_new else _read(folder).get(name, (0.0, True))
    _write(folder, name, seconds, is_lower_bound=True)
    began = time.monotonic()
    try:
        yield
    finally:
        _write(folder, name, seconds + time.monotonic() - began, is_lower_bound=is_lower_bound)


def _read(folder: Path) -> dict[str, tuple[float, bool]]:
    """Return seconds, and whether some are missing, by name."""
    try:
        content = json.loads((folder / SECONDS_FILE).read_text())
        return {str(name): (float(entry["seconds"]), bool(entry["is_lower_bound"])) for name, entry in content.items()}
    except (OSError, ValueError, TypeError, AttributeError, KeyError):  # none, or not written by simlab
        return {}


def _write(folder: Path, name: str, seconds: float, *, is_lower_bound: bool) -> None:
    """Write the time of one run beside those of the others, as they are on the disk now."""
    times = _read(folder) | {name: (seconds, is_lower_bound)}
    fields = ("seconds", "is_lower_bound")
    text = json.dumps({name: dict(zip(fields, entry, strict=True)) for name, entry in times.items()}, indent=1)
    write_atomically(folder / SECONDS_FILE, lambda temporary: temporary.write_text(text + "\n"))
