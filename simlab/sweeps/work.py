"""The work of one process on a sweep: claim a part, train and analyse its members, save the results."""

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import jax
import numpy as np

from simlab.runtime.stopping import end_if_asked, is_asked_to_end, saving_first
from simlab.storage.store import Store
from simlab.sweeps.layout import Layout
from simlab.sweeps.members import Member, MemberRun, member_inputs
from simlab.sweeps.part_run import PartRun
from simlab.sweeps.program import Program

if TYPE_CHECKING:
    from simlab.sweeps.sweep import Sweep

# A part is saved at most once in SAVE_INTERVAL seconds and in SAVE_SHARE times the duration of the last save. A kill
# loses at most MOST_LOST seconds of work, or MOST_LOST_SHARE of the run time of the process if that is longer.
SAVE_INTERVAL = 1.0
SAVE_SHARE = 100
MOST_LOST = 30.0
MOST_LOST_SHARE = 0.02

Analysis = Callable[[Member, MemberRun, object], dict[str, np.ndarray]]


class Part(NamedTuple):
    """A part of a sweep: its name in the folder, its group, and the numbers of its members in the sweep."""

    name: str
    group: int
    members: tuple[int, ...]


class Listener(Protocol):
    """Receives the progress of a sweep."""

    def advance(self, steps: int, members: int) -> None:
        """Report the numbers of steps and members done over the whole sweep."""

    def say(self, text: str) -> None:
        """Report the current activity."""


class AbandonedError(Exception):
    """A part was abandoned, as another one that ran beside it has failed."""


class Work:
    """The work of one process on the parts of a sweep; several threads may take parts.

    The state of the parts in training is saved between segments. A kill loses at most 30 seconds of work, 2 % of the
    run time of the process, or the current segment, whichever is longest.
    """

    def __init__(self, sweep: "Sweep", layouts: Sequence[Layout], store: Store, analyse: Analysis, listener: Listener):
        self.sweep, self.layouts, self.store = sweep, layouts, store
        self.analyse, self.listener = analyse, listener
        self.steps = self.members = 0
        self.counted: set[str] = set()
        self.began = time.monotonic()
        self._in_training: dict[str, tuple[int, int]] = {}
        self._lock = threading.RLock()
        self._abandoned = threading.Event()

    def abandon(self) -> None:
        """Make the parts in training raise ``AbandonedError`` after their current segment."""
        self._abandoned.set()

    def take(self, part: Part) -> None:
        """Complete a part, unless it is complete or another process has claimed it."""
        end_if_asked()
        if self.store.is_complete(part.name):
            self.count(part)
            return
        with self.store.claim(part.name) as mine:
            if not mine:
                return
            loaded = self.store.load(part.name)
            if loaded is None or not loaded[1]:
                with saving_first():
                    self._run(part, None if loaded is None else loaded[0])
            self.count(part)
            self.report()

    def take_all(self, parts: Iterable[Part]) -> None:
        """Take parts one after the other."""
        for part in parts:
            self.take(part)

    def count(self, part: Part) -> None:
        """Add a complete part to the counts without a report, as parts that were complete before have no speed."""
        with self._lock:
            self._in_training.pop(part.name, None)
            if part.name not in self.counted:
                self.counted.add(part.name)
                self.steps += len(part.members) * self.sweep.specs[part.group].total_steps
                self.members += len(part.members)

    def report(self) -> None:
        """Report the numbers of steps and members done."""
        with self._lock:
            steps, members = (sum(counts) for counts in zip((0, 0), *self._in_training.values(), strict=True))
            self.listener.advance(self.steps + steps, self.members + members)

    def _run(self, part: Part, saved: dict[str, np.ndarray] | None) -> None:
        """Train and analyse the members of a part, and save the results."""
        sweep, members = self.sweep, [self.sweep.members[i] for i in part.members]
        with sweep.precision(part.group):
            program = sweep.program(part.group, self.layouts[part.group])
            run = PartRun(program, members, trajectories=sweep.trajectories, initials=sweep.initials, saved=saved)
        analysed = _saved_analyses(saved)

        def save() -> None:
            self.store.save(part.name, run.snapshot() | _name_analyses(analysed), complete=False)

        saver = Saver(run.settle, save, self.began)
        with sweep.precision(part.group):
            self._train(part, run, saver)
        for index in range(len(analysed), len(members)):
            self._check()
            with self._lock:
                self.listener.say(f"analysing member {self.members + index + 1} of {len(sweep.members)}")
            with sweep.precision(part.group):
                sample = _training_set(program, members[index]) if sweep.samples else None
            analysed.append(self.analyse(members[index], run.result(index), sample))
            with sweep.precision(part.group):
                saver.maybe()
        columns = {name: np.stack([arrays[name] for arrays in analysed]) for name in analysed[0]}
        self.store.save(part.name, columns, complete=True)

    def _train(self, part: Part, run: PartRun, saver: "Saver") -> None:
        """Train the members of a part, saving at intervals."""
        steps_per_record = run.program.spec.steps_per_record
        while not run.is_done:
            run.advance()
            saver.maybe()
            self._check()
            with self._lock:
                self._in_training[part.name] = run.segments_done * steps_per_record, run.members_done
            self.report()

    def _check(self) -> None:
        """Raise ``AbandonedError`` if another part has failed."""
        if self._abandoned.is_set():
            raise AbandonedError


def _training_set(program: Program, member: Member) -> Any:
    """Return the training set of a member as NumPy arrays, or None for fresh examples."""
    inputs = member_inputs(member, program.spec)
    return jax.device_get(program.sample(inputs.seeds, inputs.data))


class Saver:
    """Saves at intervals that are short enough to lose little work and long enough to cost little time.

    Args:
        settle: waits for pending computations on the devices, which do not count as the cost of saving.
        save: saves the state.
        began: the time at which the process began, by ``clock``.
        clock: returns the time in seconds.
    """

    def __init__(
        self,
        settle: Callable[[], None],
        save: Callable[[], None],
        began: float,
        clock: Callable[[], float] = time.monotonic,
    ):
        self.settle, self.save, self.began, self.clock = settle, save, began, clock
        self.last = self.looked = clock()
        self.cost = 0.0

    def maybe(self) -> None:
        """Save if the last save is long enough ago, or would be too long ago at the next call.

        Raises:
            Terminated: SIGTERM was received; the state is saved.
        """
        now = self.clock()
        between, self.looked = now - self.looked, now
        limit = max(MOST_LOST, MOST_LOST_SHARE * (now - self.began))
        at_next_look = now - self.last + between + self.cost
        is_early = now - self.last < max(SAVE_INTERVAL, SAVE_SHARE * self.cost) and at_next_look < limit
        if is_early and not is_asked_to_end():
            return
        self.settle()
        settled = self.clock()
        self.save()
        self.last, self.looked = settled, self.clock()
        self.cost = self.looked - settled
        end_if_asked()


_ANALYSED = "analysed"


def _name_analyses(analysed: list[dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """Return the analyses so far as arrays by name."""
    return {f"{_ANALYSED}/{i}/{name}": array for i, arrays in enumerate(analysed) for name, array in arrays.items()}


def _saved_analyses(saved: dict[str, np.ndarray] | None) -> list[dict[str, np.ndarray]]:
    """Return the analyses in a saved part."""
    by_member: dict[int, dict[str, np.ndarray]] = {}
    for key, array in (saved or {}).items():
        if key.startswith(f"{_ANALYSED}/"):
            _, index, name = key.split("/", 2)
            by_member.setdefault(int(index), {})[name] = array
    return [by_member[index] for index in sorted(by_member)]
