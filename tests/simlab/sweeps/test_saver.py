"""When the state of a part in training is saved: a kill costs little, and so does saving."""

import pytest

from simlab.sweeps.work import MOST_LOST, MOST_LOST_SHARE, Saver

pytestmark = pytest.mark.quick


class Simulated:
    """A process whose segments, and whose saves, take so many seconds; the devices are one segment ahead."""

    def __init__(self, segment, cost):
        self.now, self.segment, self.cost = 0.0, segment, cost
        self.saved, self.saves, self.lost = 0.0, 0, 0.0
        self.saver = Saver(self.settle, self.save, 0.0, lambda: self.now)

    def settle(self):
        self.now += 0.9 * self.segment

    def save(self):
        state = self.now
        self.now += self.cost
        self.lost = max(self.lost, self.now - self.saved)
        self.saved, self.saves = state, self.saves + 1

    def run(self, seconds):
        while self.now < seconds:
            self.now += self.segment
            self.lost = max(self.lost, self.now - self.saved)
            self.saver.maybe()


@pytest.mark.parametrize("segment", [0.01, 1.0, 5.0, 9.0])
@pytest.mark.parametrize("cost", [0.001, 0.1, 2.0])
def test_a_kill_costs_at_most_half_a_minute(segment, cost):
    process = Simulated(segment, cost)
    process.run(MOST_LOST / MOST_LOST_SHARE)
    assert process.lost <= MOST_LOST + segment


@pytest.mark.parametrize("segment", [31.0, 100.0])
def test_segments_longer_than_that_are_saved_one_by_one(segment):
    process = Simulated(segment, 0.1)
    process.run(20 * segment)
    assert process.lost <= 2 * segment + process.cost  # one is in flight while the state is fetched


def test_waiting_for_a_segment_is_no_cost_of_saving():
    process = Simulated(2.0, 0.001)
    process.run(100)
    assert process.saves > 20


def test_of_a_long_run_a_kill_may_cost_two_percent_and_a_large_state_is_saved_rarely():
    process = Simulated(1.0, 5.0)
    process.run(10_000)
    before = process.saves
    process.run(20_000)
    assert 10_000 / 400 - 1 <= process.saves - before <= 10_000 / 150
    assert process.lost <= MOST_LOST_SHARE * 20_000 + 1


def test_a_cheap_state_is_saved_every_second():
    process = Simulated(0.1, 0.001)
    process.run(60)
    assert 45 <= process.saves <= 60
