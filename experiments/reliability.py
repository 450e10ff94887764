"""Kill a sweep again and again, and hold what it leaves against a run that nobody disturbed.

``python -m experiments.reliability [--kills 100] [--processes 1] [--seed 0] [--folder DIR]``

The words used here:

kill
    SIGKILL, which no process can notice. Half of them come after a random time, half right after a random change of
    the folder, which is when a file is written or renamed; both uniform over what is left to do.
lane
    One of the processes that share a folder (``--shard``). A lane that was killed starts the same command again.
trial
    A fresh folder, in which lanes are killed until the sweep is finished all the same.
undisturbed
    The run of one process that nobody kills; what the trials must give, bit for bit.

Exit status: 0 if every trial gave the bits of the undisturbed run and no finished part was computed twice, else 1.
"""

import argparse
import math
import multiprocessing
import os
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from os import stat_result
from pathlib import Path
from typing import NamedTuple

import numpy as np

from experiments.core.options import read_count
from simlab.storage.results import RESULTS_FILE, load_dataset

# Four parts of two members, each of which trains for about half a second.
_OPTIONS = (
    "--n-words 6 --n-classes all --sentence-length 2 --embedding-dim 4 --batch-size 9 --n-evaluation 20 "
    "--epochs 4000 --n-records 20 --seeds 4 --vary weight-decay=1e-3,2e-3 --chunk 2 --quiet"
)
COMMAND = ("run", "uniform-small-sample", *_OPTIONS.split())

# A process is a copy of one that has imported what the sweep needs, so that a kill meets the sweep and not an import.
_copies = multiprocessing.get_context("forkserver")
_copies.set_forkserver_preload([
    "experiments.feature_collapse.regimes",
    "experiments.tables.sweep",
    "experiments.feature_collapse.comparison",
    "experiments.feature_collapse.optimality",
    "figures.sweeps.sweep",
    "fontTools.subset",
    "h5netcdf",
    "simlab.sweeps.sweep",
])  # fmt: skip

# When a folder holds what; between them, parts.
_STAGES = {"nothing": 0, "the manifest": 1, "the result": 3}

_TICK = 0.002  # seconds between two glances at a folder
_SHARE = 0.8  # of what is left, in which a kill may come: a run may be faster than the one that was measured
_LONGEST = 300.0  # seconds that a process may take before it counts as hanging


class Unreliable(Exception):  # noqa: N818 - what is reported, not how it came about
    """A run that nobody killed failed or hangs."""


class Mark(NamedTuple):
    """A moment of a run: seconds from its beginning, and changes of its folder so far."""

    seconds: float
    changes: int


@dataclass(frozen=True)
class Undisturbed:
    """What a run gives if nobody kills it.

    Attributes:
        dataset: the result.
        marks: when there were so many complete parts; the last entry is the end.
    """

    dataset: object
    marks: tuple[Mark, ...]

    @property
    def n_parts(self) -> int:
        """How many parts there are."""
        return len(self.marks) - 2

    def left(self, n_complete: int) -> Mark:
        """Return what is left to do when so many parts are complete."""
        end, here = self.marks[-1], self.marks[n_complete]
        return Mark(end.seconds - here.seconds, end.changes - here.changes)


@dataclass
class Tally:
    """What was seen in all trials.

    Attributes:
        kills: how many, by what the folder held.
        writing: how many of them left a file half written.
        compared: datasets that were held against the undisturbed one.
        members_lost: members that a dataset should hold and does not.
        computed_twice: complete parts that were replaced by another file.
        damaged: files that were set aside as damaged, though nothing but kills has happened to them.
        differing: variables, coordinates and attributes that are not the same to the bit.
        left_behind: files of killed processes beside the results.
    """

    kills: Counter[str] = field(default_factory=Counter)
    writing: int = 0
    compared: int = 0
    members_lost: int = 0
    computed_twice: int = 0
    damaged: int = 0
    differing: list[str] = field(default_factory=list)
    left_behind: Counter[str] = field(default_factory=Counter)

    @property
    def n_kills(self) -> int:
        """All kills."""
        return sum(self.kills.values())

    @property
    def is_clean(self) -> bool:
        """Whether nothing was lost, computed twice, damaged or different."""
        return not (self.members_lost or self.computed_twice or self.damaged or self.differing)

    def format(self) -> str:
        """Return the table."""
        ordered = sorted(self.kills.items(), key=lambda row: (_STAGES.get(row[0], 2), row[0]))
        rows = [(number, f"kills with {what} in the folder") for what, number in ordered]
        rows += [
            (self.n_kills, "kills"),
            (self.writing, "of them while a file was being written"),
            (self.compared, "datasets compared"),
            (self.members_lost, "members lost"),
            (self.computed_twice, "complete parts computed twice"),
            (self.damaged, "damaged files"),
            (len(self.differing), "differences" + "".join(f"\n{'':9}{line}" for line in self.differing)),
        ]
        rows += [(number, f"left behind: {what}") for what, number in sorted(self.left_behind.items())]
        return "\n".join(f"{number:7}  {what}" for number, what in rows)


