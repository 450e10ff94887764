"""Progress of a sweep on disk: safe against a kill at any moment, and shared by any number of processes.

A *part* is a group of members that train together. Its arrays are saved as ``parts/NAME.state`` while it trains and as
``parts/NAME.done`` when it has finished. Each file carries a label that identifies the sweep, the layout (see
:mod:`simlab.storage.manifest`) and the part, so that files of different sweeps are never confused.

Training is deterministic: two processes that save the same part save the same content. Atomically renamed files (see
:mod:`simlab.storage.sealed_files`) therefore suffice for correctness; a claim only avoids duplicate work.
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

    The name of a part is any valid file name.

    All methods that read or write raise ``PartsReplaced`` once the folder no longer belongs to this sweep.

    Args:
        folder: the folder of the sweep's result.
        manifest: ``format``, ``sweep``, ``layout`` and ``made_by``, as every process reads them from the disk.
        on_corrupt: called with one line for each file that is quarantined.
    """

    folder: Path
    manifest: dict
    on_corrupt: Callable[[str], None]

    def claim(self, name: str) -> AbstractContextManager[bool]:
        """Claim a part within the context; it yields False if another process holds a claim on the part.

        A claim ends with its process, even one that is killed. Where files cannot be locked every claim succeeds:
        the same work may then be done twice, with the same result.

        Raises:
            PartsRemoved: another process has finished the sweep.
            SaveError: the folder cannot be written to.
        """
        self.check()
        return locked(self._path(name, "lock"), wait=False)

    def save(self, name: str, arrays: dict[str, np.ndarray], *, complete: bool) -> None:
        """Save a part's arrays atomically, in place of the arrays saved before.

        Args:
            name: of the part.
            arrays: neither Python objects nor types without a NumPy name, such as bfloat16.
            complete: whether the part has finished; otherwise it resumes from these arrays.

        Raises:
            SaveError: the disk is full or cannot be written to; the arrays saved before are kept.
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

        A corrupt file is moved to ``folder/quarantine``, reported, and treated as absent.

        Raises:
            PartsRemoved: another process has finished the sweep.
            SaveError: a file could not be read, or a corrupt file could not be moved.
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
        """Return whether a part is saved as complete; its content is not checked."""
        return self._path(name, "done").exists()

    def with_layout(self, layout: dict) -> "PartStore":
        """Return the store with another layout, which keeps finished parts; see :func:`replace_layout`."""
        return replace(self, manifest=replace_layout(self.folder / PARTS_FOLDER, self.manifest, layout))

    def remove(self) -> None:
        """Delete all parts, once the sweep's result is written; see :func:`remove_parts`."""
        remove_parts(self.folder)

    def _path(self, name: str, ending: str) -> Path:
        """Return the path of a part's file."""
        return self.folder / PARTS_FOLDER / f"{name}.{ending}"

    def _label(self, name: str, ending: str) -> str:
        """Return the label that identifies the sweep, layout and part of a file."""
        return self._labels(name, ending)[0]

    def _labels(self, name: str, ending: str) -> list[str]:
        """Return the labels of a file under the current layout and under each earlier one."""
        return [f"{mark} {name} {ending}" for mark in fingerprints(self.manifest)]


def open_store(
    folder: Path,
    sweep: dict,
    make_layout: Callable[[], dict],
    made_by: dict[str, str],
    on_corrupt: Callable[[str], None],
) -> PartStore:
    """Open the store of a sweep's parts in ``folder``, with the parts saved so far.

    If several processes start at once, one makes the layout and all use it.

    Args:
        folder: the folder of the sweep's result; created if missing.
        sweep: what is computed, as nested dicts of plain values or NumPy numbers and arrays.
        make_layout: returns how the sweep is cut into parts, as plain values; called only if there is no manifest yet.
        made_by: versions and device, recorded in the manifest for information.
        on_corrupt: called with one line for each file that is quarantined.

    Raises:
        ValueError: the folder holds parts of another sweep or of another format; it is left unchanged.
        SaveError: the folder cannot be written to.
    """
    folder = Path(folder)
    manifest = share_manifest(folder / PARTS_FOLDER, sweep, make_layout, made_by, on_corrupt)
    return PartStore(folder=folder, manifest=manifest, on_corrupt=on_corrupt)


def remove_parts(folder: Path) -> None:
    """Delete the parts in ``folder``, atomically for other processes; several may call this at once."""
    parts = Path(folder) / PARTS_FOLDER
    doomed = parts.with_name(f".{PARTS_FOLDER}-{uuid.uuid4().hex}")
    try:
        parts.rename(doomed)
    except OSError:  # deleted already, or in use on a system that cannot rename such a folder
        doomed = parts
    if doomed.is_symlink():  # users may link the folder to another disk, and rmtree follows no link
        place = doomed.resolve()
        doomed.unlink(missing_ok=True)
        doomed = place
    shutil.rmtree(doomed, ignore_errors=True)
