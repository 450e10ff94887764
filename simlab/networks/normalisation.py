"""Normalisations of word vectors, applied to the table of the whole vocabulary before words are looked up.

================ ========================================= =====================
kind             image of a word vector ``w`` in ``R^d``   trainable parameters
================ ========================================= =====================
``none``         ``w``                                     none
``layer``        ``(w - mean(w)) / std(w)``                none
``layer-affine`` ``gamma * (w - mean(w)) / std(w) + beta`` ``scale``, ``offset``
``rms``          ``w / sqrt(mean(w^2))``                   none
``rms-affine``   ``gamma * w / sqrt(mean(w^2))``           ``scale``
``batch``        mean 0 and variance 1 over the words, in  none
                 each coordinate
================ ========================================= =====================

Denominators have no regulariser: every kind but ``none`` is exactly invariant to the scale of its argument, as the
theory requires, and gives NaN where the denominator is zero (a constant vector, a zero vector, a constant coordinate),
or noise if a mean is rounded.

Sources: Ba, Kiros, Hinton (arXiv 1607.06450) for ``layer``; Zhang, Sennrich (arXiv 1910.07467) for ``rms``; Ioffe,
Szegedy (arXiv 1502.03167) for ``batch``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import jax
import jax.numpy as jnp
from flax import nnx

from simlab.networks.layer_norm import layer_norm
from simlab.networks.names import NORMALISATIONS
from simlab.validation import check_choice, check_count

if TYPE_CHECKING:
    from jaxtyping import Array, Float


class Normalisation(nnx.Module):
    """One of the normalisations in the table of this module.

    Args:
        kind: one of ``NORMALISATIONS``.
        dim: ``d``.
        dtype: of the parameters.

    Attributes:
        scale: ``gamma``, ``Float[d]``, initially 1; only for the affine kinds.
        offset: ``beta``, ``Float[d]``, initially 0; only for ``layer-affine``.

    Raises:
        ValueError: the kind is unknown, or ``dim`` is not a positive whole number.
    """

    def __init__(self, kind: str, dim: int, dtype: jnp.dtype = jnp.float32):
        check_count("dim", dim)
        self.kind = check_choice("kind", kind, NORMALISATIONS)
        if kind.endswith("-affine"):
            self.scale = nnx.Param(jnp.ones(dim, dtype))
        if kind == "layer-affine":
            self.offset = nnx.Param(jnp.zeros(dim, dtype))

    def __call__(
        self, vectors: Float[Array, "*batch d"], weights: Float[Array, " N"] | None = None
    ) -> Float[Array, "*batch d"]:
        """Return the normalised table.

        Args:
            vectors: ``Float[N, d]``, one row per word; all kinds but ``batch`` accept ``Float[..., d]``.
            weights: ``Float[N]``, the share of each word among all occurrences; they sum to 1. Used only by ``batch``;
                None means equal shares.

        Returns:
            ``Float`` of the shape of ``vectors``.
        """
        if self.kind == "none":
            return vectors
        if self.kind == "batch":
            return batch_norm(vectors, weights)
        image = layer_norm(vectors) if self.kind.startswith("layer") else rms_norm(vectors)
        if self.kind.endswith("-affine"):
            image = image * jnp.broadcast_to(self.scale[...], image.shape)
        if self.kind == "layer-affine":
            image = image + jnp.broadcast_to(self.offset[...], image.shape)
        return image


def rms_norm(vectors: Float[Array, "*batch d"]) -> Float[Array, "*batch d"]:
    """Scale the last axis to the norm ``sqrt(d)``: ``w / sqrt(mean(w^2))``.

    Args:
        vectors: ``Float[..., d]``; a zero vector gives NaN.

    Returns:
        ``Float[..., d]``.
    """
    scaled = _scale_to_one(vectors, axis=-1)
    return scaled * jax.lax.rsqrt(jnp.mean(scaled**2, axis=-1, keepdims=True))


def batch_norm(vectors: Float[Array, "N d"], weights: Float[Array, " N"] | None = None) -> Float[Array, "N d"]:
    """Give each coordinate mean 0 and variance 1 under the weights of the vectors.

    With the frequencies of words as weights this is batch normalisation over the words of an infinite batch.

    Args:
        vectors: ``Float[N, d]``; a coordinate that is the same in all vectors gives NaN, or noise by rounding.
        weights: ``Float[N]``, summing to 1; None means ``1/N``.

    Returns:
        ``Float[N, d]``.
    """
    if weights is None:
        weights = jnp.full(len(vectors), 1 / len(vectors), vectors.dtype)
    column = weights[:, None]
    centred = vectors - jnp.sum(column * vectors, axis=0, keepdims=True)
    scaled = _scale_to_one(centred, axis=0)
    return scaled * jax.lax.rsqrt(jnp.sum(column * scaled**2, axis=0, keepdims=True))


def _scale_to_one(vectors: jax.Array, axis: int) -> jax.Array:
    """Scale vectors along ``axis`` by the power of two that brings their largest absolute entry into [1/2, 1).

    The product is exact and prevents the squares of tiny vectors from underflowing.
    """
    _, exponent = jnp.frexp(jax.lax.stop_gradient(jnp.abs(vectors).max(axis=axis, keepdims=True)))
    return vectors * jnp.ldexp(jnp.ones_like(vectors, shape=exponent.shape), -exponent)
