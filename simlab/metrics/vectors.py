"""What is recorded over training of the vectors of words (or samples) and of the classifier."""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from simlab.metrics import geometry


class VectorMetrics(NamedTuple):
    """Norms (root mean squares), spread of directions and deviation from a simplex, each a dimensionless scalar.

    For spread and deviation see :mod:`simlab.metrics.geometry`.
    """

    embedding_norm: jax.Array
    classifier_norm: jax.Array
    embedding_spread: jax.Array
    classifier_spread: jax.Array
    embedding_simplex_deviation: jax.Array
    classifier_simplex_deviation: jax.Array


def measure(network, task, data) -> VectorMetrics:
    """Return the metrics of a network's vectors.

    Args:
        network: a module with ``representation(data)`` and ``classifier``.
        task: tells to which group each vector belongs.
        data: the arrays of the realised task.
    """
    embeddings = network.representation(data)
    classifier = network.classifier[...].reshape(-1, embeddings.shape[-1])
    *groupings, n_groups = task.groups(data)
    sets = [
        (vectors, geometry.membership_matrix(jnp.asarray(groups), n_groups, embeddings.dtype))
        for vectors, groups in zip((embeddings, classifier), groupings, strict=True)
    ]
    measures = (
        lambda vectors, _: geometry.root_mean_square(geometry.norms(vectors)),
        geometry.direction_spread,
        geometry.simplex_deviation,
    )
    return VectorMetrics(*(measure(vectors, membership) for measure in measures for vectors, membership in sets))
