"""Metrics of the layers of a deep network, recorded over training: collapse of the tokens of each layer.

Each layer has four measures. They are variances of its tokens, see :mod:`simlab.metrics.concept_variability`, over the
variance between the means of the groups:

``concept_ratio``
    within concepts over between concepts, at each position;
``word_ratio``
    the part of it that comes from different words of one concept;
``context_ratio``
    the rest, the effect of the other positions. It is expected in a layer that reads the context, as the class is a
    sequence of concepts;
``class_ratio``
    within classes over between classes: 0 where a token depends only on the class of its sentence, that is on the
    sequence of concepts, and not on the choice of words.

A layer that merges the positions has no concepts, and its first three measures are NaN.

A small population is enumerated with its probabilities. Otherwise the measures are those of a sample that is fixed over
the run; there ``1/n`` of the variance from context is counted as ``word`` where ``n`` tokens are one word.
"""

from __future__ import annotations

from collections import namedtuple
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp

from simlab.metrics import geometry
from simlab.metrics.concept_variability import concept_variability
from simlab.runtime.random_keys import random_key
from simlab.tasks.batch import Batch, weighted
from simlab.tasks.sentence_task import SentenceTask

if TYPE_CHECKING:
    from jaxtyping import Float, Int

MEASURES = ("concept_ratio", "word_ratio", "context_ratio", "class_ratio")
# The most sentences that are measured, and the most numbers of the widest layer for them: 32 MB in float32.
SENTENCES, ENTRIES = 4096, 8_000_000
# The seed of the sentences: any number, the same for all members.
SEED = 0


@lru_cache(maxsize=64)
def layer_metrics(n_layers: int) -> type:
    """Return the named tuple of the metrics of a network with ``n_layers`` layers, the embedding layer included.

    Its fields are ``embedding_norm`` (root mean square), ``embedding_spread`` and ``embedding_simplex_deviation`` of
    the word vectors (see :mod:`simlab.metrics.geometry`), ``classifier_norm`` (of the vector of a class at a position,
    root mean square), then ``layer_0_concept_ratio``, ... for each layer and measure; all dimensionless scalars.
    """
    of_vectors = ("embedding_norm", "embedding_spread", "embedding_simplex_deviation", "classifier_norm")
    of_layers = (field(layer, name) for layer in range(n_layers) for name in MEASURES)
    return namedtuple("LayerMetrics", (*of_vectors, *of_layers))


def field(layer: int, name: str) -> str:
    """Return the name under which a measure of a layer is recorded; layer 0 is the embedding layer."""
    return f"layer_{layer}_{name}"


def measure(network: Any, task: SentenceTask, data: Any, width: int):
    """Return the :func:`layer_metrics` of a network.

    Args:
        network: a deep network of :mod:`simlab.networks.layers`.
        task: gives the concepts of words and the number of classes.
        data: the arrays of the realised task.
        width: numbers per sentence in the widest layer.
    """
    sentences, classes, weights = measured_sentences(task, data, width)
    hidden = network.hidden(sentences)
    embeddings, classifier = network.representation(data), network.classifier[...]
    concepts = jnp.arange(task.n_words) // task.words_per_concept
    membership = geometry.membership_matrix(concepts, task.n_concepts, embeddings.dtype)
    layers = [value for tokens in hidden for value in measure_layer(tokens, task, sentences, classes, weights)]
    return layer_metrics(len(hidden))(
        geometry.root_mean_square(geometry.norms(embeddings)),
        geometry.direction_spread(embeddings, membership),
        geometry.simplex_deviation(embeddings, membership),
        geometry.root_mean_square(geometry.norms(classifier)),
        *layers,
    )


def measured_sentences(task: SentenceTask, data: Any, width: int) -> Batch:
    """Return every sentence with its probability if there are few, otherwise a sample of bounded size.

    The sample does not depend on settings of JAX, such as its default generator or an offset of seeds.
    """
    limit = max(1, min(SENTENCES, ENTRIES // width))
    if task.n_examples <= limit:
        return data.population()
    with jax.threefry_partitionable(True):
        return weighted(task.draw(random_key(SEED), data, limit))


def measure_layer(
    tokens: Float[jax.Array, "B P m"],
    task: SentenceTask,
    sentences: Int[jax.Array, "B L"],
    classes: Int[jax.Array, " B"],
    weights: Float[jax.Array, " B"],
) -> tuple[Float[jax.Array, ""], ...]:
    """Return the values of :data:`MEASURES` for the tokens ``Float[B, P, m]`` of a layer."""
    n_sentences, n_positions, _ = tokens.shape
    weights = jnp.asarray(weights, tokens.dtype)
    labels = jnp.broadcast_to(classes[:, None], (n_sentences, n_positions))
    of_classes = concept_variability(tokens, labels, weights=weights, n_groups=task.n_classes)
    if n_positions < task.sentence_length:
        return (jnp.full((), jnp.nan, tokens.dtype),) * 3 + (of_classes.ratio,)
    concepts = sentences // task.words_per_concept
    sizes = {"n_groups": task.n_concepts, "n_words": task.n_words}
    of_concepts = concept_variability(tokens, concepts, sentences, weights, **sizes)
    parts = (of_concepts._replace(within=part) for part in (of_concepts.within, of_concepts.word, of_concepts.context))
    return (*(part.ratio for part in parts), of_classes.ratio)
