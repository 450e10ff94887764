"""What one process does on the parts of a sweep: claim one, train its members, analyse them, save both."""

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import jax
import numpy as np

from simlab.storage.store import Store
from simlab.sweeps.layout import Layout
from simlab.sweeps.members import Member, MemberRun, stack_inputs
from simlab.sweeps.part_run import PartRun
from simlab.sweeps.program import Program

if TYPE_CHECKING:
    from simlab.sweeps.sweep import Sweep

# A part is saved at most once in this many seconds, and in this many times the duration of the last save.
SAVE_INTERVAL = 1.0
SAVE_SHARE = 100

Analysis = Callable[[Member, MemberRun, object], dict[str, np.ndarray]]


class Part(NamedTuple):
    """A part of a sweep: its name in the folder, its group, and the numbers of its members in the sweep."""

    name: str
    group: int
    members: tuple[int, ...]


class Listener(Protocol):
    """Receives the progress of a sweep."""

    def advance(self, steps: int, members: int) -> None:
        """Report steps and members done, over the whole sweep."""

    def say(self, text: str) -> None:
        """Report what is being done."""


class Work:
    """What one process does on the parts of a sweep."""

    def __init__(self, sweep: "Sweep", layouts: Sequence[Layout], store: Store, analyse: Analysis, listener: Listener):
        self.sweep, self.layouts, self.store = sweep, layouts, store
        self.analyse, self.listener = analyse, listener
        self.steps = self.members = 0
        self.counted: set[str] = set()

    def take(self, part: Part) -> None:
        """Complete a part, unless it is complete or another process has claimed it."""
        if self.store.is_complete(part.name):
            self._count(part)
            return
        with self.store.claim(part.name) as mine:
            if not mine:
                return
            loaded = self.store.load(part.name)
            if loaded is None or not loaded[1]:
                self._run(part, None if loaded is None else loaded[0])
            self._count(part)

    def _count(self, part: Part) -> None:
        """Add a complete part to the progress."""
        if part.name not in self.counted:
            self.counted.add(part.name)
            self.steps += len(part.members) * self.sweep.specs[part.group].total_steps
            self.members += len(part.members)
            self.listener.advance(self.steps, self.members)

    def _run(self, part: Part, saved: dict[str, np.ndarray] | None) -> None:
        """Train the members of a part, analyse them, and save both."""
        sweep, members = self.sweep, [self.sweep.members[i] for i in part.members]
        with sweep.precision(part.group):
            program = sweep.program(part.group, self.layouts[part.group])
            run = PartRun(program, members, trajectories=sweep.trajectories, initials=sweep.initials, saved=saved)
        analysed = _saved_analyses(saved)
        saver = Saver(lambda: self.store.save(part.name, run.snapshot() | _name_analyses(analysed), complete=False))
        with sweep.precision(part.group):
            self._train(run, saver)
        for index in range(len(analysed), len(members)):
            self.listener.say(f"analysing member {self.members + index + 1} of {len(sweep.members)}")
            with sweep.precision(part.group):
                sample = _training_set(program, members[index])
            analysed.append(self.analyse(members[index], run.result(index), sample))
            saver.maybe()
        columns = {name: np.stack([arrays[name] for arrays in analysed]) for name in analysed[0]}
        self.store.save(part.name, columns, complete=True)

    def _train(self, run: PartRun, saver: "Saver") -> None:
        """Train the members of a part, saving at intervals."""
        steps_per_record = run.program.spec.steps_per_record
        while not run.is_done:
            run.advance()
            saver.maybe()
            self.listener.advance(self.steps + run.segments_done * steps_per_record, self.members + run.members_done)


def _training_set(program: Program, member: Member) -> Any:
    """Return the training set of a member, NumPy arrays; None for fresh examples."""
    inputs = jax.tree.map(lambda array: array[0], stack_inputs([member], program.spec))
    return jax.device_get(program.sample(inputs.seeds, inputs.data))


class Saver:
    """Saves at intervals: short enough to lose little, long enough to cost little."""

    def __init__(self, save: Callable[[], None]):
        self.save = save
        self.last, self.cost = time.monotonic(), 0.0

    def maybe(self) -> None:
        """Save if the last save is long enough ago."""
        started = time.monotonic()
        if started - self.last < max(SAVE_INTERVAL, SAVE_SHARE * self.cost):
            return
        self.save()
        self.last = time.monotonic()
        self.cost = self.last - started


_ANALYSED = "analysed"


def _name_analyses(analysed: list[dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """Return the analyses so far as arrays by name."""
    return {f"{_ANALYSED}/{i}/{name}": array for i, arrays in enumerate(analysed) for name, array in arrays.items()}


def _saved_analyses(saved: dict[str, np.ndarray] | None) -> list[dict[str, np.ndarray]]:
    """Return the analyses that a saved part holds."""
    by_member: dict[int, dict[str, np.ndarray]] = {}
    for key, array in (saved or {}).items():
        if key.startswith(f"{_ANALYSED}/"):
            _, index, name = key.split("/", 2)
            by_member.setdefault(int(index), {})[name] = array
    return [by_member[index] for index in sorted(by_member)]
