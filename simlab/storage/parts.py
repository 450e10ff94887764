"""Progress of a sweep on disk: safe against a kill at any moment, and shared by any number of processes.

A *part* is a group of members that train together. Its arrays are saved as ``parts/NAME.state`` while it trains and as
``parts/NAME.done`` when it has finished, under a label that names the sweep, how it is cut (see
:mod:`simlab.storage.manifest`) and the part, so that a file of another sweep is not mistaken for it.

Training is deterministic: two processes that save the same part save the same content. So whole files, renamed into
place (see :mod:`simlab.storage.sealed_files`), are all that correctness needs; a claim only saves the second process
the work.
"""

import shutil
import uuid
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from simlab.storage.manifest import check_unchanged, fingerprints, replace_layout, share_manifest
from simlab.storage.sealed_files import (
    QUARANTINE_FOLDER,
    PartsRemoved,
    PartsReplaced,
    SaveError,
    explained,
    locked,
    read_arrays,
    read_or_quarantine,
    write_arrays,
)

__all__ = [
    "PARTS_FOLDER",
    "QUARANTINE_FOLDER",
    "PartStore",
    "PartsRemoved",
    "PartsReplaced",
    "SaveError",
    "open_store",
    "remove_parts",
]

PARTS_FOLDER = "parts"


@dataclass(frozen=True, kw_only=True, eq=False)
class PartStore:
    """The parts of one sweep, in ``folder/parts``; made by :func:`open_store`.

    A part may have any name that a file may have.

    Whatever reads or writes raises ``PartsReplaced`` once the folder belongs to another sweep, or to none.

    Args:
        folder: where the sweep's result will be.
        manifest: ``format``, ``sweep``, ``layout`` and ``made_by``, as every process reads them from the disk.
        on_corrupt: called with one line for each file that is quarantined.
    """

    folder: Path
    manifest: dict
    on_corrupt: Callable[[str], None]

    def claim(self, name: str) -> AbstractContextManager[bool]:
        """Hold a part while the context lasts; it yields False if another claim on the part is alive.

        The claim ends with its process, also if that is killed. Where files cannot be locked every claim succeeds:
        the same work may then be done twice, with the same result.

        Raises:
            PartsRemoved: another process has finished the sweep.
            SaveError: the folder cannot be written to.
        """
        self.check()
        return locked(self._path(name, "lock"), wait=False)

    def save(self, name: str, arrays: dict[str, np.ndarray], *, complete: bool) -> None:
        """Save a part's arrays in place of what was saved before, whole or not at all.

        Args:
            name: of the part.
            arrays: neither Python objects nor types that numpy cannot name, such as bfloat16.
            complete: whether the part has finished, or is to continue from here.

        Raises:
            SaveError: the disk is full or cannot be written to; what was saved before is kept.
            PartsRemoved: another process has finished the sweep.
        """
        self.check()
        ending = "done" if complete else "state"
        path = self._path(name, ending)
        with explained(path):
            write_arrays(path, self._label(name, ending), arrays)
            if complete:
                self._path(name, "state").unlink(missing_ok=True)

    def load(self, name: str) -> tuple[dict[str, np.ndarray], bool] | None:
        """Return the arrays that were saved last and whether the part is complete, or None if there are none.

        A corrupt file is moved to ``folder/quarantine``, reported, and counts as absent.

        Raises:
            PartsRemoved: another process has finished the sweep.
            SaveError: a file could not be read, or a corrupt one not moved.
        """
        self.check()
        for ending in ("done", "state"):
            labels = [self._label(name, ending)] if ending == "state" else self._labels(name, ending)
            read = lambda path, labels=labels: read_arrays(path, *labels)  # noqa: E731
            arrays = read_or_quarantine(self._path(name, ending), read, self.on_corrupt, "computed again")
            if arrays is not None:
                return arrays, ending == "done"
        return None

    def check(self) -> None:
        """Raise ``PartsReplaced``, or ``PartsRemoved``, unless the folder still belongs to this sweep."""
        check_unchanged(self.folder / PARTS_FOLDER, self.manifest)

    def is_complete(self, name: str) -> bool:
        """Return whether a part is saved as complete; its content is not looked at."""
        return self._path(name, "done").exists()

    def with_layout(self, layout: dict) -> "PartStore":
        """Return the store of another layout, which keeps finished parts; see :func:`replace_layout`."""
        return replace(self, manifest=replace_layout(self.folder / PARTS_FOLDER, self.manifest, layout))

    def remove(self) -> None:
        """Delete all parts, once the sweep's result is written; see :func:`remove_parts`."""
        remove_parts(self.folder)

    def _path(self, name: str, ending: str) -> Path:
        """Return where a part's file is."""
        return self.folder / PARTS_FOLDER / f"{name}.{ending}"

    def _label(self, name: str, ending: str) -> str:
        """Return the line that binds a file to its sweep, its layout and its part."""
        return self._labels(name, ending)[0]

    def _labels(self, name: str, ending: str) -> list[str]:
        """Return the labels of a file under the layout and under those that it has replaced."""
        return [f"{mark} {name} {ending}" for mark in fingerprints(self.manifest)]


def open_store(
    folder: Path,
    sweep: dict,
    make_layout: Callable[[], dict],
    made_by: dict[str, str],
    on_corrupt: Callable[[str], None],
) -> PartStore:
    """Return the parts of a sweep in ``folder``: those saved so far.

    Of several processes that start at once, one makes the layout and all use it.

    Args:
        folder: where the sweep's result will be; made if need be.
        sweep: what is computed, as nested dicts of plain values; numpy's numbers and arrays are taken as theirs.
        make_layout: returns how the sweep is cut into parts, as plain values; called only if there is no manifest yet.
        made_by: versions and device, for the reader of the manifest.
        on_corrupt: called with one line for each file that is quarantined.

    Raises:
        ValueError: the folder holds parts of another sweep, or parts in another format; nothing is changed.
        SaveError: the folder cannot be written to.
    """
    folder = Path(folder)
    manifest = share_manifest(folder / PARTS_FOLDER, sweep, make_layout, made_by, on_corrupt)
    return PartStore(folder=folder, manifest=manifest, on_corrupt=on_corrupt)


def remove_parts(folder: Path) -> None:
    """Delete the parts in ``folder``, atomically for other processes, which may do so too."""
    parts = Path(folder) / PARTS_FOLDER
    doomed = parts.with_name(f".{PARTS_FOLDER}-{uuid.uuid4().hex}")
    try:
        parts.rename(doomed)
    except OSError:  # gone already; or in use, where such a folder cannot be renamed
        doomed = parts
    if doomed.is_symlink():  # to where there is room; rmtree follows no link
        place = doomed.resolve()
        doomed.unlink(missing_ok=True)
        doomed = place
    shutil.rmtree(doomed, ignore_errors=True)
