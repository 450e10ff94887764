"""The computations of the sources of training data on the device, see :mod:`simlab.data.sources`."""

import math
from typing import Any

import jax
import jax.numpy as jnp

from simlab.tasks.task import Task


def shuffled_batches(size: int, batch_size: int, key: jax.Array, start: jax.Array, n_steps: int) -> jax.Array:
    """Return the rows of a sample of ``size`` examples for each step, ``Int32[n_steps, batch_size]``.

    An epoch is a permutation of the sample, determined by its number; an incomplete last batch is left out.
    """
    steps_per_epoch = size // batch_size
    first_epoch = start // steps_per_epoch
    last_epoch = (start + n_steps - 1) // steps_per_epoch
    # The most epochs that n_steps steps can overlap, for any first step; epochs after the last one are not shuffled.
    epochs = first_epoch + jnp.arange((n_steps + steps_per_epoch - 2) // steps_per_epoch + 1)
    in_order = lambda epoch: jnp.arange(size, dtype=jnp.int32)  # noqa: E731
    shuffled = lambda epoch: random_order(jax.random.fold_in(key, epoch), size)  # noqa: E731
    orders = jax.lax.map(lambda epoch: jax.lax.cond(epoch <= last_epoch, shuffled, in_order, epoch), epochs)
    batches = orders[:, : steps_per_epoch * batch_size].reshape(-1, batch_size)
    return jax.lax.dynamic_slice_in_dim(batches, start - first_epoch * steps_per_epoch, n_steps)


def draw_batches(task: Task, key: jax.Array, data: Any, size: int, start: jax.Array, n_steps: int) -> Any:
    """Return the examples of the steps ``start .. start + n_steps - 1``; each step has its own random key.

    Returns:
        A pytree of arrays with the leading axes ``[n_steps, size]``.
    """
    return jax.vmap(lambda step: task.draw(jax.random.fold_in(key, step), data, size))(start + jnp.arange(n_steps))


def no_entries(n_steps: int) -> jax.Array:
    """Return the plan of identical steps: placeholder entries, one for each step."""
    return jnp.zeros(n_steps)


def random_order(key: jax.Array, size: int) -> jax.Array:
    """Return a random permutation of ``0 .. size - 1``, ``Int32[size]``.

    Random bits with the row number in their low bits are sorted: on a CPU a sort of single numbers is about ten times
    as fast as one of pairs. Rows with equal random bits keep their order; sorts are repeated until less than one row in
    64 is expected to have such a neighbour.
    """
    index_bits = max(1, (size - 1).bit_length())
    n_sorts = math.ceil((index_bits + 6) / (32 - index_bits))
    low = jnp.uint32(2**index_bits - 1)
    rows = jnp.arange(size, dtype=jnp.uint32)
    order = rows
    for sort_key in jax.random.split(key, n_sorts):
        order = order[jnp.sort(jax.random.bits(sort_key, (size,)) & ~low | rows) & low]
    return order.astype(jnp.int32)
