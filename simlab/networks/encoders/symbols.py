"""Encoders of symbols: free vectors, or a multi-layer perceptron on codes of the symbols; shared or one per side."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import jax
import jax.numpy as jnp
from flax import nnx

from simlab.networks.encoders.pairs import PairEncoder

if TYPE_CHECKING:
    from jaxtyping import Array, Float, Int

    from simlab.tasks.paired.cooccurrence import PairTable
    from simlab.tasks.pairs import ViewPair


class SymbolEncoder(PairEncoder):
    """Base class of encoders of pairs of symbols."""

    def representation(self, data: PairTable) -> dict[str, jax.Array]:
        """Return ``first`` and ``second``, the embeddings of all events in both modalities."""
        first, second = self.embed_pairs(data.symbols)
        return {"first": first, "second": second}


class FreeSymbols(SymbolEncoder):
    """A free vector for each symbol.

    Args:
        n_symbols: number of vectors.
        output_dim: ``m``.
        initial_scale: root-mean-square norm of the initial vectors, which are normal. May be traced.
        dtype: of the weights.
        rngs: the stream ``params`` is used.
    """

    def __init__(
        self,
        *,
        n_symbols: int,
        output_dim: int,
        initial_scale: jax.Array | float = 1.0,
        dtype: jnp.dtype = jnp.float32,
        rngs: nnx.Rngs,
    ):
        normal = jax.random.normal(rngs.params(), (n_symbols, output_dim), dtype)
        self.vectors = nnx.Param(initial_scale / output_dim**0.5 * normal)

    def __call__(self, inputs: Int[Array, " B"]) -> Float[Array, "B m"]:
        """Return the vectors of symbols."""
        return self.vectors[...][inputs]


class SymbolMLP(SymbolEncoder):
    """Hidden layers of hyperbolic tangents on a code of each symbol, and linear embeddings; no biases.

    More hidden units than symbols suffice to realise any embeddings if no code is a multiple of another.

    Args:
        n_symbols: number of codes.
        code_dim: dimension of the codes, which are normal, drawn once and not trained; None for one-hot codes.
        hidden_width: width of each hidden layer.
        depth: number of hidden layers, at least 1.
        output_dim: ``m``.
        initial_scale: approximate root-mean-square norm of the initial embeddings. May be traced.
        dtype: of the weights.
        rngs: the stream ``params`` is used.
    """

    def __init__(
        self,
        *,
        n_symbols: int,
        code_dim: int | None,
        hidden_width: int,
        depth: int,
        output_dim: int,
        initial_scale: jax.Array | float = 1.0,
        dtype: jnp.dtype = jnp.float32,
        rngs: nnx.Rngs,
    ):
        if code_dim is None:
            codes, size = jnp.eye(n_symbols, dtype=dtype), 1.0
        else:
            codes, size = jax.random.normal(rngs.params(), (n_symbols, code_dim), dtype), code_dim**0.5
        self.codes = nnx.Variable(codes)
        widths = (codes.shape[1], *(hidden_width,) * depth, output_dim)
        # Inputs have norm `size`; the hyperbolic tangent of normal numbers has a root mean square of about 0.6.
        gains = (
            1 / size,
            *(hidden_width**-0.5,) * (depth - 1),
            initial_scale * (0.6 * output_dim * hidden_width) ** -0.5,
        )
        kernels = [
            gain * jax.random.normal(rngs.params(), shape, dtype)
            for gain, shape in zip(gains, pairwise(widths), strict=True)
        ]
        self.kernels = nnx.List([nnx.Param(kernel) for kernel in kernels])

    def __call__(self, inputs: Int[Array, " B"]) -> Float[Array, "B m"]:
        """Return the embeddings of symbols."""
        hidden = self.codes[...][inputs]
        *kernels, last = self.kernels
        for kernel in kernels:
            hidden = jnp.tanh(hidden @ kernel[...])
        return hidden @ last[...]


class TwoEncoders(SymbolEncoder):
    """An encoder for each side of a pair.

    Args:
        first: the encoder of the first side.
        second: the encoder of the second side.
    """

    def __init__(self, first: SymbolEncoder, second: SymbolEncoder):
        self.first, self.second = first, second

    def __call__(self, inputs: Int[Array, " B"]) -> Float[Array, "B m"]:
        """Return the embeddings of the first side."""
        return self.first(inputs)

    def embed_pairs(self, pairs: ViewPair) -> tuple[Float[Array, "B m"], Float[Array, "B m"]]:
        """Return the embeddings of both sides."""
        return self.first(pairs.first), self.second(pairs.second)
