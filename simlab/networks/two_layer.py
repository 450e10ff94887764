"""The two-layer classifier of sentences: word vectors, optionally normalised, and a linear readout."""

import jax
import jax.numpy as jnp
from flax import nnx

from simlab.networks.layer_norm import layer_norm
from simlab.networks.logits import choose_logits


def initial_weights(
    rngs: nnx.Rngs, n_words: int, shape: tuple[int, int, int], dtype: jnp.dtype
) -> tuple[jax.Array, jax.Array]:
    """Return embeddings ``N(0, 1)``, ``Float[n_w, d]``, and a classifier uniform in ``+- 1 / sqrt(L d)``.

    Args:
        rngs: the stream ``params`` is used.
        n_words: ``n_w``.
        shape: shape of the classifier, ``(K, L, d)``.
        dtype: of the weights.
    """
    bound = (shape[1] * shape[2]) ** -0.5
    normal = jax.random.normal(rngs.params(), (n_words, shape[2]), dtype)
    return normal, jax.random.uniform(rngs.params(), shape, dtype, -bound, bound)


class SentenceClassifier(nnx.Module):
    """Two layers, no biases: ``h(x)_k = sum_l <u_kl, w_{x_l}>``; with LayerNorm, ``w`` is normalised first.

    Source: Laurent, von Brecht, Bresson (arXiv 2305.16162), Section 2.

    Args:
        n_words: ``n_w``.
        sentence_length: ``L``.
        n_classes: ``K``.
        embedding_dim: ``d``.
        layer_norm: whether word vectors pass through :func:`simlab.networks.layer_norm.layer_norm` (the network
            ``h*``).
        layer_norm_epsilon: added to the variance of a word vector.
        initial_scale: factor ``s`` of the initial weights: embeddings ``s N(0, 1)``, classifier weights uniform in
            ``+- s / sqrt(L d)``. May be traced.
        dtype: of the weights.
        rngs: the stream ``params`` is used.
    """

    def __init__(
        self,
        *,
        n_words: int,
        sentence_length: int,
        n_classes: int,
        embedding_dim: int,
        layer_norm: bool,
        layer_norm_epsilon: float = 0.0,
        initial_scale: jax.Array | float = 1.0,
        dtype: jnp.dtype = jnp.float32,
        rngs: nnx.Rngs,
    ):
        embeddings, classifier = initial_weights(rngs, n_words, (n_classes, sentence_length, embedding_dim), dtype)
        self.embeddings = nnx.Param(initial_scale * embeddings)
        self.classifier = nnx.Param(initial_scale * classifier)
        self.layer_norm = layer_norm
        self.layer_norm_epsilon = layer_norm_epsilon

    def representation(self, data=None) -> jax.Array:
        """Return the word vectors, ``Float[n_w, d]``, which are the input of the classifier."""
        embeddings = self.embeddings[...]
        return layer_norm(embeddings, self.layer_norm_epsilon) if self.layer_norm else embeddings

    def __call__(self, sentences: jax.Array) -> jax.Array:
        """Return the logits, ``Float[B, K]``, of sentences ``Int[B, L]``."""
        words = self.representation()
        n_words, dim = words.shape
        return choose_logits(n_words, dim, len(sentences))(words, self.classifier[...], sentences)
