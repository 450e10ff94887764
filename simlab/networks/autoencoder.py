"""The autoencoder with tied weights of *Toy Models of Superposition* (Elhage et al., 2022)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import jax
import jax.numpy as jnp
from flax import nnx

if TYPE_CHECKING:
    from jaxtyping import Array, Float


class Autoencoder(nnx.Module):
    """``x' = relu(W^T W x + b)``, or the same without the ReLU.

    Args:
        n_features: ``n``.
        n_hidden: ``m``.
        nonlinearity: ``relu`` or ``linear``.
        initial_scale: root-mean-square norm of the columns of ``W``, which are normal; ``b`` is zero initially. May be
            traced.
        dtype: of the weights.
        rngs: the stream ``params`` is used.
    """

    def __init__(
        self,
        *,
        n_features: int,
        n_hidden: int,
        nonlinearity: str = "relu",
        initial_scale: jax.Array | float = 1.0,
        dtype: jnp.dtype = jnp.float32,
        rngs: nnx.Rngs,
    ):
        normal = jax.random.normal(rngs.params(), (n_hidden, n_features), dtype)
        self.weights = nnx.Param(initial_scale / n_hidden**0.5 * normal)
        self.bias = nnx.Param(jnp.zeros(n_features, dtype))
        self.nonlinearity = nonlinearity

    def __call__(self, inputs: Float[Array, "n B"]) -> Float[Array, "n B"]:
        """Return the reconstruction of inputs, given as columns."""
        weights = self.weights[...]
        n_hidden, n_features = weights.shape
        # Value and gradient take 2 n^2 products per input with the matrix W^T W, and 5 n m without.
        has_cheap_square = 2 * n_features <= 5 * n_hidden
        products = (weights.T @ weights) @ inputs if has_cheap_square else weights.T @ (weights @ inputs)
        outputs = products + self.bias[...][:, None]
        return jax.nn.relu(outputs) if self.nonlinearity == "relu" else outputs
