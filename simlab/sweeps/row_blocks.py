"""The rows of one device: the size of a vmapped block, and functions mapped over rows block by block."""

import math
import sys
from collections.abc import Callable

import jax
import jax.numpy as jnp

from simlab.runtime.devices import platform
from simlab.training.spec import LINE_SEARCH_OPTIMIZERS, TrainingSpec
from simlab.training.trainer import count_weights

# On a CPU core the weights of the members of a block must fit its cache, 1 MB in float32: more members would evict each
# other at every step.
CACHED_WEIGHTS = 250_000
LARGEST_BLOCK = 16


def run_sequentially(spec: TrainingSpec) -> bool:
    """Return whether members run sequentially, as on a CPU with an optimiser that does line searches.

    Under vmap each member would wait for the longest search and compute both branches of every conditional. Run
    sequentially, a row whose member has stopped costs nothing.
    """
    has_line_search = any(stage.optimizer in LINE_SEARCH_OPTIMIZERS for stage in spec.stages)
    return has_line_search and platform() == "cpu"


def largest_block(spec: TrainingSpec, per_device: int) -> int:
    """Return the most members of a block: on a CPU at most as many as fit its cache, and 1 for line searches."""
    if run_sequentially(spec):
        return 1
    fitting = min(LARGEST_BLOCK, CACHED_WEIGHTS // count_weights(spec)) if platform() == "cpu" else per_device
    return max(1, min(per_device, fitting))


def members_side_by_side(spec: TrainingSpec, per_device: int, at_most: int = sys.maxsize, unit: int = 1) -> int:
    """Return the number of members of a block: the most, or slightly fewer.

    Args:
        spec: of the members.
        per_device: rows of a device.
        at_most: the most that memory allows.
        unit: a divisor of ``per_device``; the block is a multiple of it.
    """
    largest = max(1, min(largest_block(spec, per_device), at_most) // unit)
    n_units = per_device // unit
    n_blocks = math.ceil(n_units / largest)
    # Somewhat smaller blocks of equal size are better than an overlap, whose rows are computed twice.
    n_blocks = next((number for number in range(n_blocks, 2 * n_blocks) if n_units % number == 0), n_blocks)
    return unit * math.ceil(n_units / n_blocks)


def on_single_row(function: Callable) -> Callable:
    """Map a function over a leading axis of length 1 by indexing, which simplifies compiled gathers and scatters."""

    def mapped(*arguments):
        return jax.tree.map(lambda leaf: leaf[None], function(*jax.tree.map(lambda leaf: leaf[0], arguments)))

    return mapped


def in_blocks(function: Callable, size: int, *, in_place: bool) -> Callable:
    """Map a function of blocks over a leading axis, one block after the other.

    All blocks have the same size; if it does not divide the number of rows, the last block overlaps the previous one,
    whose results are used for the rows in both. With ``in_place`` the results overwrite the second argument.
    """

    def mapped(*arguments):
        n_rows = len(jax.tree.leaves(arguments)[0])
        n_blocks = math.ceil(n_rows / size)
        if n_blocks == 1:
            return function(*arguments)
        surplus = n_blocks * size - n_rows

        def block(number, rows):
            return jax.tree.map(lambda leaf: jax.lax.dynamic_slice_in_dim(leaf, number * size, size), rows)

        def overwrite(number, rows):
            before = block(number, rows)
            after = function(*block(number, arguments[:1]), before, *block(number, arguments[2:]))
            if surplus:
                is_due = (jnp.arange(size) >= surplus) | (number < n_blocks - 1)
                after = jax.vmap(select_rows)(is_due, after, before)
            place = lambda leaf, part: jax.lax.dynamic_update_slice_in_dim(leaf, part, number * size, 0)  # noqa: E731
            return jax.tree.map(place, rows, after)

        def join(leaf):
            flat = leaf.reshape(n_blocks * size, *leaf.shape[2:])
            last = (n_blocks - 1) * size
            return jnp.concatenate([flat[:last], flat[last + surplus :]]) if surplus else flat

        if in_place:
            return jax.lax.fori_loop(0, n_blocks, overwrite, arguments[1])
        return jax.tree.map(join, jax.lax.map(lambda number: function(*block(number, arguments)), jnp.arange(n_blocks)))

    return mapped


def select_rows(is_new: jax.Array, new, old):
    """Return one row from the new tree if ``is_new``, else from the old one."""
    return jax.tree.map(lambda replacement, leaf: jnp.where(is_new, replacement, leaf), new, old)
