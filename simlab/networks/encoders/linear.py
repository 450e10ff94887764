"""The linear encoder of contrastive learning."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
from flax import nnx

from simlab.networks.encoders.pairs import PairEncoder

if TYPE_CHECKING:
    from jaxtyping import Array, Float


class LinearEncoder(PairEncoder):
    """``z = W x``.

    Args:
        n_inputs: ``d``.
        output_dim: ``m``.
        initial_scale: root-mean-square norm of the columns of ``W``, which are normal. May be traced.
        dtype: of the weights.
        rngs: the stream ``params`` is used.
    """

    def __init__(
        self,
        *,
        n_inputs: int,
        output_dim: int,
        initial_scale: jax.Array | float = 1.0,
        dtype: jnp.dtype = jnp.float32,
        rngs: nnx.Rngs,
    ):
        normal = jax.random.normal(rngs.params(), (output_dim, n_inputs), dtype)
        self.weights = nnx.Param(initial_scale / output_dim**0.5 * normal)

    def __call__(self, inputs: Float[Array, "B d"]) -> Float[Array, "B m"]:
        """Return the embeddings of inputs, given as rows."""
        return inputs @ self.weights[...].T

    def representation(self, data: Any) -> dict[str, jax.Array]:
        """Return ``weights``, W."""
        return {"weights": self.weights[...]}
