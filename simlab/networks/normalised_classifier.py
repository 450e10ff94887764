"""The two-layer classifier of sentences with a normalisation of its word vectors."""

import jax
import jax.numpy as jnp
from flax import nnx

from simlab.networks.logits import choose_logits
from simlab.networks.normalisation import Normalisation
from simlab.networks.two_layer import initial_weights
from simlab.tasks.sentences import SentenceDistribution


class NormalisedClassifier(nnx.Module):
    """``h(x)_k = sum_l <u_kl, N(w)_{x_l}>``, ``N`` one of the normalisations of :mod:`simlab.networks.normalisation`.

    Args:
        n_words: ``n_w``.
        sentence_length: ``L``.
        n_classes: ``K``.
        embedding_dim: ``d``.
        normalisation: name of the normalisation. ``batch`` normalises over the words of the current batch.
        initial_scale: as in :class:`simlab.networks.two_layer.SentenceClassifier`.
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
        normalisation: str,
        initial_scale: jax.Array | float = 1.0,
        dtype: jnp.dtype = jnp.float32,
        rngs: nnx.Rngs,
    ):
        embeddings, classifier = initial_weights(rngs, n_words, (n_classes, sentence_length, embedding_dim), dtype)
        self.embeddings = nnx.Param(initial_scale * embeddings)
        self.classifier = nnx.Param(initial_scale * classifier)
        self.normalisation = Normalisation(normalisation, embedding_dim, dtype)

    def representation(self, data: SentenceDistribution) -> jax.Array:
        """Return the normalised word vectors, ``Float[n_w, d]``; ``batch`` uses the true frequencies of the words."""
        return self.normalisation(self.embeddings[...], word_shares(data, len(self.embeddings[...])))

    def __call__(self, sentences: jax.Array) -> jax.Array:
        """Return the logits, ``Float[B, K]``, of sentences ``Int[B, L]``."""
        embeddings = self.embeddings[...]
        shares = jnp.zeros(len(embeddings), embeddings.dtype).at[sentences].add(1 / sentences.size)
        words = self.normalisation(embeddings, shares)
        n_words, dim = words.shape
        return choose_logits(n_words, dim, len(sentences))(words, self.classifier[...], sentences)


def word_shares(data: SentenceDistribution, n_words: int) -> jax.Array:
    """Return the share of each word among the words of all sentences, noise included, ``Float[n_w]``."""
    latents, mu, noise = data
    concepts = jnp.arange(n_words // len(mu))
    shares = jnp.mean(jnp.reshape(latents, (-1, 1)) == concepts[None], axis=0)
    if noise is not None:
        shares = (1 - noise.word) * shares + noise.word * noise.concepts
    return (shares[:, None] * mu[None]).reshape(-1)
