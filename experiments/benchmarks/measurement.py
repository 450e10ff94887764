"""Timing contestants side by side: in one process, in turns, with medians and spreads."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

import numpy as np


class Fact(NamedTuple):
    """What is known of a contestant without a race: a compile time, a count of bytes."""

    quantity: str
    unit: str
    value: float


class Contestant(NamedTuple):
    """One way to do the same work.

    Attributes:
        name: as printed.
        turn: does ``steps`` steps and returns when the device is done.
        steps: in a turn, summed over members.
        facts: known beforehand.
    """

    name: str
    turn: Callable[[], object]
    steps: int
    facts: tuple[Fact, ...] = ()


class Part(NamedTuple):
    """Some cases of a benchmark, measured together and saved together.

    Attributes:
        name: unique within the benchmark.
        measure: measures them.
    """

    name: str
    measure: Callable[[], Iterable["Measurement"]]


WITHOUT_PYTORCH = "PyTorch is not installed (extra 'bench')"


class Measurement(NamedTuple):
    """A number of a benchmark, over its rounds.

    Attributes:
        benchmark: its name on the command line.
        case: what was measured, in words.
        contestant: who was measured.
        quantity: which number.
        unit: of the number; empty for ratios.
        value: the median over rounds; NaN where the contestant does not run here.
        low: the first quartile.
        high: the third quartile.
        rounds: how often it was measured.
        at: the size at which it was measured, where a size varies; NaN elsewhere.
        note: where the number comes from, or why there is none.
    """

    benchmark: str
    case: str
    contestant: str
    quantity: str
    unit: str
    value: float
    low: float
    high: float
    rounds: int
    at: float = np.nan
    note: str = ""

    def to_json(self) -> dict[str, object]:
        """Return plain JSON values; what is not a number becomes null."""
        return {name: None if value != value else value for name, value in self._asdict().items()}


def summarise(
    where: tuple[str, str, str], quantity: str, unit: str, samples: Iterable[float] | float, *, at: float = np.nan
) -> Measurement:
    """Return the median and the quartiles of some samples; ``where`` is benchmark, case and contestant."""
    samples = np.atleast_1d(np.asarray(samples, float))
    low, middle, high = (float(value) for value in np.quantile(samples, (0.25, 0.5, 0.75)))
    return Measurement(*where, quantity, unit, middle, low, high, len(samples), at)


def unmeasured(where: tuple[str, str, str], unit: str, reason: str = WITHOUT_PYTORCH) -> Measurement:
    """Return the time of a contestant that does not run here; ``where`` is benchmark, case and contestant."""
    return Measurement(*where, "time", unit, np.nan, np.nan, np.nan, 0, note=reason)


def compare_steps(
    benchmark: str,
    case: str,
    contestants: Sequence[Contestant],
    rounds: int,
    *,
    unit: str,
    peers: Mapping[str, str],
    limit: str | None = None,
    limit_quantity: str = "times the products",
    missing: Mapping[str, str] = MappingProxyType({}),
) -> Iterator[Measurement]:
    """Yield the time of a step of each contestant, how many times longer the peers take, and the other facts.

    Args:
        benchmark: its name on the command line.
        case: what is measured, in words.
        contestants: who takes turns.
        rounds: how often.
        unit: of the times, which are given in microseconds.
        peers: the contestants by the name of the ratio to their time; those of PyTorch are missing where it is not
            installed.
        limit: the name of the one that does no more than is needed; the times of all others are also given in
            multiples of it.
        limit_quantity: the name of that ratio.
        missing: why a peer is missing, if not because PyTorch is not installed.
    """
    seconds = take_turns(contestants, rounds)
    for contestant in contestants:
        where, times = (benchmark, case, contestant.name), seconds[contestant.name]
        yield summarise(where, "time", unit, 1e6 * times)
        for quantity, peer in peers.items():
            if peer in seconds:
                yield summarise(where, quantity, "", seconds[peer] / times)
        if limit is not None and contestant.name != limit:
            yield summarise(where, limit_quantity, "", times / seconds[limit])
        for fact in contestant.facts:
            yield summarise(where, fact.quantity, fact.unit, fact.value)
    for peer in peers.values():
        if peer not in seconds:
            yield unmeasured((benchmark, case, peer), unit, missing.get(peer, WITHOUT_PYTORCH))


def take_turns(contestants: Sequence[Contestant], rounds: int) -> dict[str, np.ndarray]:
    """Return the seconds per step of each contestant, ``Float[rounds]``, by name.

    Each has one turn before the clock starts. Then they take turns, round by round, and each round begins with another
    one: what the machine does besides falls on all alike, and ratios are taken within a round.
    """
    for contestant in contestants:
        contestant.turn()
    seconds = {contestant.name: np.empty(rounds) for contestant in contestants}
    for number in range(rounds):
        first = number % len(contestants)
        for contestant in [*contestants[first:], *contestants[:first]]:
            started = time.perf_counter()
            contestant.turn()
            seconds[contestant.name][number] = (time.perf_counter() - started) / contestant.steps
    return seconds
