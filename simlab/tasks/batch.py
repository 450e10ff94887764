"""Batches of labelled examples, the input of networks and losses."""

from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias, TypeVar

if TYPE_CHECKING:
    import jax
    import numpy as np

Examples = TypeVar("Examples")

# A NumPy array on the host, a JAX array in compiled code.
AnyArray: TypeAlias = Any


class Batch(NamedTuple):
    """Labelled examples.

    Attributes:
        inputs: input of the network: sentences, ``Int32[B, L]`` word numbers, or vectors, ``Float[B, p]``.
        classes: ``Int32[B]``, or ``Int32[B, F]`` where examples carry a label for each of several factors.
        weights: ``Float`` of the shape of ``classes``, which sum to 1 over the batch for each factor; None means
            ``1/B`` for each example.
    """

    inputs: AnyArray
    classes: AnyArray
    weights: AnyArray = None


def weighted(batch: Batch) -> Batch:
    """Return a batch with explicit weights."""
    if batch.weights is not None:
        return batch
    import jax.numpy as jnp

    return batch._replace(weights=jnp.full(batch.classes.shape, 1 / len(batch.classes)))


def batch_size(examples) -> int:
    """Return the number of examples in a batch, a pytree of arrays with a common leading axis."""
    import jax

    return len(jax.tree.leaves(examples)[0])


def take(examples: Examples, rows: "jax.Array | np.ndarray") -> Examples:
    """Return the given rows of a batch of equally likely examples; the weights of a :class:`Batch` are dropped."""
    import jax

    if isinstance(examples, Batch):
        examples = examples._replace(weights=None)
    return jax.tree.map(lambda leaf: leaf[rows], examples)
