"""Worlds of co-occurrence: events that are positive pairs with given probabilities, seen through two modalities.

A table holds the probability of each pair of events. A modality may be coarse: it sees blocks of neighbouring events
and cannot tell those of a block apart. What it sees of an event, the number of its block, is a *symbol*.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, NamedTuple

import numpy as np

from simlab.sizes import check_array
from simlab.tasks.batch import AnyArray
from simlab.tasks.pairs import PairTask, ViewPair
from simlab.validation import check_choice, check_count, check_real, invalid

if TYPE_CHECKING:
    import jax
    from jaxtyping import Float

WINDOWS = ("exponential", "gaussian")


class PairTable(NamedTuple):
    """A realisation of a world, and its population. A pytree of arrays.

    Attributes:
        probabilities: of pairs of events, ``Float[n, m]``; they sum to one.
        first: the symbol that the first modality sees of each event, ``Int[n]``.
        second: the symbol that the second one sees, ``Int[m]``.
    """

    probabilities: AnyArray
    first: AnyArray
    second: AnyArray

    @property
    def symbols(self) -> ViewPair:
        """What both modalities see of all their events."""
        return ViewPair(self.first, self.second)


class CooccurrenceTask(PairTask):
    """A world of events; one that is a dataclass says its table.

    Attributes:
        block: events of a block of the first modality; 1 for events themselves.
        second_block: of the second modality; None for those of the first.
    """

    block: int
    second_block: int | None
    evaluations: ClassVar[tuple[str, ...]] = ()

    @property
    def shape(self) -> tuple[int, int]:
        """Events of both sides of a pair."""
        raise NotImplementedError

    def make_table(self) -> Float[np.ndarray, "n m"]:
        """Return the probabilities of all pairs."""
        raise NotImplementedError

    @property
    def blocks(self) -> tuple[int, int]:
        """Events of a block of both modalities."""
        return self.block, self.block if self.second_block is None else self.second_block

    @property
    def is_shared(self) -> bool:
        """Whether both sides of a pair show the same symbols, so that one encoder can serve both."""
        return self.shape[0] == self.shape[1] and self.blocks[0] == self.blocks[1]

    def sample(self, seed: int) -> PairTable:
        """Return the world, which is the same for all seeds."""
        first, second = (np.arange(n) // block for n, block in zip(self.shape, self.blocks, strict=True))
        return PairTable(self.make_table(), first, second)

    def draw(self, key: jax.Array, data: PairTable, size: int) -> ViewPair:
        """Return the symbols of ``size`` pairs."""
        import jax
        import jax.numpy as jnp

        table = jnp.asarray(data.probabilities)
        pairs = jax.random.categorical(key, jnp.log(table.ravel()), shape=(size,))
        rows, columns = jnp.divmod(pairs, table.shape[1])
        return ViewPair(jnp.asarray(data.first)[rows], jnp.asarray(data.second)[columns])

    def population(self, data: PairTable) -> PairTable:
        """Return the world itself."""
        return data

    def _check_blocks(self) -> None:
        """Raise ``ValueError`` unless blocks divide the events, and leave at least two."""
        for name, n, block in zip(("block", "second_block"), self.shape, self.blocks, strict=True):
            check_count(name, block)
            if n % block or n == block:
                raise invalid(name, f"a divisor of the {n} events below it", block)


@dataclass(frozen=True, kw_only=True)
class RingWorld(CooccurrenceTask):
    """Events on a ring that co-occur within a window: ``p_ij = ((1 - floor) g(d)/sum g + floor/n)/n`` at distance d.

    Args:
        n_events: n, at least 3.
        window: ``exponential``, ``g = exp(-d/width)``, or ``gaussian``, ``g = exp(-d^2/(2 width^2))``.
        width: of the window, events.
        floor: share of pairs that are drawn evenly from all, in [0, 1).
        block, second_block: as in :class:`CooccurrenceTask`.

    Raises:
        ValueError: a field is out of range; the message names it.
    """

    n_events: int
    window: str = "exponential"
    width: float = 2.0
    floor: float = 0.05
    block: int = 1
    second_block: int | None = None

    def __post_init__(self):
        check_count("n_events", self.n_events, 3)
        check_array("table", 8, n_events=self.n_events, n_partners=self.n_events)
        check_choice("window", self.window, WINDOWS)
        check_real("width", self.width, positive=True)
        if not check_real("floor", self.floor) < 1:
            raise invalid("floor", "a number below 1", self.floor)
        row, tiny = self._row(), np.finfo(float).tiny
        if row[1] < tiny:
            raise invalid("width", "a window that leaves no event without a partner", self.width)
        if row.min() < tiny:
            raise invalid("floor", f"a positive share, as distant events never meet with width={self.width:g}", 0.0)
        self._check_blocks()

    @property
    def shape(self) -> tuple[int, int]:
        """Events of both sides of a pair."""
        return self.n_events, self.n_events

    @property
    def compile_key(self) -> RingWorld:
        """The world less all numbers of its law, and less its blocks."""
        return RingWorld(n_events=self.n_events)

    def make_table(self) -> Float[np.ndarray, "n n"]:
        """Return the probabilities of all pairs."""
        row, places = self._row(), np.arange(self.n_events)
        return row[(places[:, None] - places) % self.n_events] / self.n_events

    def _row(self) -> Float[np.ndarray, " n"]:
        """Return the law of the place of a partner."""
        places = np.arange(self.n_events)
        distance = np.minimum(places, self.n_events - places)
        scaled = distance / self.width if self.window == "exponential" else (distance / self.width) ** 2 / 2
        reach = np.exp(-scaled)
        return (1 - self.floor) * reach / reach.sum() + self.floor / self.n_events


@dataclass(frozen=True, kw_only=True)
class GivenWorld(CooccurrenceTask):
    """Any table of co-occurrence.

    Args:
        table: probabilities of pairs, or counts of them; rows are events of the first side. None is zero.
        block, second_block: as in :class:`CooccurrenceTask`.

    Raises:
        ValueError: a field is out of range; the message names it.
    """

    table: tuple[tuple[float, ...], ...]
    block: int = 1
    second_block: int | None = None

    def __post_init__(self):
        if len(self.table) < 2 or len({len(row) for row in self.table}) != 1 or len(self.table[0]) < 2:
            raise invalid("table", "at least two rows of at least two numbers, all of the same length", self.table)
        for row in self.table:
            for number in row:
                check_real("table", number, positive=True)
        self._check_blocks()

    @property
    def shape(self) -> tuple[int, int]:
        """Events of both sides of a pair."""
        return len(self.table), len(self.table[0])

    @property
    def compile_key(self) -> GivenWorld:
        """The world less its numbers and its blocks."""
        return GivenWorld(table=((1.0,) * self.shape[1],) * self.shape[0])

    def make_table(self) -> Float[np.ndarray, "n m"]:
        """Return the probabilities of all pairs."""
        table = np.array(self.table, float)
        return table / table.sum()
