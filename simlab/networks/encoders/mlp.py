"""A multi-layer perceptron that encodes observations."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
from flax import nnx

from simlab.losses.info_nce import unit_vectors
from simlab.networks.encoders.pairs import PairEncoder
from simlab.networks.layers import affine

if TYPE_CHECKING:
    from jaxtyping import Array, Float


class MLPEncoder(PairEncoder):
    """Hidden layers of GELU units and a linear last layer, all with biases.

    Args:
        n_inputs: ``D``.
        hidden_width: width of each hidden layer.
        depth: number of hidden layers.
        output_dim: ``d``.
        is_unit: whether embeddings are normalised to unit vectors.
        initial_scale: factor on the initial last layer, whose entries have variance ``1/hidden_width``. May be traced.
            Initial weights of hidden layers have variance ``2/fan_in``, and biases are zero.
        dtype: of the weights.
        rngs: the stream ``params`` is used.
    """

    def __init__(
        self,
        *,
        n_inputs: int,
        hidden_width: int,
        depth: int,
        output_dim: int,
        is_unit: bool = False,
        initial_scale: jax.Array | float = 1.0,
        dtype: jnp.dtype = jnp.float32,
        rngs: nnx.Rngs,
    ):
        widths = (n_inputs, *(hidden_width,) * depth)
        hidden = [(shape, (2 / shape[0]) ** 0.5) for shape in pairwise(widths)]
        layers = []
        for (fan_in, fan_out), scale in [*hidden, ((widths[-1], output_dim), initial_scale * widths[-1] ** -0.5)]:
            kernel = scale * jax.random.normal(rngs.params(), (fan_in, fan_out), dtype)
            layers.append(nnx.Dict(kernel=nnx.Param(kernel), bias=nnx.Param(jnp.zeros(fan_out, dtype))))
        self.layers = nnx.List(layers)
        self.is_unit = is_unit

    def __call__(self, inputs: Float[Array, "B D"]) -> Float[Array, "B d"]:
        """Return the embeddings of inputs, given as rows."""
        *hidden, last = self.layers
        for layer in hidden:
            inputs = jax.nn.gelu(affine(layer, inputs))
        embeddings = affine(last, inputs)
        return unit_vectors(embeddings) if self.is_unit else embeddings

    def representation(self, data: Any) -> dict[str, jax.Array]:
        """Return ``embeddings``, ``Float[N, d]``, of ``data.inputs``, and ``probe_embeddings`` of ``data.probes``."""
        return {"embeddings": self(jnp.asarray(data.inputs)), "probe_embeddings": self(jnp.asarray(data.probes))}
