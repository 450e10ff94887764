"""Three sources of training data: a fixed sample, fresh sentences, the whole population.

A source answers seven questions, the last five with pure functions of arrays, so that training can be compiled and
vmapped:

``steps_per_epoch(task)``
    how many steps make one pass, or None where there are no passes;
``steps_ahead(task, n_steps, room)``
    for how many of ``n_steps`` steps, a divisor, one plan is made, where a member has room for so many numbers;
``prepare(key, distribution)``
    the sample that stays the same over the run;
``plan(sample, distribution, key, start, n_steps)``
    one entry for each of the steps ``start .. start + n_steps - 1``, on a leading axis;
``batch(sample, distribution, entry)``
    the :class:`Batch` of a step;
``evaluation(sample, distribution, key, size)``
    the :class:`Batch` on which training loss and accuracy are measured;
``test(sample, distribution, key, size)``
    the same for the test; the population tests on itself, without sampling error (``exact``).

``is_whole`` tells whether each step sees the whole training set, so that the steps descend one fixed risk.

Nothing is carried from step to step: an epoch's order follows from its number, so a run may be cut anywhere. A plan is
made before its steps, so that these are a loop of known length, which compiles to faster code than one that stops where
an epoch ends.

A source is part of a specification, which is checked before JAX is imported. So what computes is in
:mod:`simlab.batches`, and is imported when there is something to compute.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, NamedTuple

import numpy as np

from simlab.tasks import SentenceTask
from simlab.validation import check_count, invalid

if TYPE_CHECKING:
    import jax

    from simlab.labelled_samples import LabelledSamples
    from simlab.sentences import SentenceDistribution

    Distribution = SentenceDistribution | LabelledSamples


# The calls of a draw, some fifty, are few beside those of so many steps: more would save nothing.
MOST_STEPS_AHEAD = 128


class Batch(NamedTuple):
    """Labelled examples; ``weights`` sum to 1 over the batch, for each factor of the labels.

    Attributes:
        inputs: what the network sees: sentences, ``Int32[B, L]`` word numbers, or vectors, ``Float[B, p]``.
        classes: ``Int32[B]``, or ``Int32[B, F]`` where examples carry a label for each of several factors.
        weights: ``Float`` of the same shape.
    """

    inputs: "jax.Array"
    classes: "jax.Array"
    weights: "jax.Array"


@dataclass(frozen=True, kw_only=True)
class FixedSample:
    """``per_class`` sentences of each class, drawn once, shuffled at each epoch; an incomplete last batch is left out.

    Args:
        per_class: sentences of each class.
        batch_size: sentences per step, or ``"all"``: each step sees the whole sample.
    """

    per_class: int = 5
    batch_size: int | str = 100
    exact: ClassVar[bool] = False

    def __post_init__(self):
        check_count("per_class", self.per_class)
        if isinstance(self.batch_size, str) and not self.is_whole:
            raise invalid("batch_size", "a whole number of at least 1, or all", self.batch_size)
        if not self.is_whole:
            check_count("batch_size", self.batch_size)

    @property
    def is_whole(self) -> bool:
        """Whether each step sees the whole training set."""
        return self.batch_size == "all"

    def steps_per_epoch(self, task: SentenceTask) -> int:
        """Return the number of full batches in the sample."""
        if self.is_whole:
            return 1
        size = self.per_class * task.n_classes
        if self.batch_size > size:
            raise invalid("batch_size", f"at most the {size} sentences of the sample", self.batch_size)
        return size // self.batch_size

    def prepare(self, key: "jax.Array", distribution: "SentenceDistribution") -> Batch:
        """Draw the sample."""
        from simlab.batches import draw_sample

        return draw_sample(key, distribution, self.per_class)

    def steps_ahead(self, task: SentenceTask, n_steps: int, room: int) -> int:
        """All steps: an epoch is shuffled once."""
        return n_steps

    def plan(
        self, sample: Batch, distribution: "SentenceDistribution", key: "jax.Array", start: "jax.Array", n_steps: int
    ) -> "jax.Array":
        """Return the rows of each step, ``Int32[n_steps, batch_size]``; an epoch is a permutation of the sample."""
        from simlab.batches import no_entries, shuffled_batches

        if self.is_whole:
            return no_entries(n_steps)
        return shuffled_batches(len(sample.classes), self.batch_size, key, start, n_steps)

    def batch(self, sample: Batch, distribution: "SentenceDistribution", entry: "jax.Array") -> Batch:
        """Look the rows up."""
        if self.is_whole:
            return sample
        from simlab.batches import take

        return take(sample, entry)

    def evaluation(self, sample: Batch, distribution: "SentenceDistribution", key: "jax.Array", size: int) -> Batch:
        """Return the sample, or ``size`` of its sentences spread evenly over the classes if it holds more."""
        from simlab.batches import take

        total = len(sample.classes)
        kept = min(size, total)
        return take(sample, np.arange(kept, dtype=np.int64) * total // kept)

    def test(self, sample: Batch, distribution: "SentenceDistribution", key: "jax.Array", size: int) -> Batch:
        """Draw ``size`` new sentences."""
        from simlab.batches import draw_batch

        return draw_batch(key, distribution, size)


@dataclass(frozen=True, kw_only=True)
class FreshSentences:
    """New sentences at every step, drawn on the device: the large-sample regime.

    Args:
        batch_size: sentences per step.
    """

    batch_size: int = 100
    exact: ClassVar[bool] = False
    is_whole: ClassVar[bool] = False

    def __post_init__(self):
        check_count("batch_size", self.batch_size)

    def steps_per_epoch(self, task: SentenceTask) -> None:
        """There are no epochs."""

    def prepare(self, key: "jax.Array", distribution: "SentenceDistribution") -> None:
        """Nothing is kept."""

    def steps_ahead(self, task: SentenceTask, n_steps: int, room: int) -> int:
        """As many as their words and labels find room: drawn together, they cost an accelerator few calls."""
        fitting = max(1, min(MOST_STEPS_AHEAD, room // (self.batch_size * (task.sentence_length + 1))))
        return max(size for size in range(1, min(n_steps, fitting) + 1) if n_steps % size == 0)

    def plan(
        self, sample: None, distribution: "SentenceDistribution", key: "jax.Array", start: "jax.Array", n_steps: int
    ) -> tuple["jax.Array", "jax.Array"]:
        """Draw the sentences of each step, ``Int32[n_steps, batch_size, L]``, with their labels."""
        from simlab.batches import draw_batches

        return draw_batches(key, distribution, self.batch_size, start, n_steps)

    def batch(
        self, sample: None, distribution: "SentenceDistribution", entry: tuple["jax.Array", "jax.Array"]
    ) -> Batch:
        """Return the sentences of a step."""
        from simlab.batches import uniform_batch

        return uniform_batch(*entry)

    def evaluation(self, sample: None, distribution: "SentenceDistribution", key: "jax.Array", size: int) -> Batch:
        """Draw ``size`` further sentences."""
        from simlab.batches import draw_batch

        return draw_batch(key, distribution, size)

    def test(self, sample: None, distribution: "SentenceDistribution", key: "jax.Array", size: int) -> Batch:
        """Draw ``size`` further sentences."""
        from simlab.batches import draw_batch

        return draw_batch(key, distribution, size)


@dataclass(frozen=True, kw_only=True)
class Population:
    """Every example with its probability: full-batch descent on the population risk itself."""

    exact: ClassVar[bool] = True
    is_whole: ClassVar[bool] = True

    def steps_per_epoch(self, task: SentenceTask) -> None:
        """There are no epochs: each step sees everything."""

    def prepare(self, key: "jax.Array", distribution: "Distribution") -> Batch:
        """Enumerate the population."""
        return distribution.population()

    def steps_ahead(self, task: SentenceTask, n_steps: int, room: int) -> int:
        """All steps: they are the same."""
        return n_steps

    def plan(
        self, sample: Batch, distribution: "Distribution", key: "jax.Array", start: "jax.Array", n_steps: int
    ) -> "jax.Array":
        """Return as many entries as steps; they say nothing."""
        from simlab.batches import no_entries

        return no_entries(n_steps)

    def batch(self, sample: Batch, distribution: "SentenceDistribution", entry: "jax.Array") -> Batch:
        """Return the whole population."""
        return sample

    def evaluation(self, sample: Batch, distribution: "SentenceDistribution", key: "jax.Array", size: int) -> Batch:
        """Return the whole population."""
        return sample

    def test(self, sample: Batch, distribution: "SentenceDistribution", key: "jax.Array", size: int) -> Batch:
        """Return the whole population."""
        return sample


Source = FixedSample | FreshSentences | Population
