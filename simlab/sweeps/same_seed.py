"""Rows that share a seed: what depends on the seed alone, such as random numbers, is computed once for all of them."""

import math
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from simlab.sizes import largest_divisor
from simlab.sweeps.layout import Layout
from simlab.sweeps.members import Inputs
from simlab.sweeps.row_blocks import largest_block, select_rows
from simlab.sweeps.rows import Rows
from simlab.training.run_state import Problem
from simlab.training.spec import TrainingSpec

# The mapped axis of the rows that share a seed.
SAME_SEED = "same seed"


class SameSeed:
    """What rows that share a seed have in common, within the computation of one of them.

    Args:
        layout: tells how many consecutive rows share a seed, and whether they share the task.
    """

    def __init__(self, layout: Layout):
        self._is_shared = layout.same_seed > 1
        task = None if layout.same_task else 0
        inputs: dict[str, Any] = {"seeds": None, "data": task, "hyperparameters": 0}
        self.input_axes = Inputs(**inputs)
        of_task = dict.fromkeys(("data", "sample", "pretraining_samples"), task)
        keys = dict.fromkeys(("batch_key", "evaluation_key", "loss_key"))
        axes: dict[str, Any] = {**of_task, **keys, "untrained": 0}
        self.run_axes = (Problem(**axes), 0, self.input_axes)

    def segment_number(self, row: Rows) -> jax.Array:
        """Return the number of segments that a running row has taken, which is that of all that share its seed."""
        return jax.lax.pmax(row.segments, SAME_SEED) if self._is_shared else row.segments

    def where(self, condition: jax.Array, compute: Callable, otherwise):
        """Return ``compute()`` for the rows that meet a condition, else ``otherwise``.

        Rows that share a seed compute together if any meets it. A conditional on each row would make every operand one
        of the row, so that nothing is shared.
        """
        if not self._is_shared:
            return jax.lax.cond(condition, compute, lambda: otherwise)
        any_meets = jax.lax.pmax(condition.astype(jnp.int32), SAME_SEED) > 0
        return select_rows(condition, jax.lax.cond(any_meets, compute, lambda: otherwise), otherwise)


def on_same_seed(function: Callable, axes: tuple, size: int) -> Callable:
    """Map a function of one member over rows, of which each ``size`` consecutive ones share a seed.

    What a computation derives from shared arguments alone, such as random numbers, is computed once for these rows,
    and products with a shared operand become one product.

    Args:
        function: a function of one member, which may use collectives over the axis ``SAME_SEED``.
        axes: as ``in_axes`` of ``jax.vmap``; an argument with axis None is taken from the first of the rows.
        size: number of rows that share a seed.
    """
    alike = jax.vmap(function, in_axes=axes, axis_name=SAME_SEED)

    def on_one_seed(*arguments):
        first = lambda axis, part: part if axis == 0 else jax.tree.map(lambda leaf: leaf[0], part)  # noqa: E731
        return alike(*jax.tree.map(first, axes, arguments, is_leaf=lambda axis: axis is None))

    def mapped(*arguments):
        if len(jax.tree.leaves(arguments)[0]) == size:
            return on_one_seed(*arguments)
        by_seed = jax.tree.map(lambda leaf: leaf.reshape(-1, size, *leaf.shape[1:]), arguments)
        return jax.tree.map(lambda leaf: leaf.reshape(-1, *leaf.shape[2:]), jax.vmap(on_one_seed)(*by_seed))

    return mapped


def rows_of_a_seed(spec: TrainingSpec, per_device: int, n_cells: int, *, at_most: int) -> int:
    """Return how many rows of one seed stand together, so that random numbers are drawn once for all of them.

    It divides the number of cells and is at most a block. The rows of a device become a multiple of it: more of them,
    or fewer if there is no room for more, but by at most one in 16.

    Args:
        spec: of the members.
        per_device: rows of a device.
        n_cells: members of each seed.
        at_most: the most rows of a device.
    """
    size = largest_divisor(n_cells, largest_block(spec, per_device))
    while abs(rounded_rows(per_device, size, at_most) - per_device) > per_device / 16:
        size = largest_divisor(n_cells, size - 1)  # ends at 1, which changes no rows
    return size


def rounded_rows(per_device: int, unit: int, at_most: int) -> int:
    """Return the rows of a device as a multiple of ``unit``: rounded up, or down if that is more than ``at_most``."""
    above = math.ceil(per_device / unit) * unit
    return above if above <= at_most else per_device // unit * unit
