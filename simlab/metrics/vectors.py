"""Metrics of the vectors of words (or samples) and of the classifier, recorded over training."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import jax
import jax.numpy as jnp

from simlab.metrics import geometry

if TYPE_CHECKING:
    from jaxtyping import Float


class VectorMetrics(NamedTuple):
    """Norms (root mean squares), spread of directions and deviation from a simplex, each a dimensionless scalar.

    For spread and deviation see :mod:`simlab.metrics.geometry`.
    """

    embedding_norm: Float[jax.Array, ""]
    classifier_norm: Float[jax.Array, ""]
    embedding_spread: Float[jax.Array, ""]
    classifier_spread: Float[jax.Array, ""]
    embedding_simplex_deviation: Float[jax.Array, ""]
    classifier_simplex_deviation: Float[jax.Array, ""]


def measure(network, task, data) -> VectorMetrics:
    """Return the metrics of a network's vectors.

    Args:
        network: a module with ``representation(data)`` and ``classifier``.
        task: gives the group of each vector, by its method ``groups``.
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