class Run:
    """A process that carries out one command.

    Args:
        words: of the command, after ``simlab``.
        cache: folder of compiled programs.
        said: the file for what it says on stderr.
        longest: seconds after which it counts as hanging.
    """

    def __init__(self, words: Sequence[str], cache: Path, said: Path, longest: float):
        self._longest = longest
        self._deadline = time.monotonic() + longest
        self._said = said
        said.touch()
        self._process = _copies.Process(target=_obey, args=(list(words), cache, said), daemon=True)
        self._process.start()

    @property
    def number(self) -> int:
        """The system's number of the process."""
        return self._process.pid

    def has_ended(self) -> bool:
        """Return whether it has ended.

        Raises:
            Unreliable: it hangs.
        """
        if self._process.exitcode is None and time.monotonic() > self._deadline:
            raise Unreliable(f"a process still runs after {self._longest:.0f} s")
        return self._process.exitcode is not None

    def kill(self) -> None:
        """End it by SIGKILL."""
        self._process.kill()
        self._process.join()

    def wait(self) -> tuple[int, str]:
        """Return the exit status and what was said on stderr when it has ended.

        Raises:
            Unreliable: it hangs.
        """
        while not self.has_ended():
            self._process.join(1.0)
        return self._process.exitcode, self._said.read_text()

    def finish(self) -> str:
        """Return what was said on stderr when it has ended as it should.

        Raises:
            Unreliable: it failed or hangs.
        """
        status, said = self.wait()
        if status:
            raise Unreliable(f"exit status {status}: {said}")
        return said


class Processes:
    """Starts processes.

    Attributes:
        folder: for their compiled programs, which all share, and for what they say.
        longest: seconds after which a process counts as hanging.
    """

    def __init__(self, folder: Path, longest: float):
        self.folder, self.longest = folder, longest
        self._begun: list[Run] = []

    def begin(self, words: Sequence[str]) -> Run:
        """Return a process that has just begun the command."""
        run = Run(words, self.folder, self.folder / f"said-{len(self._begun)}", self.longest)
        self._begun.append(run)
        return run

    def end(self) -> None:
        """Kill whatever still runs."""
        for run in self._begun:
            run.kill()


@contextmanager
def processes(folder: Path, longest: float = _LONGEST) -> Iterator[Processes]:
    """Yield what starts processes; none of them outlives the context."""
    folder.mkdir(parents=True, exist_ok=True)
    started = Processes(folder, longest)
    try:
        yield started
    finally:
        started.end()


def _obey(words: list[str], cache: Path, said: Path) -> None:
    """Carry out a command in this process, and save its state at every record: many kills meet a save."""
    import experiments.commands.cli
    import simlab.sweeps.work

    for path, stream in ((os.devnull, sys.stdout), (said, sys.stderr)):
        with open(path, "w") as file:
            os.dup2(file.fileno(), stream.fileno())
    os.environ["XDG_CACHE_HOME"] = str(cache)
    simlab.sweeps.work.SAVE_INTERVAL = simlab.sweeps.work.SAVE_SHARE = 0
    sys.exit(experiments.commands.cli.main(words))


