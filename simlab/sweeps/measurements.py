"""Measurements: a sweep in which nothing is trained.

An untrained network, a closed-form solution or a network from elsewhere is measured for each subject and seed. Parts,
their claims and what is saved are those of a sweep of training runs, so that a measurement resumes after a kill and is
shared among processes in the same way.
"""

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Any, NamedTuple, Self

import numpy as np

from simlab.runtime.stopping import saving_first
from simlab.storage.store import Store
from simlab.sweeps.layout import Layout
from simlab.sweeps.work import Listener, Part, Saver


class Measurement(NamedTuple):
    """What is measured: a subject, and the seed of all that is random in it.

    Attributes:
        subject: any description of what is measured.
        seed: decides what is drawn.
    """

    subject: Any
    seed: int


class MeasurementRun:
    """What a long measurement goes on from after a kill, and tells of its progress; a short one needs neither.

    Attributes:
        saved: the arrays that :meth:`advance` kept last, in this process or one before it; None at the beginning.

    Args:
        saved: of an earlier process.
        save: keeps arrays where a later process finds them.
        listener: told how far the measurement has come.
    """

    def __init__(self, saved: dict[str, np.ndarray] | None, save: Callable[[dict], None], listener: Listener):
        self.saved = saved
        self._save, self._listener = save, listener
        self._snapshot: Callable[[], dict[str, np.ndarray]] | None = None
        self._saver = Saver(lambda: None, self._keep, time.monotonic())
        self._deferring = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception) -> None:
        self._deferring.close()

    def advance(self, snapshot: Callable[[], dict[str, np.ndarray]], text: str) -> None:
        """Report how far the measurement has come, and save its state if the last save is long enough ago.

        Args:
            snapshot: returns all that the rest of the measurement depends on.
            text: what is done, for a reader.

        Raises:
            Terminated: the process was asked to end; the state is saved.
        """
        if self._snapshot is None:  # from now on there is something to save before the process ends
            self._deferring.enter_context(saving_first())
        self._snapshot = snapshot
        self._listener.say(text)
        self._saver.maybe()

    def _keep(self) -> None:
        assert self._snapshot is not None
        self.saved = self._snapshot()
        self._save(self.saved)


# Called with a measurement, how it comes along, and None for the training set, as there is none.
MeasurementAnalysis = Callable[[Measurement, MeasurementRun, None], dict[str, np.ndarray]]


class MeasurementSweep:
    """Measurements side by side with the interface of :class:`simlab.sweeps.sweep.Sweep`; one part each.

    Args:
        members: in the order of the axes.
    """

    def __init__(self, members: Sequence[Measurement]):
        self.members = tuple(members)
        self.groups = (tuple(range(len(self.members))),)

    @property
    def n_steps(self) -> int:
        """One step for each measurement."""
        return len(self.members)

    def choose_layouts(self, **options) -> tuple[Layout, ...]:
        """Return the one layout: measurements follow each other."""
        return (Layout(rows=1, part=1, member_shards=1),)

    def parts(self, layouts: Sequence[Layout]) -> list[Part]:
        """Return a part for each measurement."""
        return [Part(f"00-{index:05d}", 0, (index,)) for index in range(len(self.members))]

    def run(
        self,
        layouts: Sequence[Layout],
        store: Store,
        analyse: MeasurementAnalysis,
        listener: Listener,
        shard: tuple[int, int] = (0, 1),
    ) -> bool:
        """Make the measurements that are missing, those of this process first, and return whether all are there."""
        parts = self.parts(layouts)
        index, count = shard
        order = [*parts[index::count], *(part for i, part in enumerate(parts) if i % count != index)]
        for part in order:
            if not store.is_complete(part.name):
                self._measure(part, store, analyse, listener)
                self._report(parts, store, listener)
        self._report(parts, store, listener)
        return all(store.is_complete(part.name) for part in parts)

    def _report(self, parts: Sequence[Part], store: Store, listener: Listener) -> None:
        """Report how many measurements are there."""
        done = sum(store.is_complete(part.name) for part in parts)
        listener.advance(done, done)

    def _measure(self, part: Part, store: Store, analyse: MeasurementAnalysis, listener: Listener) -> None:
        """Make one measurement, unless it is there or another process makes it."""
        if store.is_complete(part.name):
            return
        with store.claim(part.name) as is_mine:
            loaded = store.load(part.name) if is_mine else None
            if not is_mine or (loaded is not None and loaded[1]):
                return

            def save(arrays: dict[str, np.ndarray]) -> None:
                store.save(part.name, arrays, complete=False)

            with MeasurementRun(None if loaded is None else loaded[0], save, listener) as run:
                arrays = analyse(self.members[part.members[0]], run, None)
                store.save(part.name, {name: np.stack([array]) for name, array in arrays.items()}, complete=True)
