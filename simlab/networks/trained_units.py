"""A two-layer network for two labels with biases and a choice of activations; both layers are trained."""

from __future__ import annotations

from typing import TYPE_CHECKING

import jax
import jax.numpy as jnp
from flax import nnx

from simlab.networks.layers import gelu
from simlab.tasks.signed_features import SignedLaw, feature_weights

if TYPE_CHECKING:
    from jaxtyping import Array, Float

ACTIVATIONS = {
    "relu": jax.nn.relu,
    "gelu": gelu,
    "sigmoid": jax.nn.sigmoid,
    "tanh": jnp.tanh,
    "linear": lambda values: values,
}


class TrainedUnits(nnx.Module):
    """``f(x) = sum_k a_k phi(w_k . x + b_k) + c``; initial weights are uniform in +-1/sqrt(fan-in), times a scale.

    Args:
        input_dim: ``p``.
        n_hidden: ``m``.
        activation: a name in ``ACTIVATIONS``.
        initial_scale: factor on the initial weights. May be traced.
        dtype: of the weights.
        rngs: the stream ``params`` is used.
    """

    def __init__(
        self,
        *,
        input_dim: int,
        n_hidden: int,
        activation: str,
        initial_scale: jax.Array | float = 1.0,
        dtype: jnp.dtype = jnp.float32,
        rngs: nnx.Rngs,
    ):
        def draw(shape: tuple[int, ...], fan_in: int) -> nnx.Param:
            bound = fan_in**-0.5
            return nnx.Param(initial_scale * jax.random.uniform(rngs.params(), shape, dtype, -bound, bound))

        self.weights, self.bias = draw((n_hidden, input_dim), input_dim), draw((n_hidden,), input_dim)
        self.output, self.output_bias = draw((n_hidden,), n_hidden), draw((), n_hidden)
        self.activation = activation

    def __call__(self, features: Float[Array, "B n"], data: SignedLaw) -> Float[Array, " B"]:
        """Return ``f`` of each example, given by its features; its sign is the predicted label."""
        hidden = features @ feature_weights(self.weights[...], data).T + self.bias[...][None]
        return ACTIVATIONS[self.activation](hidden) @ self.output[...] + self.output_bias[...]

    @property
    def signs(self) -> Float[Array, " m"]:
        """The signs of the output weights."""
        return jnp.sign(self.output[...])
