"""Expectations over C and B to rounding accuracy, also for integrands with kinks or jumps.

For aligned neurons w = (c, b) the preactivations are U = c C + b B on the own label and T = b B - c C on the other.
With standard normals p and q, p along T and q orthogonal to it, T is linear in p and U in p and q:

    T = E T + s p,    U = E U + u_p p + u_q q,    s = |(c sigma_c, b sigma_b)|,    u_q = 2 c b sigma_c sigma_b / s

A piecewise smooth integrand of U and T is split at T = 0 (a point in p), at U = 0, and where the hinge loss ends,
U - phi(T) = 2 (points in q that depend on p, linearly on either side of T = 0). On each piece 32 Gauss-Legendre nodes
on [-7, 7] integrate a Gaussian to 1e-15; the probability outside is 2e-12.

For b near 0 a split point in q crosses the whole range for a small change of p, so the integral over q is steep in p.
Therefore p is also split where a split point in q is at -7, 0 and 7.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from theory.feature_contamination.task import Features

if TYPE_CHECKING:
    from jaxtyping import Float

_RANGE = 7.0
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(32)

# The cuts of U given T: a function of T (n,) that returns an array (n, k).
Cuts = Callable[[np.ndarray], np.ndarray]


class Projections(NamedTuple):
    """Nodes of C and B, with the preactivations of aligned neurons; arrays of a common shape.

    Args:
        weight: probability of the node; they sum to 1.
        core: C.
        background: B.
        own: U = c C + b B.
        other: T = b B - c C.
    """

    weight: Float[np.ndarray, "p q"]
    core: Float[np.ndarray, "p q"]
    background: Float[np.ndarray, "p q"]
    own: Float[np.ndarray, "p q"]
    other: Float[np.ndarray, "p q"]


def project(features: Features, core_weight: float, background_weight: float, cuts: Cuts) -> Projections:
    """Return the nodes of C and B.

    Args:
        features: of the task; they determine the Gaussian law.
        core_weight: c.
        background_weight: b; c and b are not both zero.
        cuts: values of U, given T, at which the integrand has kinks or jumps.
    """
    core, background = core_weight * features.core_deviation, background_weight * features.background_deviation
    scale = np.hypot(core, background)
    core_mean = core_weight * features.core_projection
    background_mean = background_weight * features.background_projection
    other_mean, own_mean = background_mean - core_mean, background_mean + core_mean
    by_p, by_q = (background**2 - core**2) / scale, 2 * core * background / scale
    lines = [_crossings(other_mean, scale, own_mean + by_q * q, by_p, cuts) for q in (-_RANGE, 0.0, _RANGE)]
    points = np.concatenate([[-other_mean / scale], *lines])
    p, p_weight = _panels(np.unique(points[np.abs(points) < _RANGE]))
    other, centre = other_mean + scale * p, own_mean + by_p * p
    places = cuts(other) - centre[:, None]
    q, q_weight = _panels(np.divide(places, by_q, out=np.full_like(places, np.inf), where=by_q != 0))
    unit_core = (-core * p[:, None] + background * q) / scale
    unit_background = (background * p[:, None] + core * q) / scale
    return Projections(
        p_weight[:, None] * q_weight,
        features.core_projection + features.core_deviation * unit_core,
        features.background_projection + features.background_deviation * unit_background,
        centre[:, None] + by_q * q,
        np.broadcast_to(other[:, None], q.shape),
    )


def _crossings(other_mean: float, scale: float, own_mean: float, by_p: float, cuts: Cuts) -> np.ndarray:
    """Return the points in p where U = own_mean + by_p p meets its cuts, which are linear in T on either side of 0."""
    points = []
    for side in (-1.0, 1.0):
        ends = side * np.array([1.0, 2.0])
        p = (ends - other_mean) / scale
        gaps = own_mean + by_p * p[:, None] - cuts(ends)
        change = gaps[1] - gaps[0]
        share = np.divide(-gaps[0], change, out=np.full_like(change, np.inf), where=np.abs(change) > 1e-12)
        crossing = p[0] + share * (p[1] - p[0])
        points.extend(crossing[side * (other_mean + scale * crossing) > 0])
    return np.array(points)


def _panels(points: Float[np.ndarray, "... k"]) -> tuple[Float[np.ndarray, "... n"], Float[np.ndarray, "... n"]]:
    """Return nodes and weights for a standard normal, on panels split at the given points."""
    low = np.full((*points.shape[:-1], 1), -_RANGE)
    edges = np.sort(np.concatenate([low, np.clip(points, -_RANGE, _RANGE), -low], axis=-1), axis=-1)
    half = np.diff(edges, axis=-1)[..., None] / 2
    nodes = edges[..., :-1, None] + half * (1 + _NODES)
    weights = half * _WEIGHTS * np.exp(-(nodes**2) / 2) / np.sqrt(2 * np.pi)
    shape = (*points.shape[:-1], -1)
    return nodes.reshape(shape), weights.reshape(shape)
