"""The sweep of the trials, and its undisturbed run."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from experiments.reliability.processes import Processes
from experiments.reliability.watch import TICK, Watch
from simlab.storage.results import load_dataset

if TYPE_CHECKING:
    import xarray

# Four parts of two members, each of which trains for about half a second.
_OPTIONS = (
    "--n-words 6 --n-classes all --sentence-length 2 --embedding-dim 4 --batch-size 9 --n-evaluation 20 "
    "--epochs 4000 --n-records 20 --seeds 4 --vary weight-decay=1e-3,2e-3 --chunk 2 --quiet"
)
COMMAND = ("run", "uniform-small-sample", *_OPTIONS.split())


class Mark(NamedTuple):
    """A time in a run: seconds since its start, and changes of its folder so far."""

    seconds: float
    changes: int


@dataclass(frozen=True)
class Undisturbed:
    """The result and the course of an undisturbed run.

    Attributes:
        dataset: the result.
        marks: entry i is the time at which i parts were complete; the last entry is the end of the run.
    """

    dataset: "xarray.Dataset"
    marks: tuple[Mark, ...]

    @property
    def n_parts(self) -> int:
        """The number of parts."""
        return len(self.marks) - 2

    def left(self, n_complete: int) -> Mark:
        """Return the seconds and changes that remain when ``n_complete`` parts are complete."""
        end, here = self.marks[-1], self.marks[n_complete]
        return Mark(end.seconds - here.seconds, end.changes - here.changes)


def run_undisturbed(started: Processes, folder: Path) -> Undisturbed:
    """Run the sweep once without kills, and return its result and course."""
    watch, marks = Watch(folder), []
    process = started.begin([*COMMAND, "--out", str(folder)])
    begin = time.monotonic()
    while not process.has_ended():
        watch.look()
        if watch.n_complete == len(marks):
            marks.append(Mark(time.monotonic() - begin, watch.changes))
        time.sleep(TICK)
    process.finish()
    marks.append(Mark(time.monotonic() - begin, watch.changes))
    return Undisturbed(load_dataset(folder), tuple(marks))
