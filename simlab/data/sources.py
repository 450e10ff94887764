"""Three sources of training data: a fixed sample, fresh examples, and the whole population.

A source has the following methods. The last five are pure functions of arrays, so that training can be compiled and
vmapped:

``check(task)``
    raises ``ValueError`` unless the task can supply the source;
``steps_per_epoch(task)``
    returns the number of steps in one pass, or None if there are no passes;
``prefetch_steps(task, n_steps, buffer_size)``
    returns the number of steps prefetched by one plan within a buffer of ``buffer_size`` numbers, a divisor of
    ``n_steps``;
``prepare(task, key, data)``
    returns the sample, which is constant over the run;
``plan(task, sample, data, key, start, n_steps)``
    returns an entry for each of the steps ``start .. start + n_steps - 1``, on a leading axis;
``batch(sample, entry)``
    returns the examples of a step;
``evaluation(task, sample, data, key, size)``
    returns the examples on which training metrics are measured;
``held_out(task, name, sample, data, key, size)``
    returns the examples of another evaluation set; the population is its own test set, without sampling error
    (``is_population``).

``is_whole`` is true if each step uses the whole training set, so that training minimises one fixed risk. ``is_fixed``
is true if there is a fixed training set.

No state is carried from step to step: the order of an epoch is determined by its number, so that a run may be cut
anywhere. A plan is made before its steps, so that these form a loop of known length, which compiles to faster code than
a loop that ends with an epoch.

A source is part of a specification, which is checked before JAX is imported. The computations are therefore in
:mod:`simlab.data.batches`, which is imported on demand.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from simlab.sizes import largest_divisor
from simlab.tasks.batch import batch_size, take
from simlab.tasks.task import Task, overrides
from simlab.validation import check_count, invalid

if TYPE_CHECKING:
    import jax

# A draw launches about fifty kernels, few compared with those of this many steps: prefetching more saves nothing.
MOST_PREFETCHED_STEPS = 128


@dataclass(frozen=True, kw_only=True)
class FixedSample:
    """A sample of ``n_examples`` examples, drawn once and shuffled at each epoch, without an incomplete last batch.

    Args:
        n_examples: size of the sample.
        batch_size: examples per step, or ``"all"`` for the whole sample at each step.
    """

    n_examples: int
    batch_size: int | str = 100
    is_population: ClassVar[bool] = False
    is_fixed: ClassVar[bool] = True

    def __post_init__(self):
        check_count("n_examples", self.n_examples)
        if isinstance(self.batch_size, str) and not self.is_whole:
            raise invalid("batch_size", "a whole number of at least 1, or all", self.batch_size)
        if not self.is_whole:
            check_count("batch_size", self.batch_size)

    @property
    def is_whole(self) -> bool:
        """Whether each step uses the whole training set."""
        return self.batch_size == "all"

    @property
    def examples_per_step(self) -> int:
        """The number of examples per step."""
        return self.n_examples if isinstance(self.batch_size, str) else self.batch_size

    def check(self, task: Task) -> None:
        """Raise ``ValueError`` if the task cannot be drawn from, or a batch is larger than the sample."""
        _check_drawable(task, "draw", "draw_sample")
        _check_evaluations(task, task.evaluations)
        if self.examples_per_step > self.n_examples:
            raise invalid("batch_size", f"at most the {self.n_examples} examples of the sample", self.batch_size)

    def steps_per_epoch(self, task: Task) -> int:
        """Return the number of full batches in the sample."""
        return self.n_examples // self.examples_per_step

    def prepare(self, task: Task, key: "jax.Array", data: Any) -> Any:
        """Draw the sample."""
        return task.draw_sample(key, data, self.n_examples)

    def prefetch_steps(self, task: Task, n_steps: int, buffer_size: int) -> int:
        """Return ``n_steps``, so that an epoch is shuffled once."""
        return n_steps

    def plan(self, task: Task, sample: Any, data: Any, key: "jax.Array", start: "jax.Array", n_steps: int):
        """Return the rows of each step, ``Int32[n_steps, batch_size]``; an epoch is a permutation of the sample."""
        from simlab.data.batches import no_entries, shuffled_batches

        if self.is_whole:
            return no_entries(n_steps)
        return shuffled_batches(batch_size(sample), self.examples_per_step, key, start, n_steps)

    def batch(self, sample: Any, entry: "jax.Array") -> Any:
        """Return the rows of a step, or the whole sample."""
        return sample if self.is_whole else take(sample, entry)

    def evaluation(self, task: Task, sample: Any, data: Any, key: "jax.Array", size: int) -> Any:
        """Return the sample, or ``size`` evenly spaced examples of it if it has more."""
        total = batch_size(sample)
        n_rows = min(size, total)
        return take(sample, np.arange(n_rows, dtype=np.int64) * total // n_rows)

    def held_out(self, task: Task, name: str, sample: Any, data: Any, key: "jax.Array", size: int) -> Any:
        """Draw ``size`` examples of an evaluation set."""
        return task.draw_evaluation(name, key, data, size)


@dataclass(frozen=True, kw_only=True)
class FreshExamples:
    """New examples at every step, drawn on the device: the large-sample regime.

    Args:
        batch_size: examples per step.
    """

    batch_size: int = 100
    is_population: ClassVar[bool] = False
    is_fixed: ClassVar[bool] = False
    is_whole: ClassVar[bool] = False

    def __post_init__(self):
        check_count("batch_size", self.batch_size)

    def check(self, task: Task) -> None:
        """Raise ``ValueError`` if the task cannot be drawn from."""
        _check_drawable(task, "draw")
        _check_evaluations(task, task.evaluations)

    def steps_per_epoch(self, task: Task) -> None:
        """Return None, as there are no epochs."""

    def prepare(self, task: Task, key: "jax.Array", data: Any) -> None:
        """Return None, as there is no fixed sample."""

    def prefetch_steps(self, task: Task, n_steps: int, buffer_size: int) -> int:
        """Return as many steps as fit the buffer, as draws of several steps together need few kernel launches."""
        fitting = max(1, min(MOST_PREFETCHED_STEPS, buffer_size // (self.batch_size * task.example_size)))
        return largest_divisor(n_steps, fitting)

    def plan(self, task: Task, sample: None, data: Any, key: "jax.Array", start: "jax.Array", n_steps: int):
        """Draw the examples of each step, on a leading axis."""
        from simlab.data.batches import draw_batches

        return draw_batches(task, key, data, self.batch_size, start, n_steps)

    def batch(self, sample: None, entry: Any) -> Any:
        """Return the examples of a step."""
        return entry

    def evaluation(self, task: Task, sample: None, data: Any, key: "jax.Array", size: int) -> Any:
        """Draw ``size`` new examples."""
        return task.draw(key, data, size)

    def held_out(self, task: Task, name: str, sample: None, data: Any, key: "jax.Array", size: int) -> Any:
        """Draw ``size`` examples of an evaluation set."""
        return task.draw_evaluation(name, key, data, size)


@dataclass(frozen=True, kw_only=True)
class Population:
    """Every example with its probability: full-batch training on the population risk."""

    is_population: ClassVar[bool] = True
    is_fixed: ClassVar[bool] = True
    is_whole: ClassVar[bool] = True

    def check(self, task: Task) -> None:
        """Raise ``ValueError`` unless the task defines its population."""
        if not overrides(task, "population"):
            raise invalid("source", f"fixed or fresh, as {type(task).__name__} has no population", "population")
        _check_evaluations(task, [name for name in task.evaluations if name != "test"])

    def steps_per_epoch(self, task: Task) -> None:
        """Return None, as each step uses the whole population."""

    def prepare(self, task: Task, key: "jax.Array", data: Any) -> Any:
        """Return the population."""
        return task.population(data)

    def prefetch_steps(self, task: Task, n_steps: int, buffer_size: int) -> int:
        """Return ``n_steps``, as all steps are the same."""
        return n_steps

    def plan(self, task: Task, sample: Any, data: Any, key: "jax.Array", start: "jax.Array", n_steps: int):
        """Return placeholder entries, one for each step."""
        from simlab.data.batches import no_entries

        return no_entries(n_steps)

    def batch(self, sample: Any, entry: "jax.Array") -> Any:
        """Return the whole population."""
        return sample

    def evaluation(self, task: Task, sample: Any, data: Any, key: "jax.Array", size: int) -> Any:
        """Return the whole population."""
        return sample

    def held_out(self, task: Task, name: str, sample: Any, data: Any, key: "jax.Array", size: int) -> Any:
        """Return the whole population as the test set, and draw ``size`` examples of any other set."""
        return sample if name == "test" else task.draw_evaluation(name, key, data, size)


def _check_drawable(task: Task, *methods: str) -> None:
    """Raise ``ValueError`` for a task that cannot be drawn from, or that has none of the methods that draw."""
    if not task.can_draw:
        raise invalid("source", f"the population, as {type(task).__name__} has no other examples", "a sample of it")
    if not any(overrides(task, method) for method in methods):
        raise invalid("task", f"one with a method {' or '.join(methods)}", type(task).__name__)


def _check_evaluations(task: Task, drawn: Sequence[str]) -> None:
    """Raise ``ValueError`` if a task has evaluation sets to draw but no method that draws them."""
    if drawn and not (overrides(task, "draw") or overrides(task, "draw_evaluation")):
        wanted = f"one with a method draw or draw_evaluation, for the evaluation set {drawn[0]!r}"
        raise invalid("task", wanted, type(task).__name__)


Source = FixedSample | FreshExamples | Population
