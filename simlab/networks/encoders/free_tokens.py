"""A network with a free vector for each occurrence: the optimal tokens of a pooling, independent of an encoder."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
from flax import nnx

from simlab.networks.encoders.pairs import PairEncoder
from simlab.networks.encoders.pooling import pool
from simlab.networks.normalisation import Normalisation

if TYPE_CHECKING:
    from jaxtyping import Array, Float, Int


class FreeTokens(PairEncoder):
    """Vectors of all occurrences, normalised to norm ``sqrt(d)`` without parameters, and a pooling.

    Args:
        n_sentences: ``N``.
        n_tokens: ``T``, tokens per sentence, with a leading token if the pooling needs one.
        dim: ``d``.
        pooling: ``mean``, ``max`` or ``cls``.
        norm: ``layer`` or ``rms``, see :mod:`simlab.networks.normalisation`.
        initial_anisotropy: approximate initial cosine of any two vectors.
        initial_scale: scale of the vectors before normalisation, which sets the effective learning rate. May be traced.
        dtype: of the weights.
        rngs: the stream ``params`` is used.
    """

    def __init__(
        self,
        *,
        n_sentences: int,
        n_tokens: int,
        dim: int,
        pooling: str,
        norm: str = "layer",
        initial_anisotropy: float = 0.0,
        initial_scale: jax.Array | float = 1.0,
        dtype: jnp.dtype = jnp.float32,
        rngs: nnx.Rngs,
    ):
        self.pooling, self.norm = pooling, Normalisation(norm, dim, dtype)
        own = jax.random.normal(rngs.params(), (n_sentences, n_tokens, dim), dtype)
        common = jax.random.normal(rngs.params(), (1, 1, dim), dtype)
        mixed = initial_anisotropy**0.5 * common + (1 - initial_anisotropy) ** 0.5 * own
        self.free = nnx.Param(initial_scale * mixed)

    def tokens(self) -> Float[Array, "N T d"]:
        """Return the normalised vectors of all occurrences."""
        return self.norm(self.free[...])

    def __call__(self, inputs: Int[Array, " B"]) -> Float[Array, "B d"]:
        """Return the vectors of sentences, given their numbers."""
        return pool(self.tokens()[inputs], None, self.pooling)

    def representation(self, data: Any) -> dict[str, jax.Array]:
        """Return ``tokens``, ``Float[N, T, d]``, and ``sentence``, ``Float[N, d]``, of all sentences."""
        tokens = self.tokens()
        return {"tokens": tokens, "sentence": pool(tokens, None, self.pooling)}