class Watch:
    """Sees what changes in a folder.

    Attributes:
        changes: glances at which a file had come, gone or become another one.
        computed_twice: complete parts whose file became another one.
    """

    def __init__(self, folder: Path):
        self.folder = folder
        self.changes = self.computed_twice = 0
        self._files: dict[str, int] = {}
        self._complete: dict[str, tuple[int, int]] = {}

    @property
    def n_complete(self) -> int:
        """How many parts have been seen complete."""
        return len(self._complete)

    def look(self) -> None:
        """Look again."""
        found = {path.name: status for place in ("", "parts") for path, status in _files(self.folder / place)}
        files = {name: status.st_ino for name, status in found.items()}
        self.changes += files != self._files
        self._files = files
        for name, status in found.items():
            if name.endswith(".done") and not name.startswith("."):
                identity = (status.st_ino, status.st_mtime_ns)
                self.computed_twice += self._complete.setdefault(name, identity) != identity
                self._complete[name] = identity

    def describe(self) -> str:
        """Return what the folder holds."""
        if self.has_result:
            return "the result"
        visible = [name for name in self._files if not name.startswith(".")]
        done, states = (sum(name.endswith(ending) for name in visible) for ending in (".done", ".state"))
        if done or states:
            return f"{done} complete and {states} begun parts"
        return "the manifest" if "manifest.json" in visible else "nothing"

    @property
    def has_result(self) -> bool:
        """Whether the folder holds the dataset."""
        return RESULTS_FILE in self._files

    @property
    def is_writing(self) -> bool:
        """Whether the folder holds a file that has not got its name yet."""
        endings = (".state", ".done", ".json", ".nc", ".png", ".pdf")
        return any(name.startswith(".") and name.endswith(endings) for name in self._files)


def _files(folder: Path) -> Iterator[tuple[Path, stat_result]]:
    """Yield each file with its status."""
    try:
        for path in folder.iterdir():
            yield path, path.stat()
    except FileNotFoundError:  # the sweep works on
        return


def run_undisturbed(started: Processes, folder: Path) -> Undisturbed:
    """Run the sweep once and return what it gives."""
    watch, marks = Watch(folder), []
    process = started.begin([*COMMAND, "--out", str(folder)])
    begin = time.monotonic()
    while not process.has_ended():
        watch.look()
        if watch.n_complete == len(marks):
            marks.append(Mark(time.monotonic() - begin, watch.changes))
        time.sleep(_TICK)
    process.finish()
    marks.append(Mark(time.monotonic() - begin, watch.changes))
    return Undisturbed(load_dataset(folder), tuple(marks))


def run_trial(
    started: Processes,
    undisturbed: Undisturbed,
    folder: Path,
    tally: Tally,
    chance: random.Random,
    n_kills: int,
    n_processes: int = 1,
) -> None:
    """Run the sweep in a fresh folder, with at most so many kills, and add what was seen to the tally."""
    watch = Watch(folder)

    def begin(lane: int) -> Run:
        shard = ["--shard", f"{lane}/{n_processes}"] if n_processes > 1 else []
        return started.begin([*COMMAND, *shard, "--out", str(folder)])

    lanes = [begin(lane) for lane in range(n_processes)]
    while running := _wait_for_moment(lanes, watch, undisturbed, chance if n_kills else None):
        lane = chance.choice(running)
        lanes[lane].kill()
        watch.look()
        tally.kills[watch.describe()] += 1
        tally.writing += watch.is_writing
        # To finish is then to draw the figures again: one kill there is enough.
        n_kills = 0 if watch.has_result else n_kills - 1
        lanes[lane] = begin(lane)
    for process in lanes:
        tally.damaged += process.finish().count("damaged")
    _compare(tally, undisturbed, folder)
    tally.computed_twice += watch.computed_twice


def _wait_for_moment(
    lanes: list[Run], watch: Watch, undisturbed: Undisturbed, chance: random.Random | None
) -> list[int]:
    """Return the lanes that still run, at a random moment; without chance not before all have ended."""
    begin, moment, change = time.monotonic(), math.inf, math.inf
    left = undisturbed.left(watch.n_complete)
    # All that is left may be to write the result: half of those get through, or one trial would take all kills.
    if chance is None or (watch.n_complete == undisturbed.n_parts and chance.random() < 0.5):
        pass
    elif chance.random() < 0.5:
        moment = begin + chance.uniform(0, _SHARE) * left.seconds
    else:
        change = watch.changes + chance.uniform(0, _SHARE) * left.changes
    while running := [lane for lane, process in enumerate(lanes) if not process.has_ended()]:
        watch.look()
        if time.monotonic() >= moment or watch.changes >= change:
            break
        time.sleep(_TICK)
    return running


