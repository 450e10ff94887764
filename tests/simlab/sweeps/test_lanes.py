"""Groups on different devices run at the same time, end together on an error or a signal, and give the same bits."""

import os
import signal
import threading

import numpy as np
import pytest

from simlab.data.sources import Population
from simlab.losses.classification import CrossEntropy, Hyperparameters
from simlab.networks.specs import TwoLayer
from simlab.runtime.stopping import Terminated, ending_on_signals
from simlab.storage.store import MemoryStore
from simlab.sweeps.lanes import first_device
from simlab.sweeps.layout import Layout
from simlab.sweeps.members import Member
from simlab.sweeps.sweep import Sweep, train_members
from simlab.tasks.sentence_task import SentenceTask
from simlab.training.spec import TrainingSpec

LONG = {"n_steps": 1_000_000, "steps_per_record": 1000}  # about ten seconds
RATES = Hyperparameters(learning_rate=0.5, initial_scale=0.7)
TASK = SentenceTask(n_words=6, sentence_length=2, n_classes=8)
ALONE = Layout(1, 1, 1)


class Listener:
    """Keeps what it is told."""

    def __init__(self):
        self.advances, self.steps = [], 0

    def advance(self, steps, members):
        self.advances.append((steps, members))

    def say(self, text):
        pass


class StateStore(MemoryStore):
    """A store in memory that counts the states saved before a part is complete."""

    def __init__(self):
        super().__init__()
        self.states: set[str] = set()

    def save(self, name, arrays, *, complete):
        super().save(name, arrays, complete=complete)
        if not complete:
            self.states.add(name)


def member(dim, n_steps=12, steps_per_record=4):
    spec = TrainingSpec(
        task=TASK,
        source=Population(),
        network=TwoLayer(embedding_dim=dim),
        objective=CrossEntropy(),
        n_steps=n_steps,
        steps_per_record=steps_per_record,
        n_evaluation=30,
    )
    return Member(spec, RATES, 0)


def run(sweep, analyse, store=None):
    layouts, listener = [ALONE] * len(sweep.groups), Listener()
    store = store or MemoryStore()
    return sweep.run(layouts, store, analyse, listener), store, listener


@pytest.mark.quick
def test_lanes_are_used_in_turn():
    assert [first_device(group, ALONE) for group in (0, 1, 7, 8)] == [0, 1, 7, 0]
    assert [first_device(group, Layout(3, 3, 3)) for group in (0, 1, 2)] == [0, 3, 0]
    assert [first_device(group, Layout(8, 8, 2, 4)) for group in (0, 1)] == [0, 0]


def test_groups_on_different_devices_run_at_the_same_time_and_give_the_same_bits():
    members = [member(dim) for dim in (3, 4)]
    meeting = threading.Barrier(2)

    def analyse(member, run, sample):
        meeting.wait(60)  # ends only if both groups are analysed at the same time
        return {name: run.final[name] for name in ("embeddings", "classifier")}

    complete, store, listener = run(Sweep(members), analyse)
    assert complete
    assert listener.advances[-1] == (24, 2)
    assert listener.advances == sorted(listener.advances)
    for name, one in zip(("00-00000", "01-00000"), members, strict=True):
        (alone,) = train_members([one], layouts=[ALONE])
        np.testing.assert_array_equal(store.load(name)[0]["embeddings"][0], alone.final["embeddings"])


def test_an_error_in_one_lane_ends_the_others():
    failed = threading.Event()

    def analyse(member, run, sample):
        if member.spec.network.embedding_dim == 3:
            failed.set()
            raise ArithmeticError("no minimum")
        failed.wait(60)
        return {}

    with pytest.raises(ArithmeticError, match=r"^no minimum$"):
        run(Sweep([member(3), member(4, **LONG)]), analyse)


def test_sigterm_saves_the_state_of_every_lane():
    store = StateStore()

    def analyse(member, run, sample):
        os.kill(os.getpid(), signal.SIGTERM)
        return {name: run.final[name] for name in ("embeddings", "classifier")}

    with pytest.raises(Terminated), ending_on_signals():
        run(Sweep([member(3), member(4, **LONG)]), analyse, store)
    assert "01-00000" in store.states
    assert not store.is_complete("01-00000")
