"""Measurements: a sweep without training.

An untrained network, a closed-form solution or a pretrained network is measured for each subject and seed. Parts,
claims and saved files are those of a sweep of training runs, so that measurements resume after a kill and are shared
among processes in the same way.
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
    """A measurement: a subject and a seed.

    Attributes:
        subject: any description of what is measured.
        seed: seed of all random draws.
    """

    subject: Any
    seed: int


class MeasurementRun:
    """The saved state and the progress of a long measurement, which resumes after a kill; short ones need neither.

    Attributes:
        saved: the arrays last saved by :meth:`advance`, in this process or an earlier one; None at the beginning.

    Args:
        saved: the arrays saved by an earlier process, or None.
        save: saves arrays for a later process.
        listener: receives the progress of the measurement.
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
        """Report progress, and save the state if the last save is long enough ago.

        Args:
            snapshot: returns all arrays that the rest of the measurement depends on.
            text: the progress, for a reader.

        Raises:
            Terminated: SIGTERM was received; the state is saved.
        """
        if self._snapshot is None:  # from now on there is a state to save before the process ends
            self._deferring.enter_context(saving_first())
        self._snapshot = snapshot
        self._listener.say(text)
        self._saver.maybe()

    def _keep(self) -> None:
        assert self._snapshot is not None
        self.saved = self._snapshot()
        self._save(self.saved)


# Called with a measurement, its run, and None in place of a training set.
MeasurementAnalysis = Callable[[Measurement, MeasurementRun, None], dict[str, np.ndarray]]


class MeasurementSweep:
    """A sweep of measurements, with the interface of :class:`simlab.sweeps.sweep.Sweep` and one part per measurement.

    Args:
        members: the measurements, in the order of the axes.
    """

    def __init__(self, members: Sequence[Measurement]):
        self.members = tuple(members)
        self.groups = (tuple(range(len(self.members))),)

    @property
    def n_steps(self) -> int:
        """The number of steps, one for each measurement."""
        return len(self.members)

    def choose_layouts(self, **options) -> tuple[Layout, ...]:
        """Return the only layout: measurements run sequentially."""
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
        """Make the missing measurements, those of this process first, and return whether all are complete."""
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
        """Report the number of complete measurements."""
        done = sum(store.is_complete(part.name) for part in parts)
        listener.advance(done, done)

    def _measure(self, part: Part, store: Store, analyse: MeasurementAnalysis, listener: Listener) -> None:
        """Make one measurement, unless it is complete or claimed by another process."""
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
