"""Sentences of a :class:`~simlab.tasks.SentenceTask`: drawn at random or enumerated, on the device."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from simlab.tasks import SentenceTask, check_population, digits, draw_latents, word_frequencies


class SentenceDistribution(NamedTuple):
    """One realisation of the task: the law from which labelled sentences are drawn. A pytree of arrays.

    Attributes:
        latents: ``Int[K, L]``, the concept at each position of each class.
        word_frequencies: ``Float[s_c]``, the probability of each word within its concept.
    """

    latents: jax.Array
    word_frequencies: jax.Array


def draw_distribution(task: SentenceTask, seed: int) -> SentenceDistribution:
    """Return a realisation of ``task``: latents drawn with ``seed``, all of them in order if the task is saturated."""
    return SentenceDistribution(draw_latents(task, seed), word_frequencies(task))


def draw_sentences(key: jax.Array, distribution: SentenceDistribution, classes: jax.Array) -> jax.Array:
    """Draw one sentence for each class, on the device.

    Args:
        key: a JAX random key.
        distribution: the realised task.
        classes: ``Int[...]``, the class of each sentence.

    Returns:
        ``Int32[..., L]``, word numbers.

    Each rank is the inverse of the cumulative distribution at a uniform number of ``2^-23`` resolution: the frequency
    of a word is right to ``2^-23`` absolutely, so that words rarer than about 1e-5 are drawn with a bias above 1 %.
    """
    latents, mu = distribution
    concepts = jnp.asarray(latents)[classes]
    # Inverse of the cumulative distribution; a rounded last entry below 1 must not open a rank beyond the last.
    ranks = jnp.searchsorted(jnp.cumsum(mu)[:-1], jax.random.uniform(key, concepts.shape), side="right")
    return (concepts * len(mu) + ranks).astype(jnp.int32)


def enumerate_sentences(distribution: SentenceDistribution) -> tuple[jax.Array, jax.Array, jax.Array]:
    """Return every labelled sentence with its probability.

    Args:
        distribution: the realised task.

    Returns:
        ``(sentences, classes, probabilities)``: ``Int32[N, L]``, ``Int32[N]`` and ``Float[N]`` with ``N = K s_c^L``;
        the probabilities sum to 1.

    Raises:
        ValueError: there are too many, see :func:`simlab.tasks.check_population`.
    """
    latents, mu = (jnp.asarray(array) for array in distribution)
    n_classes, length = latents.shape
    check_population(n_classes * len(mu) ** length, n_classes, length)
    ranks = digits(np.arange(len(mu) ** length), len(mu), length)
    sentences = (latents[:, None, :] * len(mu) + ranks[None]).reshape(-1, length)
    classes = jnp.repeat(jnp.arange(n_classes, dtype=jnp.int32), len(ranks))
    probabilities = jnp.tile(mu[ranks].prod(axis=1) / n_classes, n_classes)
    return sentences.astype(jnp.int32), classes, probabilities
