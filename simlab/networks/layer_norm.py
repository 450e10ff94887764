"""Layer normalisation without parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING

import jax
import jax.numpy as jnp

if TYPE_CHECKING:
    from jaxtyping import Array, Float


def layer_norm(vectors: Float[Array, "*batch d"]) -> Float[Array, "*batch d"]:
    """Normalise the last axis: ``(w - mean(w)) / std(w)``, so that the norm becomes ``sqrt(d)``.

    No parameters and no regulariser in the denominator: the result does not depend on the scale of ``w``, as the
    theory requires. A constant vector has no such image: it gives NaN, or noise where its mean has to be rounded.

    Args:
        vectors: ``Float[..., d]``.

    Returns:
        ``Float[..., d]``.
    """
    centred = vectors - vectors.mean(axis=-1, keepdims=True)
    # Scaling by a power of two is exact and keeps the squares of tiny vectors from underflowing.
    _, exponent = jnp.frexp(jax.lax.stop_gradient(jnp.abs(centred).max(axis=-1, keepdims=True)))
    scaled = centred * jnp.ldexp(jnp.ones_like(centred[..., :1]), -exponent)
    return scaled * jax.lax.rsqrt(jnp.mean(scaled**2, axis=-1, keepdims=True))
