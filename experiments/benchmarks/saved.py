"""Finished parts of benchmarks in a folder, so that an interrupted ``simlab bench`` continues where it stopped."""

import json
import math
from pathlib import Path
from typing import Any

from experiments.benchmarks.measurement import Measurement
from experiments.benchmarks.settings import BenchSettings
from simlab.storage.manifest import OtherSweep
from simlab.storage.results import RESULTS_FILE, write_atomically
from simlab.validation import invalid

PARTS_FILE = "measurements.json"


class SavedParts:
    """The parts that are finished, in memory and in a file that is replaced whole after each of them.

    Args:
        folder: of the file; None for none.
        settings: how parts are measured.
        machine: on which; None for any, of parts that are only read.
    """

    def __init__(self, folder: Path | None = None, settings: BenchSettings | None = None, machine: str | None = None):
        self._path = None if folder is None else folder / PARTS_FILE
        self._head = {"machine": machine, "settings": {} if settings is None else settings.of_a_measurement()}
        self._parts: dict[str, dict[str, list[Measurement]]] = {}

    def read(self) -> None:
        """Read what the folder holds.

        Raises:
            OtherSweep: it was measured with other settings or on another machine.
            ValueError: it is no such file.
        """
        if self._path is None or not self._path.exists():
            return
        head, self._parts = _read(self._path)
        theirs = {"machine": head["machine"], **head["settings"]}
        for name, value in {"machine": self._head["machine"] or head["machine"], **self._head["settings"]}.items():
            if theirs.get(name) != value:
                wanted = f"a folder measured with {name}={value}, not {theirs.get(name)} (or --overwrite)"
                raise OtherSweep(invalid("out", wanted, str(self._path.parent)))

    def find(self, benchmark: str, part: str) -> list[Measurement] | None:
        """Return the measurements of a part, or None if it is not finished."""
        return self._parts.get(benchmark, {}).get(part)

    def add(self, benchmark: str, part: str, measurements: list[Measurement]) -> None:
        """Keep a finished part."""
        self._parts.setdefault(benchmark, {})[part] = measurements
        if self._path is None:
            return
        parts = {
            name: {part: [one.to_json() for one in found] for part, found in of_name.items()}
            for name, of_name in self._parts.items()
        }
        text = json.dumps({**self._head, "parts": parts}, indent=1)
        self._path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(self._path, lambda temporary: temporary.write_text(text))

    @property
    def measurements(self) -> list[Measurement]:
        """All that is saved, benchmark by benchmark."""
        return [one for parts in self._parts.values() for found in parts.values() for one in found]


def check_resumable(folder: Path, settings: BenchSettings, *, overwrite: bool) -> None:
    """Raise ``ValueError`` unless a folder is free or holds parts measured with these settings, on any machine."""
    if overwrite:
        return
    if (folder / RESULTS_FILE).exists() and not (folder / PARTS_FILE).exists():
        raise invalid("out", "a folder without a run in it (or --overwrite)", str(folder))
    SavedParts(folder, settings).read()


def _read(path: Path) -> tuple[dict[str, Any], dict[str, dict[str, list[Measurement]]]]:
    """Return machine and settings, and the parts of each benchmark."""
    try:
        content = json.loads(path.read_text())
        parts = {
            name: {part: [_measurement(fields) for fields in found] for part, found in of_name.items()}
            for name, of_name in content.pop("parts").items()
        }
        return {"machine": content["machine"], "settings": content["settings"]}, parts
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise invalid("out", "a folder whose measurements can be read (or --overwrite)", str(path)) from error


def _measurement(fields: dict[str, Any]) -> Measurement:
    values: dict[str, Any] = {name: math.nan if value is None else value for name, value in fields.items()}
    return Measurement(**values)
