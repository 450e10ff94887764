"""InfoNCE of the embeddings of a batch of pairs, as functions of arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING

import jax
import jax.numpy as jnp

if TYPE_CHECKING:
    from jaxtyping import Array, Float


def info_nce(
    first: Float[Array, "B m"],
    second: Float[Array, "B m"],
    temperature: jax.Array | float,
    *,
    similarity: str,
    negatives: str = "second",
    is_two_sided: bool = False,
) -> Float[Array, ""]:
    """Return ``mean_i log sum_j s(z_i, z_j)/s(z_i, z_i+)``, nats; the sum runs over the positive and the negatives.

    Args:
        first: the anchors.
        second: their positives, row by row.
        temperature: ``tau`` of ``s = exp(-|z - z'|^2/(2 tau))``, ``exp(z.z'/tau)``, or the same of unit vectors.
        similarity: ``distance``, ``dot`` or ``cosine``.
        negatives: whose embeddings are the negatives, ``first`` or ``second``.
        is_two_sided: whether the two then change places, and the loss is the mean of both.
    """
    if similarity == "cosine":
        first, second = unit_vectors(first), unit_vectors(second)
    positive = _similarity(first, second, similarity) / temperature
    if negatives == "second":  # one matrix serves both sides
        scores = _all_similarities(first, second, similarity) / temperature
        sides = [scores, scores.T] if is_two_sided else [scores]
    else:
        anchors = [first, second] if is_two_sided else [first]
        sides = [_all_similarities(side, side, similarity) / temperature for side in anchors]
    return jnp.mean(jnp.stack([_mean_loss(scores, positive) for scores in sides]))


def _similarity(anchors: Float[Array, "B m"], partners: Float[Array, "B m"], similarity: str) -> Float[Array, " B"]:
    """Return the logarithm of the similarity of each pair, times tau."""
    if similarity == "distance":
        return -jnp.sum((anchors - partners) ** 2, axis=1) / 2
    return jnp.sum(anchors * partners, axis=1)


def _all_similarities(
    anchors: Float[Array, "B m"], others: Float[Array, "B m"], similarity: str
) -> Float[Array, "B B"]:
    """Return the same of each anchor with every other embedding."""
    inner = anchors @ others.T
    if similarity != "distance":
        return inner
    return inner - (jnp.sum(anchors**2, axis=1)[:, None] + jnp.sum(others**2, axis=1)[None, :]) / 2


def _mean_loss(scores: Float[Array, "B B"], positive: Float[Array, " B"]) -> Float[Array, ""]:
    """Return the mean loss of anchors, the rows; on the diagonal their positives take the place of any score."""
    scores = jnp.where(jnp.eye(len(positive), dtype=bool), positive[:, None], scores)
    return jnp.mean(jax.nn.logsumexp(scores, axis=1) - positive)


def unit_vectors(vectors: Float[Array, "B m"]) -> Float[Array, "B m"]:
    """Return vectors of norm 1; a zero vector stays zero."""
    squares = jnp.sum(vectors**2, axis=1, keepdims=True)
    return vectors * jax.lax.rsqrt(jnp.where(squares > 0, squares, 1.0))
