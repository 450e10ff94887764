"""An MLP-mixer: feed-forward networks across the positions of a sentence, then across the coordinates of a token."""

import jax
import jax.numpy as jnp
from flax import nnx

from simlab.networks.layer_norm import layer_norm
from simlab.networks.layers import DeepSentenceClassifier, FeedForward, initial_classifier, initial_embeddings
from simlab.validation import check_count


class MixerBlock(nnx.Module):
    """Token mixing, then channel mixing, each with a residual connection: ``x + f(LN(x))``.

    Token mixing applies one feed-forward network to the ``L`` values of each coordinate, channel mixing another one to
    the ``d`` coordinates of each token. LN is the LayerNorm without parameters of
    :func:`simlab.networks.layer_norm.layer_norm`, over the coordinates of a token in both.

    Args:
        sentence_length: ``L``.
        dim: ``d``.
        dtype: of the weights.
        rngs: the stream ``params`` is used.

    Source: Tolstikhin et al. (arXiv 2105.01601), equation (1), with LayerNorms without parameters.
    """

    def __init__(self, sentence_length: int, dim: int, dtype: jnp.dtype, rngs: nnx.Rngs):
        self.token_mixing = FeedForward(sentence_length, dtype, rngs)
        self.channel_mixing = FeedForward(dim, dtype, rngs)

    def __call__(self, tokens: jax.Array) -> jax.Array:
        """Return ``Float[B, L, d]`` from ``Float[B, L, d]``."""
        tokens = tokens + self.token_mixing(layer_norm(tokens).swapaxes(1, 2)).swapaxes(1, 2)
        return tokens + self.channel_mixing(layer_norm(tokens))


class SentenceMixer(DeepSentenceClassifier):
    """Embeddings, ``depth`` mixer blocks, and a readout that sums over positions.

    ``x^0_l = w_{x_l}``; logits ``sum_l <u_kl, x^depth_l>``. There are no positional embeddings, as token mixing
    distinguishes the positions. Interface and initial weights are those of :mod:`simlab.networks.layers`.

    Args:
        n_words: ``n_w``.
        sentence_length: ``L``.
        n_classes: ``K``.
        embedding_dim: ``d``, at least 3: in two dimensions the output of a LayerNorm has only two values.
        depth: number of blocks, at least 0.
        initial_scale: standard deviation of the initial embeddings only. May be traced.
        dtype: of the weights.
        rngs: the stream ``params`` is used.

    Raises:
        ValueError: ``embedding_dim`` or ``depth`` is out of range; the message names it.
    """

    def __init__(
        self,
        *,
        n_words: int,
        sentence_length: int,
        n_classes: int,
        embedding_dim: int,
        depth: int,
        initial_scale: jax.Array | float = 1.0,
        dtype: jnp.dtype = jnp.float32,
        rngs: nnx.Rngs,
    ):
        check_count("embedding_dim", embedding_dim, 3)
        check_count("depth", depth, 0)
        self.embeddings = initial_embeddings(rngs, n_words, embedding_dim, initial_scale, dtype)
        self.blocks = nnx.List([MixerBlock(sentence_length, embedding_dim, dtype, rngs) for _ in range(depth)])
        self.classifier = initial_classifier(rngs, (n_classes, sentence_length, embedding_dim), dtype)

    def hidden(self, sentences: jax.Array) -> tuple[jax.Array, ...]:
        """Return the tokens ``Float[B, L, d]`` after the embedding layer and after each block."""
        tokens = [self.representation()[sentences]]
        for block in self.blocks:
            tokens.append(block(tokens[-1]))
        return tuple(tokens)
