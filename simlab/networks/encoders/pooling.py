"""One vector for a sentence from those of its tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING

import jax.numpy as jnp

if TYPE_CHECKING:
    from jaxtyping import Array, Bool, Float


def pool(tokens: Float[Array, "B L d"], is_seen: Bool[Array, "B L"] | None, pooling: str) -> Float[Array, "B d"]:
    """Return the mean, the largest entries, or the first token, over ``sqrt(d)``: of norm 1 at most for pinned tokens.

    Args:
        tokens: of norm ``sqrt(d)`` behind a LayerNorm.
        is_seen: which tokens count; None for all. A sentence of which none counts has the vector 0.
        pooling: ``mean``, ``max`` (entry by entry) or ``cls``, the first token whatever it is.
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
