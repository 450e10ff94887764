"""Regular codes: orbits of unit vectors under a symmetry group, as geometries of superposed features.

All of them are tight frames, sum_i f_i f_i^T = (k/d) 1, so that each of k features in d dimensions has D_i = d/k.

The square is left out, as two orthogonal antipodal pairs have the same Gram matrix. Polygons with nine or more corners
are left out too: as p -> 0 seven corners save the most loss in a plane, and for larger p fewer do.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from theory.frames import equiangular_frame

if TYPE_CHECKING:
    from jaxtyping import Float

_POLYGONS = {5: "pentagon", 6: "hexagon", 7: "heptagon", 8: "octagon"}
_SIMPLICES = {1: "dedicated feature", 2: "antipodal pair", 3: "triangle", 4: "tetrahedron"}
# The exact loss of larger simplices loses more than six digits to cancellation.
_LARGEST_SIMPLEX = 12


class Code(NamedTuple):
    """A regular code.

    Args:
        name: in the singular.
        n_vectors: k.
        dim: d.
        is_polygon: whether it is a regular polygon in the plane; otherwise it is a simplex.
    """

    name: str
    n_vectors: int
    dim: int
    is_polygon: bool

    def vectors(self) -> Float[np.ndarray, "d k"]:
        """Return the unit vectors f_i as columns."""
        if self.is_polygon:
            angles = 2 * math.pi * np.arange(self.n_vectors) / self.n_vectors
            return np.stack([np.cos(angles), np.sin(angles)])
        if self.n_vectors == 1:
            return np.ones((1, 1))
        return equiangular_frame(self.n_vectors, self.dim).T

    def cosines(self) -> Float[np.ndarray, " k-1"]:
        """Return the cosines of one vector with the others."""
        vectors = self.vectors()
        return vectors[:, 1:].T @ vectors[:, 0]


def regular_codes(n_features: int, n_hidden: int) -> tuple[Code, ...]:
    """Return the codes that fit into n features and m dimensions.

    Simplices of k vectors in k - 1 dimensions (antipodal pair, triangle, tetrahedron, ..), a dedicated feature, and
    regular polygons in the plane.
    """
    simplices = [
        Code(_SIMPLICES.get(k, f"simplex of {k}"), k, max(k - 1, 1), False) for k in range(1, _LARGEST_SIMPLEX + 1)
    ]
    polygons = [Code(name, k, 2, True) for k, name in _POLYGONS.items()]
    return tuple(code for code in simplices + polygons if code.n_vectors <= n_features and code.dim <= n_hidden)


def describe_mixture(counts: dict[str, int], n_dropped: int) -> str:
    """Return a sum of codes, given by name and number, in words, such as "2 antipodal pairs, 1 dropped"."""
    parts = [f"{count} {_in_number(name, count)}" for name, count in counts.items()]
    return ", ".join([*parts, *([f"{n_dropped} dropped"] if n_dropped else [])])


def _in_number(name: str, count: int) -> str:
    """Return the name in the singular or the plural."""
    if count == 1:
        return name
    if name == "tetrahedron":
        return "tetrahedra"
    if name.startswith("simplex"):
        return name.replace("simplex", "simplices", 1)
    return f"{name}s"
