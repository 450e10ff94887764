"""An encoder of the BERT family that returns all hidden states."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import jax
import jax.numpy as jnp
from flax import nnx

from simlab.networks.layers import gelu

if TYPE_CHECKING:
    from jaxtyping import Array, Bool, Float, Int

    from simlab.networks.specs.bert import BertSpec

_FAR = -1e9  # added to the score of padding, whose attention weight is then exactly zero in float32


class AffineNorm(nnx.Module):
    """LayerNorm with scale and offset, evaluated in float32: ``(x - mean)/sqrt(var + epsilon) * scale + offset``."""

    def __init__(self, dim: int, epsilon: float):
        self.epsilon = epsilon
        self.scale, self.offset = nnx.Param(jnp.ones(dim)), nnx.Param(jnp.zeros(dim))

    def normalise(self, tokens: Float[Array, "B L d"]) -> Float[Array, "B L d"]:
        """Return the tokens before scale and offset, in at least float32."""
        wide = tokens.astype(jnp.promote_types(tokens.dtype, jnp.float32))
        centred = wide - wide.mean(axis=-1, keepdims=True)
        return centred * jax.lax.rsqrt(jnp.mean(centred**2, axis=-1, keepdims=True) + self.epsilon)

    def transform(self, normalised: Float[Array, "B L d"]) -> Float[Array, "B L d"]:
        """Apply scale and offset to normalised tokens."""
        return normalised * self.scale[...][None, None] + self.offset[...][None, None]

    def __call__(self, tokens: Float[Array, "B L d"]) -> Float[Array, "B L d"]:
        """Return the LayerNorm of the tokens, in the precision of the tokens."""
        return self.transform(self.normalise(tokens)).astype(tokens.dtype)


class BertLayer(nnx.Module):
    """``x -> LN(x + attention(x))``, then ``x -> LN(x + feed-forward(x))``."""

    def __init__(self, spec: BertSpec, dtype: jnp.dtype, rngs: nnx.Rngs):
        self.n_heads = spec.n_heads
        self.queries, self.keys, self.values, self.mix = (_linear(spec.dim, spec.dim, dtype, rngs) for _ in range(4))
        self.expand = _linear(spec.dim, spec.n_hidden, dtype, rngs)
        self.contract = _linear(spec.n_hidden, spec.dim, dtype, rngs)
        self.attention_norm, self.output_norm = (AffineNorm(spec.dim, spec.epsilon) for _ in range(2))

    def before_norm(self, tokens: Float[Array, "B L d"], is_token: Bool[Array, "B L"]) -> Float[Array, "B L d"]:
        """Return the input of the last LayerNorm; padding receives no attention."""
        tokens = self.attention_norm(tokens + self.attend(tokens, is_token))
        return tokens + self.contract(gelu(self.expand(tokens)))

    def attend(self, tokens: Float[Array, "B L d"], is_token: Bool[Array, "B L"]) -> Float[Array, "B L d"]:
        """Return the output of self-attention; its weights are evaluated in float32."""
        in_heads = (*tokens.shape[:-1], self.n_heads, -1)
        query, key, value = (layer(tokens).reshape(in_heads) for layer in (self.queries, self.keys, self.values))
        scores = jnp.einsum("blhi,bmhi->bhlm", query, key, preferred_element_type=jnp.float32)
        scores = scores * query.shape[-1] ** -0.5 + jnp.where(is_token, 0, _FAR)[:, None, None, :]
        weights = jax.nn.softmax(scores, axis=-1).astype(tokens.dtype)
        return self.mix(jnp.einsum("bhlm,bmhi->blhi", weights, value).reshape(tokens.shape))


class Hidden(NamedTuple):
    """All hidden states, of the embeddings and of each layer, in at least float32.

    Attributes:
        normalised: before the scale and offset of their last LayerNorm, of squared norm ``d v/(v + eps)`` for a
            variance ``v``.
        tokens: after the scale and offset.
    """

    normalised: Float[Array, "layers B L d"]
    tokens: Float[Array, "layers B L d"]


class BertEncoder(nnx.Module):
    """Tokens plus positions, LayerNorm, and the layers, compiled as one scan over layers.

    Args:
        spec: the sizes.
        dtype: of weights and tokens; LayerNorm and the softmax are in at least float32.
        rngs: the stream ``params`` is used; initial weights have the standard deviation 0.02.

    Attributes:
        layers: a :class:`BertLayer` whose weights have a leading axis of layers.

    Source: Devlin et al., *BERT* (arXiv 1810.04805), without dropout and without the pooler.
    """

    def __init__(self, spec: BertSpec, *, dtype: jnp.dtype = jnp.float32, rngs: nnx.Rngs):
        self.words, self.positions, self.types = (
            nnx.Param(0.02 * jax.random.normal(rngs.params(), (size, spec.dim), dtype))
            for size in (spec.n_tokens, spec.n_positions, spec.n_types)
        )
        self.norm = AffineNorm(spec.dim, spec.epsilon)
        make = nnx.vmap(lambda rngs: BertLayer(spec, dtype, rngs), in_axes=0, out_axes=0)
        self.layers = nnx.split_rngs(splits=spec.n_layers)(make)(rngs)

    def hidden(self, ids: Int[Array, "B L"], is_token: Bool[Array, "B L"]) -> Hidden:
        """Return the tokens after the embeddings and after each layer.

        Args:
            ids: numbers of the tokens, special tokens included; arbitrary for padding.
            is_token: False for padding, where the result is meaningless.
        """
        graph, weights = nnx.split(self.layers)

        def next_layer(tokens, layer_weights):
            layer = nnx.merge(graph, layer_weights)
            return end(layer.output_norm, layer.before_norm(tokens, is_token))

        def end(norm, tokens):
            normalised = norm.normalise(tokens)
            transformed = norm.transform(normalised)
            return transformed.astype(tokens.dtype), Hidden(normalised, transformed)

        places = self.positions[...][: ids.shape[1]] + self.types[...][:1]
        tokens, embedded = end(self.norm, self.words[...][ids] + places[None])
        _, layers = jax.lax.scan(next_layer, tokens, weights)
        return jax.tree.map(lambda first, others: jnp.concatenate([first[None], others]), embedded, layers)

    def affine(self) -> tuple[Float[Array, "layers d"], Float[Array, "layers d"]]:
        """Return scale and offset of the last LayerNorm of each hidden state."""
        last = self.layers.output_norm
        pairs = ((self.norm.scale, last.scale), (self.norm.offset, last.offset))
        scale, offset = (jnp.concatenate([first[...][None], others[...]]) for first, others in pairs)
        return scale, offset


def sentence_means(tokens: Float[Array, "B L d"], is_token: Bool[Array, "B L"]) -> Float[Array, "B d"]:
    """Return the mean of the tokens of each sentence, in at least float32; zero for a sentence without tokens."""
    weights = is_token[..., None].astype(jnp.promote_types(tokens.dtype, jnp.float32))
    return jnp.sum(tokens * weights, axis=1) / jnp.maximum(jnp.sum(weights, axis=1), 1)


def _linear(inputs: int, outputs: int, dtype: jnp.dtype, rngs: nnx.Rngs) -> nnx.Linear:
    return nnx.Linear(
        inputs, outputs, dtype=dtype, param_dtype=dtype, kernel_init=nnx.initializers.normal(0.02), rngs=rngs
    )
