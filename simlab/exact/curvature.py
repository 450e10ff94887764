"""The Hessian of a risk at a minimiser, separated from its gauge directions, along which it vanishes.

A *gauge* direction is one along which the logits and the penalty of the network are constant. These are

* ``h``: rotations ``R`` in ``O(d)`` of all vectors together. A configuration of rank ``r`` has an orbit of dimension
  ``d(d-1)/2 - (d-r)(d-r-1)/2``, since rotations of the orthogonal complement of all vectors change nothing;
* ``h*``: rotations that fix the ones vector, hence the same number with ``d - 1`` instead of ``d``, where ``r`` is the
  rank of the normalised words and the classifier; and for each word its norm and its mean, which LayerNorm removes. For
  a word that occurs in no sentence all ``d`` directions are free.

Several heads add no gauge directions: logits common to all classes of a head are free in the cross-entropy, but not in
the penalty.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from simlab.exact.risk import RiskData, Shape, risk, unpack

if TYPE_CHECKING:
    from jaxtyping import Bool, Float

# The most parameters of a dense Hessian, which then has 32 MB.
PARAMETER_LIMIT = 2000
# Entries of (columns, sentences, classes) that one block of columns of the Hessian may occupy.
BLOCK_ENTRIES = 4_000_000
# Singular values below this, or below this share of the largest, do not count towards the rank.
RANK_TOLERANCE = 1e-7
# Eigenvalues below this share of the largest row sum are flat directions.
FLAT_TOLERANCE = 1e-10


class Curvature(NamedTuple):
    """The Hessian at a point.

    Attributes:
        smallest: its smallest eigenvalue orthogonal to the gauge: negative at a saddle, positive at a strict minimum.
            Under LayerNorm it is taken for words of norm ``sqrt(d)``.
        flat_directions: number of directions, gauge directions included, in which the Hessian vanishes up to rounding.
        gauge_directions: number of gauge directions.
    """

    smallest: float
    flat_directions: int
    gauge_directions: int


NO_CURVATURE = Curvature(np.nan, -1, -1)


def curvature(shape: Shape, data: RiskData, point: Float[np.ndarray, " P"], gradient_norm: float) -> Curvature:
    """Return the curvature at a critical point, or ``NO_CURVATURE`` for too many parameters or a diverged run.

    Args:
        shape: sizes.
        data: arrays of the risk.
        point: ``Float64[P]``, words of norm ``sqrt(d)`` under LayerNorm.
        gradient_norm: at ``point``; eigenvalues of up to ten times this size count as zero.

    Call in float64.
    """
    if shape.n_parameters > PARAMETER_LIMIT or not np.isfinite(gradient_norm):
        return NO_CURVATURE
    block = max(1, min(shape.n_parameters, BLOCK_ENTRIES // data.targets.size))
    matrix = np.asarray(hessian(data, point, shape=shape, block=block))
    matrix = (matrix + matrix.T) / 2
    used = np.any(data.one_hot.reshape(-1, shape.length, shape.n_words), axis=(0, 1))
    embeddings, classifier = unpack(shape, point)
    expected = gauge_dimension(embeddings, classifier, used, shape.layer_norm)
    tangents = gauge_tangents(embeddings, classifier, used, shape.layer_norm)
    gauge = np.linalg.svd(tangents, full_matrices=False)[2][:expected]
    largest = np.abs(matrix).sum(axis=1).max()
    # Gauge directions are given the largest eigenvalue, so that the smallest one is orthogonal to the gauge.
    projector = np.eye(len(matrix)) - gauge.T @ gauge
    spectrum = np.linalg.eigvalsh(projector @ matrix @ projector + largest * (gauge.T @ gauge))
    flatness = np.concatenate([np.abs(spectrum), np.linalg.svd(gauge @ matrix, compute_uv=False)])
    flat = np.sum(flatness <= max(FLAT_TOLERANCE * largest, 10 * gradient_norm))
    return Curvature(float(spectrum[0]), int(flat), expected)


@partial(jax.jit, static_argnames=("shape", "block"))
def hessian(data: RiskData, point: Float[jax.Array, " P"], *, shape: Shape, block: int) -> Float[jax.Array, "P P"]:
    """Return the Hessian of the risk, ``Float64[P, P]``, computed in blocks of ``block`` columns."""
    _, product = jax.linearize(jax.grad(partial(risk, shape, data)), point)
    return jax.lax.map(product, jnp.eye(len(point)), batch_size=block)


def gauge_dimension(
    embeddings: Float[np.ndarray, "n_w d"],
    classifier: Float[np.ndarray, "K L d"],
    used: Bool[np.ndarray, " n_w"],
    layer_norm: bool,
) -> int:
    """Return the number of gauge directions of a configuration, by the formula of the module docstring.

    Args:
        embeddings: ``Float[n_w, d]``, of norm ``sqrt(d)`` and mean 0 under LayerNorm.
        classifier: ``Float[K, L, d]``.
        used: ``Bool[n_w]``, whether the word occurs in a sentence.
        layer_norm: whether words are normalised.
    """
    dim = embeddings.shape[1]
    vectors = np.concatenate([embeddings[used], classifier.reshape(-1, dim)])
    if layer_norm:
        vectors, dim = vectors - vectors.mean(axis=1, keepdims=True), dim - 1
    values = np.linalg.svd(vectors, compute_uv=False)
    rank = int(np.sum(values > RANK_TOLERANCE * max(values[0], 1.0)))
    rotations = dim * (dim - 1) // 2 - (dim - rank) * (dim - rank - 1) // 2
    own = 2 * int(used.sum()) + (dim + 1) * int((~used).sum()) if layer_norm else 0
    return rotations + own


def gauge_tangents(
    embeddings: Float[np.ndarray, "n_w d"],
    classifier: Float[np.ndarray, "K L d"],
    used: Bool[np.ndarray, " n_w"],
    layer_norm: bool,
) -> Float[np.ndarray, "T P"]:
    """Return vectors that span the gauge directions, ``Float64[T, P]``; they may be linearly dependent."""
    n_words, dim = embeddings.shape
    vectors = np.concatenate([embeddings * used[:, None], classifier.reshape(-1, dim)])
    axes = np.eye(dim)
    if layer_norm:
        axes = np.linalg.svd(np.ones((1, dim)))[2][1:]
    along = vectors @ axes.T
    rows = [np.outer(along[:, i], axes[j]) - np.outer(along[:, j], axes[i]) for i in range(len(axes)) for j in range(i)]
    rows = np.array(rows).reshape(len(rows), -1)
    if not layer_norm:
        return rows
    own = np.zeros((n_words, dim, *vectors.shape))
    for word, is_used in enumerate(used):
        directions = [embeddings[word], np.ones(dim)] if is_used else np.eye(dim)
        own[word, : len(directions), word] = directions
    return np.concatenate([rows, own.reshape(n_words * dim, -1)])
