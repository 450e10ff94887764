"""Codes with their optimal norms and biases at a given p: the blocks of a predicted network."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from theory.superposition.code_scales import solve_code_scale
from theory.superposition.codes import regular_codes
from theory.superposition.square_pyramid import LEAST_PROBABILITY, solve_square_pyramid

if TYPE_CHECKING:
    from jaxtyping import Float

    from theory.superposition.codes import Code

_PYRAMID_SHAPE = 5, 3


class Part(NamedTuple):
    """A code of k features in d dimensions, at its minimum.

    Args:
        name: of the code, in the singular.
        weights: its columns of W, float64 (d, k).
        bias: float64 (k,).
        loss: expected squared error, summed over its k features.
    """

    name: str
    weights: Float[np.ndarray, "d k"]
    bias: Float[np.ndarray, " k"]
    loss: float

    @property
    def dim(self) -> int:
        """The dimension d."""
        return self.weights.shape[0]

    @property
    def n_vectors(self) -> int:
        """The number of features k."""
        return self.weights.shape[1]


def make_part(code: Code, active_probability: float) -> Part:
    """Return a regular code at its best scale and bias."""
    scale = solve_code_scale(code, active_probability)
    weights = np.sqrt(scale.square_norm) * code.vectors()
    return Part(code.name, weights, np.full(code.n_vectors, scale.bias), code.n_vectors * scale.loss)


def list_parts(n_features: int, n_hidden: int, active_probability: float) -> tuple[Part, ...]:
    """Return every part that fits into n features and m dimensions: regular codes, and the square pyramid."""
    parts = [make_part(code, active_probability) for code in regular_codes(n_features, n_hidden)]
    has_room = n_features >= _PYRAMID_SHAPE[0] and n_hidden >= _PYRAMID_SHAPE[1]
    if has_room and active_probability >= LEAST_PROBABILITY:
        parts.append(Part("square pyramid", *solve_square_pyramid(active_probability)))
    return tuple(parts)
