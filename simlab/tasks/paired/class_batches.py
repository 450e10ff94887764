"""Batches of sentences of which only the class matters: the class counts of a batch and their probabilities.

A batch has ``B`` positive pairs. Its classes all differ, or are independent draws and may collide, or there are
infinitely many negatives with class frequencies equal to the priors. Each case is a table of *class counts* ``m``, one
row for each multiset of classes with its probability; with infinitely many negatives the single row is the priors.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import combinations, combinations_with_replacement
from math import comb, lgamma
from typing import TYPE_CHECKING, ClassVar, NamedTuple

import numpy as np

from simlab.sizes import check_array
from simlab.tasks.batch import AnyArray
from simlab.tasks.pairs import PairTask, ViewPair
from simlab.validation import check_count, check_real, invalid

if TYPE_CHECKING:
    import jax

# The most multisets of classes that are enumerated.
MOST_ROWS = 300_000
# Small tables are padded to this size, so that they share a compilation.
_LEAST_ROWS = 512
_ROUNDING = 1e-9


class ClassDraws(NamedTuple):
    """A realisation of :class:`ClassBatches`. A pytree of arrays.

    Attributes:
        counts: ``Float[R, K]``, the count of each class in a batch.
        probabilities: ``Float[R]``, the probability of each row; 0 for padding rows.
        priors: ``Float[K]``, the probability of each class.
    """

    counts: AnyArray
    probabilities: AnyArray
    priors: AnyArray


@dataclass(frozen=True, kw_only=True)
class ClassBatches(PairTask):
    """The static part of the task.

    Args:
        n_classes: ``K``, at least 2.
        batch_size: ``B``, at least 2; None for infinitely many negatives.
        repeats_classes: whether the classes of a batch are independent draws; otherwise they all differ, and
            ``B <= K``.
        class_priors: ``K`` positive numbers that sum to 1; None for equal priors.
        table_rows: number of rows of the table, at least the number of multisets; None for the next power of two.
            Tasks with tables of the same size share a compilation.

    Raises:
        ValueError: a field is out of range; the message names it.
    """

    n_classes: int
    batch_size: int | None = None
    repeats_classes: bool = False
    class_priors: tuple[float, ...] | None = None
    table_rows: int | None = None
    evaluations: ClassVar[tuple[str, ...]] = ()

    def __post_init__(self):
        check_count("n_classes", self.n_classes, 2)
        if self.batch_size is not None:
            most = None if self.repeats_classes else self.n_classes
            if most is not None and self.batch_size > most:
                wanted = f"at most n_classes={most}, as the classes of a batch differ"
                raise invalid("batch_size", wanted, self.batch_size)
            check_count("batch_size", self.batch_size, 2)
        if self.class_priors is not None:
            self._check_priors(self.class_priors)
        if self.n_multisets > MOST_ROWS:
            wanted = f"few enough for {MOST_ROWS} multisets of n_classes={self.n_classes}"
            raise invalid("batch_size", wanted, self.batch_size)
        if self.table_rows is not None:
            check_count("table_rows", self.table_rows, self.n_multisets)
        check_array("class counts", 8, n_rows=self.n_rows, n_classes=self.n_classes)

    def _check_priors(self, priors: tuple[float, ...]) -> None:
        if len(priors) != self.n_classes:
            raise invalid("class_priors", f"{self.n_classes} numbers, one for each class", len(priors))
        for prior in priors:
            check_real("class_priors", prior, positive=True)
        if abs(sum(priors) - 1) > _ROUNDING:
            raise invalid("class_priors", "numbers that sum to 1", sum(priors))
        if self.batch_size is not None and not self.repeats_classes and max(priors) - min(priors) > _ROUNDING:
            raise invalid("class_priors", "equal ones where the classes of a batch differ", max(priors))

    @property
    def n_multisets(self) -> int:
        """The number of multisets of classes that a batch may have; 1 with infinitely many negatives."""
        if self.batch_size is None:
            return 1
        if self.repeats_classes:
            return comb(self.n_classes + self.batch_size - 1, self.batch_size)
        return comb(self.n_classes, self.batch_size)

    @property
    def n_rows(self) -> int:
        """``R``, the number of rows of the table."""
        if self.table_rows is not None:
            return self.table_rows
        return max(_LEAST_ROWS, 1 << (self.n_multisets - 1).bit_length())

    @property
    def priors(self) -> np.ndarray:
        """``Float[K]``, the probability of each class."""
        return np.full(self.n_classes, 1 / self.n_classes) if self.class_priors is None else np.array(self.class_priors)

    @property
    def example_size(self) -> int:
        """Numbers per pair."""
        return 2

    @property
    def compile_key(self) -> ClassBatches:
        """The task without the numbers of its table, which are data to the compiled code."""
        return replace(self, batch_size=None, class_priors=None, table_rows=self.n_rows)

    def sample(self, seed: int) -> ClassDraws:
        """Return the table, which does not depend on the seed."""
        counts, probabilities = self._table()
        filling = self.n_rows - len(counts)
        return ClassDraws(
            counts=np.concatenate([counts, np.ones((filling, self.n_classes))]),
            probabilities=np.concatenate([probabilities, np.zeros(filling)]),
            priors=self.priors,
        )

    def draw(self, key: jax.Array, data: ClassDraws, size: int) -> ViewPair:
        """Return ``size`` pairs; both sides of a pair are the number of its class."""
        import jax

        if self.repeats_classes:
            classes = jax.random.choice(key, self.n_classes, (size,), p=data.priors)
        else:
            classes = jax.random.permutation(key, self.n_classes)[:size]
        return ViewPair(first=classes, second=classes)

    def population(self, data: ClassDraws) -> ClassDraws:
        """Return the table of class counts."""
        return data

    def _table(self) -> tuple[np.ndarray, np.ndarray]:
        """Return counts and probabilities of all multisets."""
        if self.batch_size is None:
            return self.priors[None], np.ones(1)
        choose = combinations_with_replacement if self.repeats_classes else combinations
        rows = np.array(list(choose(range(self.n_classes), self.batch_size)))
        counts = np.zeros((len(rows), self.n_classes))
        np.add.at(counts, (np.arange(len(rows))[:, None], rows), 1.0)
        if not self.repeats_classes:
            return counts, np.full(len(rows), 1 / len(rows))
        factorials = np.array([lgamma(number + 1) for number in range(self.batch_size + 1)])
        logs = factorials[-1] - factorials[counts.astype(int)].sum(1) + counts @ np.log(self.priors)
        return counts, np.exp(logs)
