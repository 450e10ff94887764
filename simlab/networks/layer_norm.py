"""Layer normalisation without parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING

import jax
import jax.numpy as jnp

if TYPE_CHECKING:
    from jaxtyping import Array, Float


def layer_norm(vectors: Float[Array, "*batch d"], epsilon: float = 0.0) -> Float[Array, "*batch d"]:
    """Normalise the last axis: ``(w - mean(w)) / sqrt(var(w) + epsilon)``; without parameters.

    With ``epsilon = 0`` the norm of the result is ``sqrt(d)`` and independent of the scale of ``w``, as the theory
    requires; the result is undefined for a constant vector, which gives NaN, or noise if its mean is rounded.

    Args:
        vectors: ``Float[..., d]``.
        epsilon: added to the variance, a Python number.

    Returns:
        ``Float[..., d]``.
    """
    centred = vectors - vectors.mean(axis=-1, keepdims=True)
    if epsilon:
        return centred * jax.lax.rsqrt(jnp.mean(centred**2, axis=-1, keepdims=True) + epsilon)
    # Scaling by a power of two is exact and keeps the squares of tiny vectors from underflowing.
    _, exponent = jnp.frexp(jax.lax.stop_gradient(jnp.abs(centred).max(axis=-1, keepdims=True)))
    scaled = centred * jnp.ldexp(jnp.ones_like(centred[..., :1]), -exponent)
    return scaled * jax.lax.rsqrt(jnp.mean(scaled**2, axis=-1, keepdims=True))