def _compare(tally: Tally, undisturbed: Undisturbed, folder: Path) -> None:
    """Hold the dataset of a trial against the undisturbed one."""
    dataset = load_dataset(folder)
    tally.compared += 1
    tally.members_lost += int(undisturbed.dataset.status.size) - int((dataset.status == "finished").sum())
    tally.differing += [f"{folder.name}: {name}" for name in differing(undisturbed.dataset, dataset)]
    expected = {RESULTS_FILE, *(f"sweep{ending}" for ending in (".pdf", ".png"))}
    tally.left_behind.update(_kind(path) for path in folder.iterdir() if path.name not in expected)


def _kind(path: Path) -> str:
    """Return a file's name without what is random in it."""
    return f"{path.name.split('-')[0]}-*{path.suffix}" if path.name.startswith(".") else path.name


def differing(one, other) -> list[str]:
    """Return the names of all variables, coordinates and attributes in which two datasets differ by a bit or more."""
    names = {*one.variables, *other.variables}
    different = [name for name in names if not _same_bits(one.variables.get(name), other.variables.get(name))]
    attributes = [name for name in {*one.attrs, *other.attrs} if one.attrs.get(name) != other.attrs.get(name)]
    return sorted(map(str, different)) + sorted(f"attribute {name}" for name in attributes)


def _same_bits(one, other) -> bool:
    """Return whether two variables agree in names, type, shape and every bit, one NaN being unlike another."""
    if one is None or other is None or (one.dims, one.dtype, one.shape) != (other.dims, other.dtype, other.shape):
        return False
    if one.dtype.hasobject:
        return one.values.tolist() == other.values.tolist()
    return np.ascontiguousarray(one.values).tobytes() == np.ascontiguousarray(other.values).tobytes()


def run_trials(folder: Path, n_kills: int, n_processes: int, seed: int, say=lambda text: None) -> Tally:
    """Run trials in subfolders of a folder until so many processes were killed.

    Args:
        folder: where the trials, the undisturbed runs and what the processes share go.
        n_kills: how many.
        n_processes: lanes of each trial.
        seed: of the moments.
        say: is told how far the trials have come.

    Raises:
        Unreliable: a process that nobody killed failed or hangs.
    """
    chance, tally = random.Random(seed), Tally()
    with processes(folder / "processes") as started:
        first = run_undisturbed(started, folder / "undisturbed-0")  # fills the cache
        undisturbed = run_undisturbed(started, folder / "undisturbed-1")
        tally.compared += 1
        tally.differing += [f"undisturbed: {name}" for name in differing(first.dataset, undisturbed.dataset)]
        say("undisturbed: {:.1f} s, {} changes of the folder".format(*undisturbed.marks[-1]))
        while tally.n_kills < n_kills:
            here = folder / f"trial-{tally.compared:03d}"
            run_trial(started, undisturbed, here, tally, chance, n_kills - tally.n_kills, n_processes)
            say(f"{tally.n_kills} of {n_kills} kills, {tally.compared} datasets compared")
    return tally


def main(argv: Sequence[str] | None = None) -> int:
    """Run the trials, print the table, and return the exit status."""
    parser = argparse.ArgumentParser(prog="reliability", description=__doc__.splitlines()[0], allow_abbrev=False)
    parser.add_argument("--kills", default="100", metavar="N", help="processes to kill (100)")
    parser.add_argument("--processes", default="1", metavar="N", help="processes that share a folder (1)")
    parser.add_argument("--seed", default="0", metavar="N", help="of the moments of the kills (0)")
    parser.add_argument("--folder", metavar="DIR", help="keep everything there (a temporary folder)")
    arguments = parser.parse_args(argv)
    with ExitStack() as stack:
        folder = arguments.folder or stack.enter_context(tempfile.TemporaryDirectory(prefix="simlab-reliability-"))
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        begin = time.monotonic()
        try:
            counts = [read_count(name, getattr(arguments, name), least) for name, least in _LEAST.items()]
            tally = run_trials(folder, *counts, say=lambda text: print(text, file=sys.stderr, flush=True))
        except Unreliable as failure:
            print(f"reliability: {failure}", file=sys.stderr)
            return 1
        print(tally.format())
        print(f"{time.monotonic() - begin:7.0f}  seconds")
    return 0 if tally.is_clean else 1


_LEAST = {"kills": 1, "processes": 1, "seed": 0}

if __name__ == "__main__":
    sys.exit(main())
