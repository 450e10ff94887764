"""Changes in the folder of a sweep while processes run it."""

from collections.abc import Iterator
from os import stat_result
from pathlib import Path

from simlab.storage.results import RESULTS_FILE

TICK = 0.002  # seconds between two inspections of a folder


class Watch:
    """A record of the changes in a folder, from repeated inspections.

    Attributes:
        changes: number of inspections in which a file had appeared, vanished or been replaced.
        computed_twice: complete parts whose file was replaced.
    """

    def __init__(self, folder: Path):
        self.folder = folder
        self.changes = self.computed_twice = 0
        self._files: dict[str, int] = {}
        self._complete: dict[str, tuple[int, int]] = {}

    @property
    def n_complete(self) -> int:
        """The number of parts that have been complete."""
        return len(self._complete)

    def look(self) -> None:
        """Inspect the folder, and record its changes since the last inspection."""
        statuses = {path.name: status for place in ("", "parts") for path, status in _files(self.folder / place)}
        files = {name: status.st_ino for name, status in statuses.items()}
        self.changes += files != self._files
        self._files = files
        for name, status in statuses.items():
            if name.endswith(".done") and not name.startswith("."):
                identity = (status.st_ino, status.st_mtime_ns)
                self.computed_twice += self._complete.setdefault(name, identity) != identity
                self._complete[name] = identity

    def describe(self) -> str:
        """Return the content of the folder in words."""
        if self.has_result:
            return "the result"
        visible = [name for name in self._files if not name.startswith(".")]
        done, states = (sum(name.endswith(ending) for name in visible) for ending in (".done", ".state"))
        if done or states:
            return f"{done} complete and {states} incomplete parts"
        return "the manifest" if "manifest.json" in visible else "nothing"

    @property
    def has_result(self) -> bool:
        """Whether the folder holds the dataset."""
        return RESULTS_FILE in self._files

    @property
    def is_writing(self) -> bool:
        """Whether the folder holds a file under its temporary name."""
        endings = (".state", ".done", ".json", ".nc", ".png", ".pdf")
        return any(name.startswith(".") and name.endswith(endings) for name in self._files)


def _files(folder: Path) -> Iterator[tuple[Path, stat_result]]:
    """Yield each file with its status."""
    try:
        for path in folder.iterdir():
            yield path, path.stat()
    except FileNotFoundError:  # renamed or removed by the sweep meanwhile
        return
