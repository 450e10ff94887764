"""InfoNCE of the embeddings of a batch of pairs, as functions of arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING

import jax
import jax.numpy as jnp

from simlab.losses.pair_scores import mean_loss

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

    No matrix of all pairs is built (:mod:`simlab.losses.pair_scores`).

    Args:
        first: the anchors.
        second: their positives, row by row.
        temperature: ``tau`` of ``s = exp(-|z - z'|^2/(2 tau))``, ``exp(z.z'/tau)``, or the latter for unit vectors.
        similarity: ``distance``, ``dot`` or ``cosine``.
        negatives: the negatives of an anchor: the other examples in ``first``, in ``second``, or in ``both``; with two
            sides the last is the loss of SimCLR (Chen et al., 2020).
        is_two_sided: whether the loss is the mean over both choices of the anchor's view.
    """
    size = len(first)
    if similarity == "cosine":
        first, second = unit_vectors(first), unit_vectors(second)
    positive = _similarity(first, second, similarity) / temperature
    anchors, others = zip(*(_factors(side, temperature, similarity) for side in (first, second)), strict=True)
    if negatives == "second":  # one matrix of scores serves both sides
        return mean_loss(anchors[0], others[1], positive, size, is_two_sided)
    n_sides = 2 if is_two_sided else 1
    if negatives == "both":
        rows = jnp.concatenate(anchors[:n_sides])
        return mean_loss(rows, jnp.concatenate(others), jnp.tile(positive, n_sides), size, False)
    sides = zip(anchors[:n_sides], others[:n_sides], strict=True)
    return jnp.mean(jnp.stack([mean_loss(rows, columns, positive, size, False) for rows, columns in sides]))


def _similarity(anchors: Float[Array, "B m"], partners: Float[Array, "B m"], similarity: str) -> Float[Array, " B"]:
    """Return ``tau log s`` of each pair."""
    if similarity == "distance":
        return -jnp.sum((anchors - partners) ** 2, axis=1) / 2
    return jnp.sum(anchors * partners, axis=1)


def _factors(
    vectors: Float[Array, "B m"], temperature: jax.Array | float, similarity: str
) -> tuple[Float[Array, "B n"], Float[Array, "B n"]]:
    """Return vectors whose inner products are the logarithms of similarities: one set as anchors, one as partners.

    A distance is an inner product in two more dimensions, ``-|z - z'|^2/2 = z.z' - |z|^2/2 - |z'|^2/2``.
    """
    scaled = vectors / temperature
    if similarity != "distance":
        return scaled, vectors
    height, ones = jnp.sum(scaled * vectors, axis=1, keepdims=True) / -2, jnp.ones_like(vectors[:, :1])
    return jnp.concatenate([scaled, height, ones], axis=1), jnp.concatenate([vectors, ones, height], axis=1)


def unit_vectors(vectors: Float[Array, "B m"]) -> Float[Array, "B m"]:
    """Return vectors of norm 1; a zero vector stays zero."""
    squares = jnp.sum(vectors**2, axis=1, keepdims=True)
    return vectors * jax.lax.rsqrt(jnp.where(squares > 0, squares, 1.0))
