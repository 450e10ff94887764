"""Split a large batch into chunks, so that intermediate results fit in memory."""

from collections.abc import Callable

import jax
import jax.numpy as jnp

from simlab.tasks.batch import Batch, weighted

# The most numbers, such as logits, in memory while a large set is evaluated: 20 MB in float32, which is enough for the
# whole sample of the paper.
CHUNK_ENTRIES = 5_000_000


def in_chunks(batch: Batch, numbers_per_example: int) -> Batch:
    """Return a batch cut into chunks on a new leading axis; the last chunk is padded with examples of weight zero.

    Args:
        batch: the examples, with explicit weights.
        numbers_per_example: numbers in memory per example while a chunk is evaluated, such as the logits.
    """
    size = len(batch.classes)
    chunk = min(size, max(1, CHUNK_ENTRIES // numbers_per_example))
    padded = jax.tree.map(lambda leaf: jnp.pad(leaf, [(0, -size % chunk)] + [(0, 0)] * (leaf.ndim - 1)), batch)
    return jax.tree.map(lambda leaf: leaf.reshape(-1, chunk, *leaf.shape[1:]), padded)


def summed_gradient(loss: Callable, params, batch: Batch, numbers_per_example: int):
    """Return the gradient of ``loss(params, batch)`` for a batch of any size, in bounded memory.

    Args:
        loss: an additive loss, a weighted sum over the examples of a batch, such as
            :func:`simlab.losses.cross_entropy.cross_entropy`.
        params: the parameters to differentiate with respect to.
        batch: the examples.
        numbers_per_example: numbers in memory per example while the loss is computed, such as the logits.
    """

    def add(total, chunk):
        return jax.tree.map(jnp.add, total, jax.grad(loss)(params, chunk)), None

    zero = jax.tree.map(jnp.zeros_like, params)
    return jax.lax.scan(add, zero, in_chunks(weighted(batch), numbers_per_example))[0]
