"""Samples with soft labels: each class has a distribution over all labels, as for confusable classes.

On a tree the distributions depend on the distance of two leaves; on a circle they mix neighbours.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from simlab.sizes import check_array
from simlab.tasks.batch import AnyArray, Batch
from simlab.tasks.labelled_samples import LabelledSamples, LabelledTask
from simlab.validation import check_count, invalid

if TYPE_CHECKING:
    from jaxtyping import Float

# Rows of targets sum to 1 up to decimal rounding.
ROUNDING = 1e-9


class SoftLabels(NamedTuple):
    """A realisation of :class:`SoftLabelTask`. A pytree of arrays.

    Attributes:
        labels: ``Int32[N, 1]``, the class of each sample.
        inputs: ``Float[N, p]``, or None where features are free.
        targets: ``Float[K, K]``, row ``k`` is the distribution of the label in class ``k``.
    """

    labels: AnyArray
    inputs: AnyArray | None
    targets: AnyArray

    def population(self) -> Batch:
        """Return all samples with equal weights."""
        return LabelledSamples(self.labels, self.inputs).population()


@dataclass(frozen=True, kw_only=True)
class SoftLabelTask(LabelledTask):
    """Classes of equally many samples, each with a distribution over labels.

    Args:
        factor_sizes: ``K``, the number of classes.
        samples_per_cell: ``n``, the samples of each class.
        targets: ``K`` rows of ``K`` probabilities; may vary without a new compilation.

    Raises:
        ValueError: a field is out of range; the message names it.
    """

    targets: tuple[tuple[float, ...], ...] = ()

    def __post_init__(self):
        super().__post_init__()
        rows = np.array(self.targets, dtype=float)
        if rows.shape != (self.n_classes, self.n_classes):
            raise invalid("targets", f"{self.n_classes} rows of {self.n_classes} probabilities", rows.shape)
        if not np.all(rows >= 0) or np.abs(rows.sum(axis=1) - 1).max() > ROUNDING:
            raise invalid("targets", "rows of probabilities that sum to 1", rows.min(axis=1).tolist())

    @property
    def compile_key(self) -> SoftLabelTask:
        """The task without its probabilities, which are data to the compiled code."""
        return replace(self, targets=as_rows(np.eye(self.n_classes)))

    def sample(self, seed: int) -> SoftLabels:
        """Return labels, the inputs drawn with ``seed`` if there are any, and targets; NumPy arrays."""
        return SoftLabels(*super().sample(seed), np.array(self.targets))

    def abstract(self) -> SoftLabels:
        """Return arrays with the shapes and types of a realisation."""
        return SoftLabels(*super().abstract(), np.array(self.targets))


def as_rows(matrix: Float[np.ndarray, "K K"]) -> tuple[tuple[float, ...], ...]:
    """Return a matrix as a tuple of rows, which is hashable."""
    return tuple(map(tuple, matrix.tolist()))


def tree_targets(branching: int, depth: int, level_eigenvalues: Sequence[float]) -> Float[np.ndarray, "K K"]:
    """Return the label distributions of the leaves of a balanced tree; confusion depends on the tree distance alone.

    ``P = E_0 + sum_l lambda_l (E_l - E_{l-1})``, ``E_l`` the average over the leaves below each node of depth ``l``.

    Args:
        branching: ``b``, at least 2.
        depth: ``D``, at least 1.
        level_eigenvalues: ``lambda_1 .. lambda_D``.

    Raises:
        ValueError: a field is out of range; the message names it.
    """
    check_count("branching", branching, 2)
    n_leaves = branching ** check_count("depth", depth, maximum=30)
    check_array("targets", 8, leaves=n_leaves, n_leaves=n_leaves)
    if len(level_eigenvalues) != depth:
        raise invalid("level_eigenvalues", f"{depth} numbers, one for each level", len(level_eigenvalues))
    means = []
    for level in range(depth + 1):
        below = branching ** (depth - level)
        means.append(np.kron(np.eye(n_leaves // below), np.full((below, below), 1 / below)))
    levels = zip(level_eigenvalues, means[1:], means, strict=False)
    return means[0] + sum(value * (fine - coarse) for value, fine, coarse in levels)


def cyclic_targets(n_classes: int, confusion: float) -> Float[np.ndarray, "K K"]:
    """Return the label distributions of classes on a circle: ``1 - 2 e`` for the class, ``e`` for either neighbour.

    Args:
        n_classes: ``K``, at least 3.
        confusion: ``e``, from 0 to 1/2.

    Raises:
        ValueError: a field is out of range; the message names it.
    """
    check_count("n_classes", n_classes, 3)
    if not 0 <= confusion <= 0.5:
        raise invalid("cyclic_confusion", "a number from 0 to 0.5", confusion)
    classes = np.arange(n_classes)
    steps = (classes - classes[:, None]) % n_classes
    return (
        np.where(steps == 0, 1 - 2 * confusion, 0.0) + confusion * (steps == 1) + confusion * (steps == n_classes - 1)
    )
