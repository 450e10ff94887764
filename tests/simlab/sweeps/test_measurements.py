"""A long measurement that is killed goes on from what it has saved, and is told to nobody as finished before."""

import numpy as np
import pytest

from simlab.storage.store import MemoryStore
from simlab.sweeps import work
from simlab.sweeps.measurements import Measurement, MeasurementSweep

pytestmark = pytest.mark.quick


class KeepingStore(MemoryStore):
    """Keeps states that are not complete too, as a folder does."""

    def __init__(self):
        super().__init__()
        self.states = {}

    def save(self, name, arrays, *, complete):
        super().save(name, arrays, complete=complete)
        if not complete:
            self.states[name] = arrays

    def load(self, name):
        complete = super().load(name)
        return complete or ((self.states[name], False) if name in self.states else None)


class Listener:
    def __init__(self):
        self.lines, self.done = [], []

    def advance(self, steps, members):
        self.done.append(members)

    def say(self, text):
        self.lines.append(text)


def test_a_killed_measurement_goes_on(monkeypatch):
    monkeypatch.setattr(work, "SAVE_INTERVAL", 0.0)
    monkeypatch.setattr(work, "SAVE_SHARE", 0)
    sweep, store, steps = MeasurementSweep([Measurement("subject", 0)]), KeepingStore(), []

    def analyse(kill_at):
        def measure(member, run, sample):
            total = 0 if run.saved is None else int(run.saved["total"])
            for number in range(total, 5):
                if number == kill_at:
                    raise KeyboardInterrupt
                steps.append(number)
                run.advance(lambda reached=number + 1: {"total": np.array(reached)}, f"step {number + 1} of 5")
            return {"total": np.array(5.0)}

        return measure

    layouts, listener = sweep.choose_layouts(), Listener()
    with pytest.raises(KeyboardInterrupt):
        sweep.run(layouts, store, analyse(kill_at=3), listener)
    (part,) = sweep.parts(layouts)
    assert not store.is_complete(part.name)
    assert listener.done == []
    assert sweep.run(layouts, store, analyse(kill_at=None), listener)
    assert steps == [0, 1, 2, 3, 4]
    assert listener.lines[-1] == "step 5 of 5"
    np.testing.assert_array_equal(store.load(part.name)[0]["total"], [5.0])
