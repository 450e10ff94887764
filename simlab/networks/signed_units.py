"""A two-layer network for two labels, with fixed signs as its second layer and a choice of activations."""

from __future__ import annotations

from typing import TYPE_CHECKING

import jax
import jax.numpy as jnp
from flax import nnx

from simlab.networks.layers import gelu
from simlab.networks.signed_relu import unit_signs
from simlab.tasks.signed_features import SignedLaw, feature_weights

if TYPE_CHECKING:
    from jaxtyping import Array, Float

SMOOTH = {"gelu": gelu, "tanh": jnp.tanh, "linear": lambda values: values}


class SignedUnits(nnx.Module):
    """``f(x) = (1/m) sum_k e_k phi(w_k . x)`` with ``e_k`` = 1 for the first half of the ``m`` units, else -1.

    Args:
        input_dim: ``p``.
        n_hidden: ``m``, even.
        activation: ``relu``, ``gelu``, ``tanh`` or ``linear``.
        leaky_slope: slope of a leaky ReLU below zero. May be traced.
        initial_scale: standard deviation of the initial weights. May be traced.
        dtype: of the weights.
        rngs: the stream ``params`` is used.
    """

    def __init__(
        self,
        *,
        input_dim: int,
        n_hidden: int,
        activation: str,
        leaky_slope: jax.Array | float = 0.0,
        initial_scale: jax.Array | float = 1.0,
        dtype: jnp.dtype = jnp.float32,
        rngs: nnx.Rngs,
    ):
        self.weights = nnx.Param(initial_scale * jax.random.normal(rngs.params(), (n_hidden, input_dim), dtype))
        self.leaky_slope = nnx.Variable(jnp.asarray(leaky_slope, dtype))
        self.activation = activation

    def __call__(self, features: Float[Array, "B n"], data: SignedLaw) -> Float[Array, " B"]:
        """Return ``f`` of each example, given by its features; its sign is the predicted label."""
        hidden = features @ feature_weights(self.weights[...], data).T
        return self._activate(hidden) @ (self.signs / len(self.signs))

    @property
    def signs(self) -> Float[Array, " m"]:
        """``e``, the signs of the output weights."""
        weights = self.weights[...]
        return jnp.asarray(unit_signs(len(weights)), weights.dtype)

    def _activate(self, values: jax.Array) -> jax.Array:
        if self.activation == "relu":
            return jnp.where(values > 0, values, self.leaky_slope[...] * values)
        return SMOOTH[self.activation](values)
