"""Blocks of a sentence encoder: attention and feed-forward network, LayerNorm before or after, with a mask."""

from __future__ import annotations

from typing import TYPE_CHECKING

import jax.numpy as jnp
from flax import nnx

from simlab.networks.layers import FeedForward
from simlab.networks.normalisation import Normalisation
from simlab.networks.transformer import SelfAttention

if TYPE_CHECKING:
    from jaxtyping import Array, Bool, Float


class EncoderBlock(nnx.Module):
    """Attention over the words of a sentence, then a feed-forward network, each with a residual connection.

    ``norm="post"``: ``LN(x + f(x))`` twice, as in BERT; ``norm="pre"``: ``x + f(LN(x))`` twice.

    Args:
        dim: ``d``.
        n_heads: a divisor of ``d``.
        norm: ``post`` or ``pre``.
        normalisation: ``layer`` or ``layer-affine``, see :mod:`simlab.networks.normalisation`.
        activation: ``relu`` or ``gelu``.
        zero_queries: whether the query weights are initially zero, so that attention is initially uniform.
        dtype: of the weights.
        rngs: the stream ``params`` is used.
    """

    def __init__(
        self,
        dim: int,
        *,
        n_heads: int,
        norm: str,
        normalisation: str,
        activation: str,
        zero_queries: bool,
        dtype: jnp.dtype,
        rngs: nnx.Rngs,
    ):
        self.norm = norm
        self.attention = SelfAttention(dim, n_heads, dtype, rngs)
        if zero_queries:
            kernel = self.attention.queries.kernel
            kernel[...] = jnp.zeros_like(kernel[...])
        self.feed_forward = FeedForward(dim, dtype, rngs, activation)
        self.norms = nnx.List([Normalisation(normalisation, dim, dtype) for _ in range(2)])

    def __call__(
        self, tokens: Float[Array, "B L d"], is_seen: Bool[Array, "B L"] | None = None
    ) -> Float[Array, "B L d"]:
        """Return the tokens of the next layer, with attention to the positions where ``is_seen``; None for all."""
        attention_norm, feed_forward_norm = self.norms
        if self.norm == "pre":
            tokens = tokens + self.attention(attention_norm(tokens), is_seen)
            return tokens + self.feed_forward(feed_forward_norm(tokens))
        tokens = attention_norm(tokens + self.attention(tokens, is_seen))
        return feed_forward_norm(tokens + self.feed_forward(tokens))
