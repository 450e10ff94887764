"""Measurements: a sweep in which nothing is trained.

An untrained network, a closed-form solution or a network from elsewhere is measured for each subject and seed. Parts,
their claims and what is saved are those of a sweep of training runs, so that a measurement resumes after a kill and is
shared among processes in the same way.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from simlab.storage.store import Store
from simlab.sweeps.layout import Layout
from simlab.sweeps.work import Listener, Part


class Measurement(NamedTuple):
    """What is measured: a subject, and the seed of all that is random in it.

    Attributes:
        subject: any description of what is measured.
        seed: decides what is drawn.
    """

    subject: Any
    seed: int


# Called with a measurement, and None for the run and for the training set, of which there is neither.
MeasurementAnalysis = Callable[[Measurement, None, None], dict[str, np.ndarray]]


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
                self._measure(part, store, analyse)
                self._report(parts, store, listener)
        self._report(parts, store, listener)
        return all(store.is_complete(part.name) for part in parts)

    def _report(self, parts: Sequence[Part], store: Store, listener: Listener) -> None:
        """Report how many measurements are there."""
        done = sum(store.is_complete(part.name) for part in parts)
        listener.advance(done, done)

    def _measure(self, part: Part, store: Store, analyse: MeasurementAnalysis) -> None:
        """Make one measurement, unless it is there or another process makes it."""
        if store.is_complete(part.name):
            return
        with store.claim(part.name) as is_mine:
            if is_mine and store.load(part.name) is None:
                arrays = analyse(self.members[part.members[0]], None, None)
                store.save(part.name, {name: np.stack([array]) for name, array in arrays.items()}, complete=True)
