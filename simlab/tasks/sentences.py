"""Sentences of a :class:`~simlab.tasks.sentence_task.SentenceTask`: drawn at random or enumerated, on the device."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from simlab.tasks.batch import AnyArray, Batch, weighted
from simlab.tasks.enumeration import check_population, digits
from simlab.validation import invalid


class Noise(NamedTuple):
    """Random replacement of labels and words.

    Attributes:
        label: the probability that a label is redrawn, uniformly from all classes.
        word: the probability that a word is redrawn, its rank from the word frequencies.
        concepts: ``Float[n_c]``, the probability of each concept of a redrawn word.
    """

    label: AnyArray
    word: AnyArray
    concepts: AnyArray


class SentenceDistribution(NamedTuple):
    """One realisation of the task: the distribution of labelled sentences. A pytree of arrays.

    Attributes:
        latents: ``Int[K, L]``, the concept at each position of each class.
        word_frequencies: ``Float[s_c]``, the probability of each word within its concept.
        noise: noise in labels and words, or None.
    """

    latents: AnyArray
    word_frequencies: AnyArray
    noise: Noise | None = None

    def population(self) -> Batch:
        """Return every labelled sentence with its probability; see :func:`enumerate_sentences`."""
        return Batch(*(enumerate_sentences(self) if self.noise is None else enumerate_noisy_sentences(self)))


def draw_sentences(key: jax.Array, distribution: SentenceDistribution, classes: jax.Array) -> jax.Array:
    """Draw one sentence for each class, on the device.

    Args:
        key: a JAX random key.
        distribution: the realised task.
        classes: ``Int[...]``, the class of each sentence.

    Returns:
        ``Int32[..., L]``, word numbers.

    Each rank is the inverse of the cumulative distribution at a uniform number with a resolution of ``2^-23``. The
    frequency of a word has an absolute error of up to ``2^-23``, which is a bias above 1 % for words rarer than about
    1e-5.
    """
    latents, mu, noise = distribution
    concepts = jnp.asarray(latents)[classes]
    if noise is not None:
        flip_key, concept_key, _, _ = _noise_keys(key)
        others = _draw_ranks(concept_key, noise.concepts, concepts.shape)
        concepts = jnp.where(jax.random.uniform(flip_key, concepts.shape) < noise.word, others, concepts)
    ranks = _draw_ranks(key, mu, concepts.shape)
    return (concepts * len(mu) + ranks).astype(jnp.int32)


def _noise_keys(key: jax.Array) -> jax.Array:
    """Return the keys of the noise, two for words and two for labels; all other draws are those without noise.

    Draws of fewer than ``2^32`` numbers with ``key`` itself use different random bits.
    """
    return jax.random.split(jax.random.fold_in(key, 2**32 - 1), 4)


def _draw_ranks(key: jax.Array, law: jax.Array, shape: tuple[int, ...]) -> jax.Array:
    """Draw indices from a law, ``Float[n]``, by inversion of its cumulative distribution."""
    # The last cumulative sum may round to below 1, which must not give a rank of n.
    return jnp.searchsorted(jnp.cumsum(law)[:-1], jax.random.uniform(key, shape), side="right")


def draw_labels(key: jax.Array, distribution: SentenceDistribution, classes: jax.Array) -> jax.Array:
    """Return the labels of sentences of these classes, ``Int[...]``; without noise they are the classes.

    The key may be the one given to :func:`draw_sentences`.
    """
    if distribution.noise is None:
        return classes
    _, _, flip_key, label_key = _noise_keys(key)
    others = jax.random.randint(label_key, classes.shape, 0, len(distribution.latents), classes.dtype)
    return jnp.where(jax.random.uniform(flip_key, classes.shape) < distribution.noise.label, others, classes)


def draw_batch(key: jax.Array, distribution: SentenceDistribution, size: int) -> Batch:
    """Draw ``size`` labelled sentences, classes uniform."""
    class_key, sentence_key = jax.random.split(key)
    classes = jax.random.randint(class_key, (size,), 0, len(distribution.latents), jnp.int32)
    return _draw_examples(sentence_key, distribution, classes)


def draw_sample(key: jax.Array, distribution: SentenceDistribution, per_class: int) -> Batch:
    """Draw ``per_class`` sentences of each class."""
    classes = jnp.repeat(jnp.arange(len(distribution.latents), dtype=jnp.int32), per_class)
    return weighted(_draw_examples(key, distribution, classes))


def _draw_examples(key: jax.Array, distribution: SentenceDistribution, classes: jax.Array) -> Batch:
    """Draw a labelled sentence for each entry of ``classes``."""
    return Batch(draw_sentences(key, distribution, classes), draw_labels(key, distribution, classes))


def enumerate_noisy_sentences(distribution: SentenceDistribution) -> tuple[jax.Array, jax.Array, jax.Array]:
    """Return every sentence with every label and their joint probability under noise, as in `enumerate_sentences`.

    ``N = K n_w^L``. With word noise ``delta`` a word of rank ``b`` has, at a position of concept ``z``, the probability
    ``mu_b ((1 - delta) [its concept is z] + delta / n_c)``.

    Raises:
        ValueError: there are too many, see :func:`simlab.tasks.enumeration.check_population`.
    """
    latents, mu = jnp.asarray(distribution.latents), jnp.asarray(distribution.word_frequencies)
    noise, n_ranks = distribution.noise, len(distribution.word_frequencies)
    n_classes, length = latents.shape
    if noise is None:
        raise invalid("distribution", "one with noise", None)
    n_concepts = len(noise.concepts)
    check_population(n_classes * (n_concepts * n_ranks) ** length, n_classes, length)
    words = digits(np.arange((n_concepts * n_ranks) ** length), n_concepts * n_ranks, length)
    meant = (words // n_ranks)[None] == latents[:, None, :]
    replaced = noise.word * jnp.asarray(noise.concepts)[words // n_ranks]
    terms = mu[words % n_ranks][None] * ((1 - noise.word) * meant + replaced[None])
    of_class = terms.prod(axis=2) / n_classes
    joint = (1 - noise.label) * of_class + noise.label * of_class.mean(axis=0, keepdims=True)
    classes = jnp.repeat(jnp.arange(n_classes, dtype=jnp.int32), len(words))
    return jnp.tile(jnp.asarray(words, jnp.int32), (n_classes, 1)), classes, joint.reshape(-1)


def enumerate_sentences(distribution: SentenceDistribution) -> tuple[jax.Array, jax.Array, jax.Array]:
    """Return every labelled sentence with its probability.

    Args:
        distribution: the realised task.

    Returns:
        ``(sentences, classes, probabilities)``: ``Int32[N, L]``, ``Int32[N]`` and ``Float[N]`` with ``N = K s_c^L``;
        the probabilities sum to 1.

    Raises:
        ValueError: there are too many, see :func:`simlab.tasks.enumeration.check_population`.
    """
    latents, mu = (jnp.asarray(array) for array in distribution[:2])
    n_classes, length = latents.shape
    check_population(n_classes * len(mu) ** length, n_classes, length)
    ranks = digits(np.arange(len(mu) ** length), len(mu), length)
    sentences = (latents[:, None, :] * len(mu) + ranks[None]).reshape(-1, length)
    classes = jnp.repeat(jnp.arange(n_classes, dtype=jnp.int32), len(ranks))
    probabilities = jnp.tile(mu[ranks].prod(axis=1) / n_classes, n_classes)
    return sentences.astype(jnp.int32), classes, probabilities
