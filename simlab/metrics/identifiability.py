"""Identifiability of the coordinates of a hidden manifold from an embedding: linear maps, and degrees on the sphere."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from jaxtyping import Float


class LinearIdentifiability(NamedTuple):
    """The linear relation between the coordinates of a manifold and an embedding.

    Attributes:
        r_squared: R^2 of the best affine map from embedding to coordinates: ``1 - residual/variance``, over all
            coordinates together; NaN for features or coordinates that are not finite, or constant coordinates.
        singular_values: ``Float[k]``, of the best affine map from coordinates to embedding, largest first. If they are
            equal, the image is similar to the manifold; if they are 1, it is isometric.
    """

    r_squared: float
    singular_values: Float[np.ndarray, " k"]


def linear_identifiability(
    embeddings: Float[np.ndarray, "N d"], coordinates: Float[np.ndarray, "N k"]
) -> LinearIdentifiability:
    """Return R^2 and singular values. Features independent of the coordinates have an R^2 of about ``d/N``.

    Args:
        embeddings: of points, as rows; many more points than dimensions are needed.
        coordinates: of the same points.
    """
    embeddings, coordinates = np.asarray(embeddings, float), np.asarray(coordinates, float)
    n_coordinates = coordinates.shape[1]
    centred = coordinates - coordinates.mean(axis=0)
    variance = np.sum(centred**2)
    if not (np.all(np.isfinite(embeddings)) and np.isfinite(variance) and variance > 0):
        return LinearIdentifiability(np.nan, np.full(n_coordinates, np.nan))
    features = embeddings - embeddings.mean(axis=0)
    residual = centred - features @ np.linalg.lstsq(features, centred, rcond=None)[0]
    singular = np.linalg.svd(np.linalg.lstsq(centred, features, rcond=None)[0], compute_uv=False)
    singular = np.pad(singular, (0, n_coordinates - len(singular)))
    return LinearIdentifiability(float(1 - np.sum(residual**2) / variance), singular)


def sphere_degree(points: Float[np.ndarray, "N 3"], images: Float[np.ndarray, "N 3"]) -> float:
    """Return the degree of a map of the sphere to itself: how often it covers the sphere, signed by orientation.

    The degree is 1 for a rotation, -1 for one with a reflection, and 0 for a folded map, whose orientations cancel. It
    is the sum of the oriented areas of the images of triangles between neighbours, over the area of the sphere: a whole
    number up to rounding, and the true degree if the images of neighbours are less than a right angle apart.

    Args:
        points: unit vectors all over the sphere.
        images: images of these points, not zero; the result is NaN if some are not finite.
    """
    from scipy.spatial import ConvexHull

    if not np.all(np.isfinite(images)):
        return float("nan")
    points, images = np.asarray(points, float), np.asarray(images, float)
    images = images / np.linalg.norm(images, axis=1, keepdims=True)
    corners = ConvexHull(points).simplices
    turns = np.sign(np.linalg.det(points[corners]))
    first, second, third = (images[corners[:, place]] for place in range(3))
    volume = np.sum(first * np.cross(second, third), axis=1)
    products = [np.sum(a * b, axis=1) for a, b in ((first, second), (second, third), (third, first))]
    angles = 2 * np.arctan2(volume, 1 + sum(products))  # Van Oosterom and Strackee, 1983
    return float(np.sum(turns * angles) / (4 * np.pi))
