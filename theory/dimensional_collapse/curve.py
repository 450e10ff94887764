"""The variance of a direction after training: ``c = f(t)``, one curve for all linear encoders.

For Gaussian pairs and the similarity ``exp(-|z - z'|^2/2)`` the expected loss of an encoder is a sum over directions of

    g(c; t) = t c/2 - log(1 + c)/2 + 1/(2 (1 + c)),     c >= 0

with ``c`` the variance of the embedding along the direction, and ``t`` the ratio of the variance of the difference of a
positive pair to the variance of an input (see `pairs`). With ``y = 1/(1 + c)`` its slope is ``(t - y - y^2)/2``, which
increases with ``c``. So the minimum is at ``y + y^2 = t`` if this has a root y < 1, and at ``c = 0`` if ``t >= 2``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from jaxtyping import Float

# A direction collapses iff its ratio is at least this.
COLLAPSE_RATIO = 2.0


def surviving_eigenvalue(ratio: Float[np.ndarray, ...]) -> Float[np.ndarray, ...]:
    """Return ``f(t) = (1/y - 1)_+`` with ``y = (sqrt(1 + 4 t) - 1)/2``.

    As ``(1 - y)(2 + y) = 2 - t``, it is ``(2 - t)/(y (2 + y))`` for t < 2, a form without cancellation at the kink.

    Args:
        ratio: ``t > 0``.
    """
    ratio = np.asarray(ratio, float)
    root = 2 * ratio / (np.sqrt(1 + 4 * ratio) + 1)  # y, without cancellation at small t
    return np.maximum(2 - ratio, 0) / (root * (2 + root))


def direction_loss(eigenvalue: Float[np.ndarray, ...], ratio: Float[np.ndarray, ...]) -> Float[np.ndarray, ...]:
    """Return ``g(c; t)``, the loss of one direction in nats, up to a constant."""
    return (ratio * eigenvalue - np.log1p(eigenvalue) + 1 / (1 + eigenvalue)) / 2


def direction_slope(eigenvalue: Float[np.ndarray, ...], ratio: Float[np.ndarray, ...]) -> Float[np.ndarray, ...]:
    """Return ``dg/dc = (t - y - y^2)/2``; at the minimum it is 0, or positive where the direction has collapsed."""
    inverse = 1 / (1 + eigenvalue)
    return (ratio - inverse - inverse**2) / 2


def direction_curvature(eigenvalue: Float[np.ndarray, ...]) -> Float[np.ndarray, ...]:
    """Return ``d^2 g/dc^2 = (y^2 + 2 y^3)/2``, positive: the loss is convex."""
    inverse = 1 / (1 + eigenvalue)
    return (inverse**2 + 2 * inverse**3) / 2
