"""Whether an embedding holds the coordinates of a hidden manifold: linear maps, and coverings of the sphere."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from jaxtyping import Float


class LinearIdentifiability(NamedTuple):
    """How linear the coordinates of a manifold are in an embedding.

    Attributes:
        r_squared: of the best linear map, with a constant, from embedding to coordinates: ``1 - residual/variance``,
            over all coordinates together; NaN for features or coordinates that are not finite, or constant coordinates.
        singular_values: of the best linear map from coordinates to embedding, largest first, ``Float[k]``; equal ones
            say that the image is similar to the manifold, ones that it is isometric.
    """

    r_squared: float
    singular_values: Float[np.ndarray, " k"]


def linear_identifiability(
    embeddings: Float[np.ndarray, "N d"], coordinates: Float[np.ndarray, "N k"]
) -> LinearIdentifiability:
    """Return R^2 and singular values. Features that know nothing have an R^2 of about ``d/N``: many points are needed.

    Args:
        embeddings: of points, as rows.
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
    """Return how often a map of the sphere to itself covers it, counted with the sign of its orientation.

    1 for a rotation, -1 with a reflection, 0 for a folded map that covers each place as often one way as the other. The
    oriented areas of the images of triangles between neighbours, over the area of the sphere: a whole number but for
    rounding, and the true one if neighbours have images less than a right angle apart.

    Args:
        points: unit vectors all over the sphere.
        images: of these points, not zero; NaN is returned where some are not finite.
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
