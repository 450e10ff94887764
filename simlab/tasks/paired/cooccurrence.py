"""Worlds of co-occurrence: events that form positive pairs with given probabilities, observed in two modalities.

A table holds the probability of each pair of events. A modality may be coarse: it observes blocks of neighbouring
events and does not distinguish the events of a block. The observation of an event, the number of its block, is a
*symbol*.
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
        probabilities: the probability of each pair of events, ``Float[n, m]``; they sum to one.
        first: the symbol of each event in the first modality, ``Int[n]``.
        second: the symbol of each event in the second modality, ``Int[m]``.
    """

    probabilities: AnyArray
    first: AnyArray
    second: AnyArray

    @property
    def symbols(self) -> ViewPair:
        """The symbols of all events in both modalities."""
        return ViewPair(self.first, self.second)


class CooccurrenceTask(PairTask):
    """A world of events; subclasses are dataclasses that define the table.

    Attributes:
        block: events per block of the first modality; 1 for single events.
        second_block: events per block of the second modality; None for the same as the first.
    """

    block: int
    second_block: int | None
    evaluations: ClassVar[tuple[str, ...]] = ()

    @property
    def shape(self) -> tuple[int, int]:
        """``(n, m)``, the numbers of events of both sides of a pair."""
        raise NotImplementedError

    def make_table(self) -> Float[np.ndarray, "n m"]:
        """Return the probabilities of all pairs."""
        raise NotImplementedError

    @property
    def blocks(self) -> tuple[int, int]:
        """Events per block of both modalities."""
        return self.block, self.block if self.second_block is None else self.second_block

    @property
    def is_shared(self) -> bool:
        """Whether both sides of a pair have the same symbols, so that they can share an encoder."""
        return self.shape[0] == self.shape[1] and self.blocks[0] == self.blocks[1]

    def sample(self, seed: int) -> PairTable:
        """Return the world, which does not depend on the seed."""
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
        """Raise ``ValueError`` unless the events divide into at least two blocks of equal size."""
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
        width: width of the window, in events.
        floor: share of pairs that are drawn uniformly from all, in [0, 1).
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
        """``(n, n)``, the numbers of events of both sides of a pair."""
        return self.n_events, self.n_events

    @property
    def compile_key(self) -> RingWorld:
        """The world without its probabilities and blocks, which are data to the compiled code."""
        return RingWorld(n_events=self.n_events)

    def make_table(self) -> Float[np.ndarray, "n n"]:
        """Return the probabilities of all pairs."""
        row, places = self._row(), np.arange(self.n_events)
        return row[(places[:, None] - places) % self.n_events] / self.n_events

    def _row(self) -> Float[np.ndarray, " n"]:
        """Return the probability of each displacement of a partner along the ring."""
        places = np.arange(self.n_events)
        distance = np.minimum(places, self.n_events - places)
        scaled = distance / self.width if self.window == "exponential" else (distance / self.width) ** 2 / 2
        reach = np.exp(-scaled)
        return (1 - self.floor) * reach / reach.sum() + self.floor / self.n_events


@dataclass(frozen=True, kw_only=True)
class GivenWorld(CooccurrenceTask):
    """Any table of co-occurrence.

    Args:
        table: probabilities or counts of pairs, all positive; rows are events of the first side.
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
        """``(n, m)``, the numbers of events of both sides of a pair."""
        return len(self.table), len(self.table[0])

    @property
    def compile_key(self) -> GivenWorld:
        """The world without its probabilities and blocks, which are data to the compiled code."""
        return GivenWorld(table=((1.0,) * self.shape[1],) * self.shape[0])

    def make_table(self) -> Float[np.ndarray, "n m"]:
        """Return the probabilities of all pairs."""
        table = np.array(self.table, float)
        return table / table.sum()
