"""A two-layer ReLU network for two labels, with fixed signs as its second layer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

if TYPE_CHECKING:
    from jaxtyping import Array, Float


class SignedReLU(nnx.Module):
    """``f(x) = (1/h) sum_j s_j relu(w_j . x)`` with ``s_j`` = 1 for the first half of the ``h`` units, else -1.

    Args:
        input_dim: ``d``.
        n_hidden: ``h``, even.
        initial_scale: root-mean-square norm of the ``w_j``, which are normal. May be traced.
        dtype: of the weights.
        rngs: the stream ``params`` is used.
    """

    def __init__(
        self,
        *,
        input_dim: int,
        n_hidden: int,
        initial_scale: jax.Array | float = 1.0,
        dtype: jnp.dtype = jnp.float32,
        rngs: nnx.Rngs,
    ):
        normal = jax.random.normal(rngs.params(), (n_hidden, input_dim), dtype)
        self.weights = nnx.Param(initial_scale / input_dim**0.5 * normal)

    def __call__(self, inputs: Float[Array, "B d"]) -> Float[Array, " B"]:
        """Return ``f`` of each input; its sign is the predicted label."""
        weights = self.weights[...]
        signs = unit_signs(len(weights)).astype(weights.dtype)
        return jax.nn.relu(inputs @ weights.T) @ (signs / len(weights))


def unit_signs(n_hidden: int) -> Float[np.ndarray, " h"]:
    """Return the signs of the second layer."""
    return np.where(np.arange(n_hidden) < n_hidden // 2, 1.0, -1.0)
