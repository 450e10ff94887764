"""Eigenfunctions of the kernel of pairs on finitely many points, and the coordinates of the points."""

from __future__ import annotations

from math import isqrt
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from theory.hidden_manifold.spectra import ring_modes, torus_modes

if TYPE_CHECKING:
    from jaxtyping import Float

    from theory.hidden_manifold.spectra import Spectrum


class Eigenbasis(NamedTuple):
    """The largest eigenvalues of the normalised kernel of pairs on N points, and their eigenfunctions.

    Attributes:
        values: float64 (n,), largest first.
        functions: float64 (N, n), orthonormal under the weights.
        weights: probabilities of the points, float64 (N,).
        coordinates: of the points in the isometric embedding, float64 (N, k).
    """

    values: Float[np.ndarray, " n"]
    functions: Float[np.ndarray, "N n"]
    weights: Float[np.ndarray, " N"]
    coordinates: Float[np.ndarray, "N k"]


def ring_basis(n_points: int, width: float, count: int) -> Eigenbasis:
    """Return the `count` leading waves on n equally spaced angles; `width` is sigma, radians."""
    modes = ring_modes(n_points, width)
    spectrum = modes._replace(values=modes.values[:count], modes=modes.modes[:count])
    angles = 2 * np.pi * np.arange(n_points) / n_points
    return Eigenbasis(spectrum.values, _waves(angles, spectrum.modes), np.full(n_points, 1 / n_points), _circle(angles))


def torus_basis(n_points: int, width: float, count: int) -> Eigenbasis:
    """Return the `count` leading products of waves on a square grid of angles; the second angle varies fastest."""
    side = isqrt(n_points)
    spectrum: Spectrum = torus_modes(side, width, count)
    angles = 2 * np.pi * np.arange(side) / side
    first, second = np.repeat(angles, side), np.tile(angles, side)
    functions = _waves(first, spectrum.modes[:, :2]) * _waves(second, spectrum.modes[:, 2:])
    coordinates = np.hstack([_circle(first), _circle(second)])
    return Eigenbasis(spectrum.values, functions, np.full(n_points, 1 / n_points), coordinates)


def sphere_basis(n_points: int, concentration: float, count: int, *, is_folded: bool) -> Eigenbasis:
    """Return the `count` leading eigenvectors of the kernel on the golden-angle spiral, by a float64 eigensolver.

    Degrees mix slightly on the points: eigenvalues of one degree agree only to about ``1/N^{3/2}``.
    """
    points = spiral_points(n_points)
    kernel = np.exp(concentration * (points @ points.T - 1))
    if is_folded:
        kernel += np.exp(concentration * (points @ (points * [1, 1, -1]).T - 1))
        is_north = points[:, 2] > 0
        kernel *= np.equal.outer(is_north, is_north)
    weights = kernel.sum(axis=1) / kernel.sum()
    roots = np.sqrt(weights)
    values, vectors = np.linalg.eigh(kernel / kernel.sum() / np.outer(roots, roots))
    values, vectors = values[::-1][:count], vectors[:, ::-1][:, :count]
    return Eigenbasis(np.maximum(values, 0), vectors / roots[:, None], weights, points)


def spiral_points(n_points: int) -> Float[np.ndarray, "N 3"]:
    """Return points on the sphere at heights ``1 - (2 i + 1)/N``, each rotated by the golden angle from the last."""
    index = np.arange(n_points)
    heights, angles = 1 - (2 * index + 1) / n_points, np.pi * (3 - np.sqrt(5)) * index
    return np.column_stack([np.sqrt(1 - heights**2)[:, None] * _circle(angles), heights])


def _waves(angles: Float[np.ndarray, " N"], modes) -> Float[np.ndarray, "N n"]:
    """Return cosines and sines of mean square 1 on equally spaced angles."""
    values = np.stack([(np.sin if part else np.cos)(number * angles) for number, part in modes], axis=1)
    return values / np.sqrt(np.mean(values**2, axis=0))


def _circle(angles: Float[np.ndarray, " N"]) -> Float[np.ndarray, "N 2"]:
    return np.stack([np.cos(angles), np.sin(angles)], axis=1)
