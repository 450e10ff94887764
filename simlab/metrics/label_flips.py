"""Distance of an input of a two-layer ReLU network to a change of label along a line, in float64 on the host."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from jaxtyping import Float


def outputs(
    weights: Float[np.ndarray, "h d"], signs: Float[np.ndarray, " h"], inputs: Float[np.ndarray, "B d"]
) -> Float[np.ndarray, " B"]:
    """Return ``f(x) = (1/h) sum_j s_j relu(w_j . x)``."""
    return np.maximum(inputs @ weights.T, 0.0) @ signs / len(signs)


def flip_distance(
    weights: Float[np.ndarray, "h d"],
    signs: Float[np.ndarray, " h"],
    start: Float[np.ndarray, " d"],
    direction: Float[np.ndarray, " d"],
) -> float:
    """Return the least ``t > 0`` at which the sign of ``f(x + t v)`` changes; infinite if it never does.

    Along a line f is linear between the points at which a unit switches on or off, so that the first change of sign is
    found exactly.

    Args:
        weights: weights of the first layer.
        signs: weights of the second layer.
        start: x.
        direction: v, a unit vector.
    """
    heights, slopes = weights @ start, weights @ direction
    with np.errstate(divide="ignore", invalid="ignore"):
        kinks = -heights / slopes
    kinks = np.unique(kinks[np.isfinite(kinks) & (kinks > 0)])
    last = kinks[-1] if len(kinks) else 0.0
    places = np.array([0.0, *kinks, last + 1.0])
    values = outputs(weights, signs, start + places[:, None] * direction) * np.sign(
        outputs(weights, signs, start[None])
    )
    crossed = np.flatnonzero(values <= 0)
    if len(crossed):
        after = crossed[0]
        if after == 0:
            return 0.0
        before, drop = after - 1, values[after - 1] - values[after]
        return float(places[before] + (places[after] - places[before]) * values[before] / drop)
    slope = values[-1] - values[-2]
    return float(places[-2] - values[-2] / slope) if slope < 0 else np.inf


def alignments(weights: Float[np.ndarray, "h d"], targets: Float[np.ndarray, "h d"]) -> Float[np.ndarray, " h"]:
    """Return the cosine between each row and its target."""
    lengths = np.linalg.norm(weights, axis=1) * np.linalg.norm(targets, axis=1)
    return np.sum(weights * targets, axis=1) / lengths
