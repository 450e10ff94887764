"""Manifolds in the coordinates of an isometric embedding, and the non-linear map from coordinates to observations.

The circle has the coordinates ``(cos a, sin a)``, the torus ``(cos a, sin a, cos b, sin b)``, the sphere those of unit
vectors. Observations are ``sin(B z + c)`` with random ``B`` and ``c``. Each component of an observation oscillates
several times over the manifold, so that no linear map recovers the coordinates.
"""

from __future__ import annotations

from math import isqrt
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from simlab.tasks.batch import AnyArray
from simlab.validation import check_choice, invalid

if TYPE_CHECKING:
    from jaxtyping import Float

MANIFOLDS = ("circle", "torus", "sphere")
COORDINATES = {"circle": 2, "torus": 4, "sphere": 3}
FEWEST_POINTS = 8
_GOLDEN_ANGLE = np.pi * (3 - np.sqrt(5))


class SineMap(NamedTuple):
    """``z -> sin(B z + c)``.

    Attributes:
        directions: ``B``, ``Float[D, k]``.
        phases: ``c``, ``Float[D]``, radians.
    """

    directions: AnyArray
    phases: AnyArray

    def __call__(self, latents: Float[AnyArray, "N k"]) -> Float[AnyArray, "N D"]:
        """Return the observations of points. Any backend."""
        xp = latents.__array_namespace__()
        return xp.sin(latents @ self.directions.T + self.phases[None])


def draw_map(n_coordinates: int, observed_dim: int, frequency: float, seed: int) -> SineMap:
    """Return a random map; the entries of ``B`` are normal with standard deviation ``frequency``."""
    rng = np.random.default_rng(seed)
    directions = frequency * rng.standard_normal((observed_dim, n_coordinates))
    return SineMap(directions, rng.uniform(0, 2 * np.pi, observed_dim))


def check_manifold(manifold: str, n_points: int) -> None:
    """Raise ``ValueError`` for an unknown manifold, too few points, or a torus without a square number of them."""
    check_choice("manifold", manifold, MANIFOLDS)
    if n_points < FEWEST_POINTS:
        raise invalid("n_points", f"at least {FEWEST_POINTS}", n_points)
    if manifold == "torus" and isqrt(n_points) ** 2 != n_points:
        raise invalid("n_points", "a square number on the torus", n_points)


def grid_coordinates(manifold: str, n_points: int) -> Float[np.ndarray, "N k"]:
    """Return evenly spread points: a regular grid of angles, or the golden-angle spiral on the sphere."""
    if manifold == "sphere":
        index = np.arange(n_points)
        height = 1 - (2 * index + 1) / n_points
        radius, angle = np.sqrt(1 - height**2), _GOLDEN_ANGLE * index
        return np.stack([radius * np.cos(angle), radius * np.sin(angle), height], axis=1)
    if manifold == "circle":
        return _circle(n_points)
    side = isqrt(n_points)
    first, second = np.repeat(_circle(side), side, axis=0), np.tile(_circle(side), (side, 1))
    return np.concatenate([first, second], axis=1)


def random_coordinates(manifold: str, n_points: int, rng: np.random.Generator) -> Float[np.ndarray, "N k"]:
    """Return independent points, uniform on the manifold."""
    if manifold == "sphere":
        normal = rng.standard_normal((n_points, 3))
        return normal / np.linalg.norm(normal, axis=1, keepdims=True)
    angles = rng.uniform(0, 2 * np.pi, (n_points, COORDINATES[manifold] // 2))
    return np.stack([np.cos(angles), np.sin(angles)], axis=2).reshape(n_points, -1)


def wrapped_normal_kernel(n_points: int, width: float) -> Float[np.ndarray, "n n"]:
    """Return the probabilities of partners on a ring of ``n`` equally spaced angles: a wrapped normal distribution.

    Args:
        n_points: ``n``.
        width: standard deviation of the angle between the points of a pair, radians.
    """
    turns = np.arange(-np.ceil(2 + 7 * width / np.pi), np.ceil(3 + 7 * width / np.pi))
    angles = 2 * np.pi * (np.arange(n_points)[:, None] / n_points + turns)
    row = np.exp(-(angles**2) / (2 * width**2)).sum(axis=1)
    shifts = (np.arange(n_points)[:, None] - np.arange(n_points)) % n_points
    return (row / row.sum())[shifts]


def sphere_kernel(
    points: Float[np.ndarray, "N 3"], concentration: float, *, is_folded: bool
) -> Float[np.ndarray, "N N"]:
    """Return the density of partners on the sphere, up to a constant: ``exp(kappa z.z')``, von Mises-Fisher.

    Args:
        points: ``z``, unit vectors.
        concentration: ``kappa``.
        is_folded: whether a partner in the other hemisphere, with the other sign of the third coordinate, is mirrored
            into the hemisphere of the point.
    """
    density = np.exp(concentration * (points @ points.T - 1))
    if not is_folded:
        return density
    mirrored = np.exp(concentration * (points @ mirror(points).T - 1))
    sides = np.sign(points[:, 2])
    return np.where(sides[:, None] == sides, density + mirrored, 0.0)


def mirror(points: Float[AnyArray, "N 3"]) -> Float[AnyArray, "N 3"]:
    """Return points with the third coordinate negated. Any backend."""
    xp = points.__array_namespace__()
    return points * xp.asarray([1.0, 1.0, -1.0], dtype=points.dtype)[None]


def _circle(n_points: int) -> Float[np.ndarray, "n 2"]:
    angle = 2 * np.pi * np.arange(n_points) / n_points
    return np.stack([np.cos(angle), np.sin(angle)], axis=1)
