"""A free vector for each class: contrastive learning without the constraints of an encoder."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from simlab.networks.encoders.pairs import PairEncoder

if TYPE_CHECKING:
    from jaxtyping import Array, Float, Int


class ClassVectors(PairEncoder):
    """All sentences of class ``k`` have the vector ``z_k``, a parameter.

    Args:
        n_classes: ``K``.
        dim: ``d``.
        initial_scale: root-mean-square norm of the initial vectors; their norm if there is an angle. May be traced.
        initial_angle: ``th``, radians: initial vectors lie on a cone, ``cos(th) m + sin(th) u_k`` times the scale, with
            ``m`` a random direction and the ``u_k`` orthogonal to it. None for normal vectors.
        has_random_directions: whether the ``u_k`` of a cone are random; otherwise they are the vertices of a simplex.
        dtype: of the weights.
        rngs: the stream ``params`` is used.
    """

    def __init__(
        self,
        *,
        n_classes: int,
        dim: int,
        initial_scale: jax.Array | float = 1.0,
        initial_angle: float | None = None,
        has_random_directions: bool = False,
        dtype: jnp.dtype = jnp.float32,
        rngs: nnx.Rngs,
    ):
        if initial_angle is None:
            vectors = jax.random.normal(rngs.params(), (n_classes, dim), dtype) / dim**0.5
        else:
            normal = jax.random.normal(rngs.params(), (dim, n_classes + has_random_directions), dtype)
            axis, around = (_random_directions if has_random_directions else _simplex)(normal)
            vectors = jnp.cos(initial_angle) * axis[None] + jnp.sin(initial_angle) * around
        self.vectors = nnx.Param((initial_scale * vectors).astype(dtype))

    def __call__(self, classes: Int[Array, " B"]) -> Float[Array, "B d"]:
        """Return the vectors of the given classes."""
        return self.vectors[...][classes]

    def representation(self, data: Any) -> dict[str, jax.Array]:
        """Return ``vectors``, ``Float[K, d]``, of all classes."""
        return {"vectors": self.vectors[...]}


def _random_directions(normal: Float[Array, "d n"]) -> tuple[Float[Array, " d"], Float[Array, "n d"]]:
    """Return a random direction, and n random unit vectors orthogonal to it, with mean near zero."""
    axis = normal[:, 0] / jnp.linalg.norm(normal[:, 0])
    around = (normal[:, 1:] - jnp.mean(normal[:, 1:], axis=1, keepdims=True)).T
    around = around - jnp.outer(around @ axis, axis)
    return axis, around / jnp.linalg.norm(around, axis=1, keepdims=True)


def _simplex(normal: Float[Array, "d n"]) -> tuple[Float[Array, " d"], Float[Array, "n d"]]:
    """Return a random direction, and the n vertices of a simplex orthogonal to it."""
    count = normal.shape[1]
    frame = jnp.linalg.qr(normal)[0]
    basis = np.linalg.qr(np.hstack([np.ones((count, 1)), np.eye(count)[:, 1:]]))[0][:, 1:]
    return frame[:, 0], (count / (count - 1)) ** 0.5 * jnp.asarray(basis, normal.dtype) @ frame[:, 1:].T
