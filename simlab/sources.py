"""Three sources of training data: a fixed sample, fresh sentences, the whole population.

A source answers six questions, each with a pure function of arrays, so that training can be compiled and vmapped:

``steps_per_epoch(task)``
    how many steps make one pass, or None where there are no passes;
``prepare(key, distribution)``
    the sample that stays the same over the run;
``plan(sample, key, start, n_steps)``
    one entry for each of the steps ``start .. start + n_steps - 1``;
``batch(sample, distribution, entry)``
    the :class:`Batch` of a step;
``evaluation(sample, distribution, key, size)``
    the :class:`Batch` on which training loss and accuracy are measured;
``test(sample, distribution, key, size)``
    the same for the test; the population tests on itself, without sampling error (``exact``).

Nothing is carried from step to step: an epoch's order follows from its number, so a run may be cut anywhere. A plan is
made before its steps, so that these are a loop of known length, which compiles to faster code than one that stops where
an epoch ends.
"""

import math
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from simlab.sentences import SentenceDistribution, draw_sentences, enumerate_sentences
from simlab.tasks import SentenceTask
from simlab.validation import check_count, invalid


class Batch(NamedTuple):
    """Labelled sentences; ``weights`` sum to 1 over the batch.

    Attributes:
        sentences: ``Int32[B, L]``, word numbers.
        classes: ``Int32[B]``.
        weights: ``Float[B]``.
    """

    sentences: jax.Array
    classes: jax.Array
    weights: jax.Array


def uniform_batch(sentences: jax.Array, classes: jax.Array) -> Batch:
    """Return a batch of equal weights."""
    return Batch(sentences, classes, jnp.full(classes.shape, 1 / len(classes)))


def draw_batch(key: jax.Array, distribution: SentenceDistribution, size: int) -> Batch:
    """Draw ``size`` labelled sentences, classes uniform, on the device."""
    class_key, word_key = jax.random.split(key)
    classes = jax.random.randint(class_key, (size,), 0, len(distribution.latents), jnp.int32)
    return uniform_batch(draw_sentences(word_key, distribution, classes), classes)


def random_order(key: jax.Array, size: int) -> jax.Array:
    """Return a random permutation of ``0 .. size - 1``, ``Int32[size]``.

    Random bits are sorted that carry their row in the low bits: a sort of single numbers is about ten times faster on a
    CPU than one of pairs. Rows whose random bits agree keep their order; as many sorts follow each other as it takes to
    leave less than one row in 64 with such a neighbour.
    """
    index_bits = max(1, (size - 1).bit_length())
    n_sorts = math.ceil((index_bits + 6) / (32 - index_bits))
    low = jnp.uint32(2**index_bits - 1)
    rows = jnp.arange(size, dtype=jnp.uint32)
    order = rows
    for sort_key in jax.random.split(key, n_sorts):
        order = order[jnp.sort(jax.random.bits(sort_key, (size,)) & ~low | rows) & low]
    return order.astype(jnp.int32)


