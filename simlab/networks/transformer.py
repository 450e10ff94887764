"""A small transformer encoder for sentences of fixed length; its attention also accepts a mask."""

import jax
import jax.numpy as jnp
from flax import nnx

from simlab.networks.layer_norm import layer_norm
from simlab.networks.layers import DeepSentenceClassifier, FeedForward, initial_classifier, initial_embeddings, linear
from simlab.validation import check_choice, check_count, invalid

NORMS = ("pre", "post")


class SelfAttention(nnx.Module):
    """Multi-head self-attention: the output at each position is a weighted mean of the values of all positions.

    Head ``h`` has ``q = Q_h x``, ``k = K_h x``, ``v = V_h x`` in ``d / n_heads`` dimensions and returns
    ``sum_m softmax_m(<q_l, k_m> / sqrt(d / n_heads)) v_m``; an affine map mixes the concatenated heads. All maps have
    biases.

    Args:
        dim: ``d``.
        n_heads: a divisor of ``d``.
        dtype: of the weights.
        rngs: the stream ``params`` is used.

    Source: Vaswani et al. (arXiv 1706.03762), Section 3.2.
    """

    def __init__(self, dim: int, n_heads: int, dtype: jnp.dtype, rngs: nnx.Rngs):
        self.n_heads = n_heads
        self.queries, self.keys, self.values, self.mix = (linear(dim, dim, dtype, rngs) for _ in range(4))

    def __call__(self, tokens: jax.Array, is_seen: jax.Array | None = None) -> jax.Array:
        """Return ``Float[B, L, d]`` from ``Float[B, L, d]``, with attention to the positions where ``is_seen``."""
        in_heads = (*tokens.shape[:-1], self.n_heads, -1)
        maps = (self.queries, self.keys, self.values)
        query, key, value = (layer(tokens).reshape(in_heads) for layer in maps)
        scores = jnp.einsum("blhi,bmhi->bhlm", query, key) * query.shape[-1] ** -0.5
        if is_seen is not None:
            # Finite, so that an empty sentence gives no NaN in the gradient of the others.
            scores = jnp.where(is_seen[:, None, None, :], scores, jnp.finfo(scores.dtype).min)
        mean = jnp.einsum("bhlm,bmhi->blhi", jax.nn.softmax(scores, axis=-1), value)
        return self.mix(mean.reshape(tokens.shape))


class TransformerBlock(nnx.Module):
    """Attention, then a feed-forward network at each position, each with a residual connection.

    ``norm="pre"``: ``x + f(LN(x))`` twice; ``norm="post"``: ``LN(x + f(x))`` twice. LN is the LayerNorm without
    parameters of :func:`simlab.networks.layer_norm.layer_norm`.

    Args:
        dim: ``d``.
        n_heads: a divisor of ``d``.
        norm: one of ``NORMS``.
        dtype: of the weights.
        rngs: the stream ``params`` is used.
    """

    def __init__(self, dim: int, n_heads: int, norm: str, dtype: jnp.dtype, rngs: nnx.Rngs):
        self.norm = norm
        self.attention = SelfAttention(dim, n_heads, dtype, rngs)
        self.feed_forward = FeedForward(dim, dtype, rngs)

    def __call__(self, tokens: jax.Array) -> jax.Array:
        """Return ``Float[B, L, d]`` from ``Float[B, L, d]``."""
        for branch in (self.attention, self.feed_forward):
            tokens = self._add(branch, tokens)
        return tokens

    def _add(self, branch: nnx.Module, tokens: jax.Array) -> jax.Array:
        if self.norm == "pre":
            return tokens + branch(layer_norm(tokens))
        return layer_norm(tokens + branch(tokens))


class SentenceTransformer(DeepSentenceClassifier):
    """Embeddings plus learned positions, ``depth`` transformer blocks, and a readout that sums over positions.

    ``x^0_l = w_{x_l} + p_l``; logits ``sum_l <u_kl, x^depth_l>``. With ``norm="post"`` the last tokens have norm
    ``sqrt(d)``; with ``norm="pre"`` their norm is free. Interface and initial weights are those of
    :mod:`simlab.networks.layers`; initial positions are ``N(0, 1)`` for any scale of the embeddings.

    Args:
        n_words: ``n_w``.
        sentence_length: ``L``.
        n_classes: ``K``.
        embedding_dim: ``d``, at least 3: in two dimensions the output of a LayerNorm has only two values.
        depth: number of blocks, at least 0.
        n_heads: a divisor of ``d``.
        norm: ``"pre"`` or ``"post"``, see :class:`TransformerBlock`.
        initial_scale: standard deviation of the initial embeddings only. May be traced.
        dtype: of the weights.
        rngs: the stream ``params`` is used.

    Raises:
        ValueError: ``embedding_dim``, ``depth``, ``n_heads`` or ``norm`` is out of range; the message names it.
    """

    def __init__(
        self,
        *,
        n_words: int,
        sentence_length: int,
        n_classes: int,
        embedding_dim: int,
        depth: int,
        n_heads: int = 1,
        norm: str = "pre",
        initial_scale: jax.Array | float = 1.0,
        dtype: jnp.dtype = jnp.float32,
        rngs: nnx.Rngs,
    ):
        check_count("embedding_dim", embedding_dim, 3)
        check_count("depth", depth, 0)
        check_choice("norm", norm, NORMS)
        if embedding_dim % check_count("n_heads", n_heads):
            raise invalid("n_heads", f"a divisor of embedding_dim={embedding_dim}", n_heads)
        self.embeddings = initial_embeddings(rngs, n_words, embedding_dim, initial_scale, dtype)
        self.positions = initial_embeddings(rngs, sentence_length, embedding_dim, 1.0, dtype)
        self.blocks = nnx.List([TransformerBlock(embedding_dim, n_heads, norm, dtype, rngs) for _ in range(depth)])
        self.classifier = initial_classifier(rngs, (n_classes, sentence_length, embedding_dim), dtype)

    def hidden(self, sentences: jax.Array) -> tuple[jax.Array, ...]:
        """Return the tokens ``Float[B, L, d]`` after the embedding layer, positions included, and after each block."""
        tokens = [self.representation()[sentences] + self.positions[...][None]]
        for block in self.blocks:
            tokens.append(block(tokens[-1]))
        return tuple(tokens)
