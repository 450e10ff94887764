"""Labelled samples: the task of neural collapse, in which features are free.

Each sample has a value of each of ``F`` *factors*; one factor gives ordinary classes. The *cells* of the full factorial
design have a given number of samples each. Features are free (one vector per sample, the unconstrained features of Zhu
et al., arXiv 2105.02375) or the output of a network on random inputs, independent of the labels.
"""

import math
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np

from simlab.sizes import check_array, check_int32
from simlab.tasks.batch import AnyArray, Batch
from simlab.tasks.task import Task
from simlab.validation import check_count, invalid


class LabelledSamples(NamedTuple):
    """A realisation of :class:`LabelledTask`. A pytree of arrays.

    Attributes:
        labels: ``Int32[N, F]``, the value of each factor.
        inputs: ``Float[N, p]``, or None where features are free.
    """

    labels: AnyArray
    inputs: AnyArray | None

    def population(self) -> Batch:
        """Return all samples with equal weights; the inputs of free features are the numbers of the samples."""
        import jax.numpy as jnp

        n_samples, n_factors = self.labels.shape
        inputs = jnp.arange(n_samples, dtype=jnp.int32) if self.inputs is None else self.inputs
        labels = jnp.asarray(self.labels)
        classes = labels[:, 0] if n_factors == 1 else labels
        return Batch(inputs, classes, jnp.full(classes.shape, 1 / n_samples))


@dataclass(frozen=True, kw_only=True)
class LabelledTask(Task):
    """The static part of the task: its factors, and the number of samples of each cell.

    Args:
        factor_sizes: ``K_f``, the number of values of each factor, at least 2; a single number means one factor, the
            classes.
        samples_per_cell: number of samples for each combination of values, the last factor varying fastest, or one
            number for all; for a single factor ``n_k``, the samples of each class.
        input_dim: ``p``, the dimension of the random inputs; None where features are free.

    Raises:
        ValueError: a field is out of range; the message names it.
    """

    # Any: a number or a sequence is accepted, a tuple is stored.
    factor_sizes: Any = 10
    samples_per_cell: Any = 100
    input_dim: int | None = None
    can_draw: ClassVar[bool] = False

    def __post_init__(self):
        sizes = (self.factor_sizes,) if np.ndim(self.factor_sizes) == 0 else tuple(self.factor_sizes)
        object.__setattr__(self, "factor_sizes", tuple(check_count("factor_sizes", size, 2) for size in sizes))
        if not self.factor_sizes:
            raise invalid("factor_sizes", "at least one factor", self.factor_sizes)
        n_cells, given = math.prod(self.factor_sizes), self.samples_per_cell
        cells = "n_classes" if len(self.factor_sizes) == 1 else "factor_sizes"
        check_int32(cells, n_cells, "classes")
        check_array("list of samples per class", 16, **{cells: n_cells})
        counts = (given,) * n_cells if np.ndim(given) == 0 else tuple(given)
        if len(counts) != n_cells:
            raise invalid("samples_per_class", f"{n_cells} numbers, or one for all", len(counts))
        counts = tuple(check_count("samples_per_class", count) for count in counts)
        object.__setattr__(self, "samples_per_cell", counts)
        check_int32("samples_per_class", sum(counts), "samples")
        sizes = {cells: n_cells, "samples_per_class": -(-sum(counts) // n_cells)}
        check_array("labels", 4 * len(self.factor_sizes), **sizes)
        if self.input_dim is not None:
            check_count("input_dim", self.input_dim)
            check_array("inputs", 8, input_dim=self.input_dim, **sizes)

    @property
    def n_examples(self) -> int:
        """``N``, the number of samples."""
        return sum(self.samples_per_cell)

    @property
    def n_classes(self) -> int:
        """The number of rows of the classifier: the values of all factors."""
        return sum(self.factor_sizes)

    @property
    def heads(self) -> tuple[int, ...] | None:
        """The sizes of the classifier's heads, one per factor, or None for a single head."""
        return self.factor_sizes if len(self.factor_sizes) > 1 else None

    @property
    def labels(self) -> np.ndarray:
        """``Int32[N, F]``, the value of each factor for each sample, cell by cell."""
        cells = np.stack(np.unravel_index(np.arange(len(self.samples_per_cell)), self.factor_sizes), axis=1)
        return np.repeat(cells.astype(np.int32), self.samples_per_cell, axis=0)

    def sample(self, seed: int) -> LabelledSamples:
        """Return labels and, where features are not free, standard normal inputs drawn with ``seed``; NumPy arrays."""
        if self.input_dim is None:
            return LabelledSamples(self.labels, None)
        inputs = np.random.default_rng(seed).standard_normal((self.n_examples, self.input_dim))
        return LabelledSamples(self.labels, inputs)

    def abstract(self) -> LabelledSamples:
        """Return arrays with the shapes and types of a realisation, without allocating them."""
        labels = np.broadcast_to(np.int32(0), (self.n_examples, len(self.factor_sizes)))
        inputs = None if self.input_dim is None else np.broadcast_to(1.0, (self.n_examples, self.input_dim))
        return LabelledSamples(labels, inputs)

    def population(self, data: LabelledSamples) -> Batch:
        """Return all samples with equal weights."""
        return data.population()

    def groups(self, data: LabelledSamples) -> tuple:
        """Return the cell of each sample, ``Int[N]``, the group of each classifier row, ``Int[K]``, and their number.

        For one factor the cells are the classes. Each row of the classifier is a group by itself.
        """
        cells = np.repeat(np.arange(len(self.samples_per_cell)), self.samples_per_cell)
        return cells, np.arange(self.n_classes), max(len(self.samples_per_cell), self.n_classes)