@dataclass(frozen=True, kw_only=True)
class FixedSample:
    """``per_class`` sentences of each class, drawn once, shuffled at each epoch; an incomplete last batch is left out.

    Args:
        per_class: sentences of each class.
        batch_size: sentences per step.
    """

    per_class: int = 5
    batch_size: int = 100
    exact: ClassVar[bool] = False

    def __post_init__(self):
        check_count("per_class", self.per_class)
        check_count("batch_size", self.batch_size)

    def steps_per_epoch(self, task: SentenceTask) -> int:
        """Return the number of full batches in the sample."""
        size = self.per_class * task.n_classes
        if self.batch_size > size:
            raise invalid("batch_size", f"at most the {size} sentences of the sample", self.batch_size)
        return size // self.batch_size

    def prepare(self, key: jax.Array, distribution: SentenceDistribution) -> Batch:
        """Draw the sample."""
        classes = jnp.repeat(jnp.arange(len(distribution.latents), dtype=jnp.int32), self.per_class)
        return uniform_batch(draw_sentences(key, distribution, classes), classes)

    def plan(self, sample: Batch, key: jax.Array, start: jax.Array, n_steps: int) -> jax.Array:
        """Return the rows of each step, ``Int32[n_steps, batch_size]``; an epoch is a permutation of the sample."""
        size = len(sample.classes)
        steps_per_epoch = size // self.batch_size
        first_epoch = start // steps_per_epoch
        last_epoch = (start + n_steps - 1) // steps_per_epoch
        # Room for as many epochs as the steps can touch, wherever they start; those they do not touch stay unsorted.
        epochs = first_epoch + jnp.arange((n_steps + steps_per_epoch - 2) // steps_per_epoch + 1)
        in_order = lambda epoch: jnp.arange(size, dtype=jnp.int32)  # noqa: E731
        shuffled = lambda epoch: random_order(jax.random.fold_in(key, epoch), size)  # noqa: E731
        orders = jax.lax.map(lambda epoch: jax.lax.cond(epoch <= last_epoch, shuffled, in_order, epoch), epochs)
        batches = orders[:, : steps_per_epoch * self.batch_size].reshape(-1, self.batch_size)
        return jax.lax.dynamic_slice_in_dim(batches, start - first_epoch * steps_per_epoch, n_steps)

    def batch(self, sample: Batch, distribution: SentenceDistribution, entry: jax.Array) -> Batch:
        """Look the rows up."""
        return uniform_batch(sample.sentences[entry], sample.classes[entry])

    def evaluation(self, sample: Batch, distribution: SentenceDistribution, key: jax.Array, size: int) -> Batch:
        """Return the sample, or ``size`` of its sentences spread evenly over the classes if it holds more."""
        total = len(sample.classes)
        kept = min(size, total)
        rows = np.arange(kept, dtype=np.int64) * total // kept
        return uniform_batch(sample.sentences[rows], sample.classes[rows])

    def test(self, sample: Batch, distribution: SentenceDistribution, key: jax.Array, size: int) -> Batch:
        """Draw ``size`` new sentences."""
        return draw_batch(key, distribution, size)


@dataclass(frozen=True, kw_only=True)
class FreshSentences:
    """New sentences at every step, drawn on the device: the large-sample regime.

    Args:
        batch_size: sentences per step.
    """

    batch_size: int = 100
    exact: ClassVar[bool] = False

    def __post_init__(self):
        check_count("batch_size", self.batch_size)

    def steps_per_epoch(self, task: SentenceTask) -> None:
        """There are no epochs."""

    def prepare(self, key: jax.Array, distribution: SentenceDistribution) -> None:
        """Nothing is kept."""

    def plan(self, sample: None, key: jax.Array, start: jax.Array, n_steps: int) -> jax.Array:
        """Return one random key per step."""
        return jax.vmap(jax.random.fold_in, (None, 0))(key, start + jnp.arange(n_steps))

    def batch(self, sample: None, distribution: SentenceDistribution, entry: jax.Array) -> Batch:
        """Draw the sentences of a step."""
        return draw_batch(entry, distribution, self.batch_size)

    def evaluation(self, sample: None, distribution: SentenceDistribution, key: jax.Array, size: int) -> Batch:
        """Draw ``size`` further sentences."""
        return draw_batch(key, distribution, size)

    def test(self, sample: None, distribution: SentenceDistribution, key: jax.Array, size: int) -> Batch:
        """Draw ``size`` further sentences."""
        return draw_batch(key, distribution, size)


@dataclass(frozen=True, kw_only=True)
class Population:
    """Every sentence with its probability: full-batch descent on the population risk itself."""

    exact: ClassVar[bool] = True

    def steps_per_epoch(self, task: SentenceTask) -> None:
        """There are no epochs: each step sees everything."""

    def prepare(self, key: jax.Array, distribution: SentenceDistribution) -> Batch:
        """Enumerate the population."""
        return Batch(*enumerate_sentences(distribution))

    def plan(self, sample: Batch, key: jax.Array, start: jax.Array, n_steps: int) -> jax.Array:
        """Return as many entries as steps; they say nothing."""
        return jnp.zeros(n_steps)

    def batch(self, sample: Batch, distribution: SentenceDistribution, entry: jax.Array) -> Batch:
        """Return the whole population."""
        return sample

    def evaluation(self, sample: Batch, distribution: SentenceDistribution, key: jax.Array, size: int) -> Batch:
        """Return the whole population."""
        return sample

    def test(self, sample: Batch, distribution: SentenceDistribution, key: jax.Array, size: int) -> Batch:
        """Return the whole population."""
        return sample


Source = FixedSample | FreshSentences | Population
