"""Pooling: the vector of a sentence from those of its tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING

import jax.numpy as jnp

if TYPE_CHECKING:
    from jaxtyping import Array, Bool, Float


def pool(tokens: Float[Array, "B L d"], is_seen: Bool[Array, "B L"] | None, pooling: str) -> Float[Array, "B d"]:
    """Return the mean, the elementwise maximum, or the first token, divided by ``sqrt(d)``.

    Args:
        tokens: of norm ``sqrt(d)`` after a LayerNorm.
        is_seen: True for tokens that count; None for all. The vector of a sentence without such tokens is 0.
        pooling: ``mean``, ``max`` or ``cls``, the first token, which ``is_seen`` does not affect.
    """
    scale = tokens.shape[-1] ** -0.5
    if pooling == "cls":
        return scale * tokens[:, 0]
    if is_seen is None:
        return scale * (tokens.mean(axis=1) if pooling == "mean" else tokens.max(axis=1))
    seen, any_seen = is_seen[:, :, None], is_seen.any(axis=1)[:, None]
    if pooling == "mean":
        counts = jnp.maximum(is_seen.sum(axis=1), 1)[:, None]
        return scale * jnp.sum(jnp.where(seen, tokens, 0), axis=1) / counts
    largest = jnp.max(jnp.where(seen, tokens, jnp.finfo(tokens.dtype).min), axis=1)
    return scale * jnp.where(any_seen, largest, 0)
