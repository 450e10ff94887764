"""Linear layers without biases, with random, balanced or aligned initial weights."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

if TYPE_CHECKING:
    from jaxtyping import Array, Float


class DeepLinear(nnx.Module):
    """``W_N .. W_1``.

    Args:
        sizes: ``N + 1`` widths, from the inputs to the outputs.
        start: ``random``, ``balanced`` or ``aligned``, see :class:`simlab.networks.specs.deep_linear.DeepLinear`.
        target: ``Float[P, K]``, whose singular vectors are those of an aligned start.
        initial_scale: standard deviation of the entries of a random start. May be traced.
        initial_strength: ``a_0``, singular value of the map of a balanced start. May be traced.
        dtype: of the weights.
        rngs: the stream ``params`` is used.
    """

    def __init__(
        self,
        *,
        sizes: tuple[int, ...],
        start: str,
        target: np.ndarray,
        initial_scale: jax.Array | float,
        initial_strength: jax.Array | float,
        dtype: jnp.dtype,
        rngs: nnx.Rngs,
    ):
        if start == "random":
            shapes = [(rows, columns) for columns, rows in pairwise(sizes)]
            ends = np.cumsum([rows * columns for rows, columns in shapes])
            # One draw for all layers compiles faster than one each.
            entries = initial_scale * jax.random.normal(rngs.params(), (int(ends[-1]),), dtype)
            weights = [part.reshape(shape) for part, shape in zip(jnp.split(entries, ends[:-1]), shapes, strict=True)]
        else:
            rank = min(sizes)
            if start == "aligned":
                left, _, right = np.linalg.svd(target, full_matrices=False)
                first, last = (jnp.asarray(end[:, :rank], dtype) for end in (right.T, left))
            else:
                first, last = (_frames(rngs, (size, rank), dtype) for size in (sizes[0], sizes[-1]))
            hidden = _frames(rngs, (len(sizes) - 2, sizes[1], rank), dtype) if len(sizes) > 2 else []
            frames = [first, *hidden, last]
            layer = jnp.asarray(initial_strength, dtype) ** (1 / (len(sizes) - 1))
            weights = [layer * after @ before.T for before, after in pairwise(frames)]
        self.layers = nnx.Dict({f"layer_{number}": nnx.Param(matrix) for number, matrix in enumerate(weights, 1)})

    def weights(self) -> list[Float[Array, "n_out n_in"]]:
        """Return the weight matrices ``W_1 .. W_N``."""
        return [self.layers[f"layer_{number}"][...] for number in range(1, len(self.layers) + 1)]


def _frames(rngs: nnx.Rngs, shape: tuple[int, ...], dtype: jnp.dtype) -> Float[Array, "*batch size rank"]:
    """Return matrices with random orthonormal columns."""
    return jnp.linalg.qr(jax.random.normal(rngs.params(), shape, dtype))[0]
