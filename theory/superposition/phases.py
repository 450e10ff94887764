"""Phase boundaries of two features in one dimension: from the exact loss, and from the crossing of three candidates."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from theory.superposition.task import feature_variance, require_grid
from theory.superposition.two_feature_minimiser import minimise_two_features, phase_index

if TYPE_CHECKING:
    from jaxtyping import Bool, Float, Int

_SUPERPOSED = 3
_HALVINGS = 20  # of log p
_BELOW_CROSSING = 0.9


def candidate_losses(
    active_probability: Float[np.ndarray, " ..."] | float, importance: Float[np.ndarray, " ..."] | float
) -> Float[np.ndarray, "... 3"]:
    """Return the losses of three candidates: the second feature dropped, the first dropped, an antipodal pair.

        r V,   V,   p^2 (1 + r) / 6,     V = p/3 - p^2/4

    An antipodal pair is w = +-(1, -1), b = 0. If both features are active, the smaller one is lost and the larger is
    replaced by the difference: E min(x, y)^2 = 1/6 for each feature.

    Args:
        active_probability: p.
        importance: r, of the second feature.

    Returns: float64, of the common shape with a last axis of three.
    Source: Elhage et al. (2022), "toy model" of the phase change; rederived here.
    """
    p, r = require_grid(active_probability, importance)
    variance = feature_variance(p)
    return np.stack([r * variance, variance, p**2 * (1 + r) / 6], axis=-1)


def candidate_crossing(importance: Float[np.ndarray, " ..."] | float) -> Float[np.ndarray, " ..."]:
    """Return the p below which the antipodal pair is the best candidate, 4 r / (2 + 5 r), with 1/r for r > 1.

    The minimiser of the exact loss is still in superposition above it; see `phase_boundary`.
    """
    r = require_grid(1.0, importance)[1]
    smaller = np.minimum(r, 1 / r)
    return 4 * smaller / (2 + 5 * smaller)


def phase_boundary(importance: Float[np.ndarray, " R"]) -> Float[np.ndarray, " R"]:
    """Return the largest p at which the minimiser of the exact loss represents both features.

    The boundary is found by bisection in log p between 0.9 times the candidates' crossing, where both features are
    represented, and 1. The method assumes that the phase changes only once in between. Exchanging the features maps r
    to 1/r at the same p.

    Args:
        importance: r > 0.

    Returns: p for each r, 1 where both features are represented at every p (r near 1). The relative error is at most
        log(1/p_0) / 2^21, with p_0 the lower end: 1e-6 for r = 0.1.
    Raises: ValueError for an r out of range; ArithmeticError if the lower end is not in superposition.
    Source: derived here, numerical.
    """
    r = np.atleast_1d(require_grid(1.0, importance)[1])
    r, rows = np.unique(np.round(np.minimum(r, 1 / r), 14), return_inverse=True)
    low, high = np.log(_BELOW_CROSSING * candidate_crossing(r)), np.zeros_like(r)
    if not np.all(_is_superposed(low, r)):
        raise ArithmeticError("phase_boundary: expected superposition below the candidates' crossing")
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        is_superposed = _is_superposed(middle, r)
        low, high = np.where(is_superposed, middle, low), np.where(is_superposed, high, middle)
    return np.exp((low + high) / 2)[rows]


def tied_cells(phases: Int[np.ndarray, "P R"]) -> Bool[np.ndarray, "P R"]:
    """Return the cells of a phase map that lie within one grid step, also diagonally, of a cell of another phase."""
    phases = np.asarray(phases)
    padded = np.pad(phases, 1, mode="edge")
    n_rows, n_columns = phases.shape
    shifted = [padded[i : i + n_rows, j : j + n_columns] for i in range(3) for j in range(3)]
    return np.any(np.stack(shifted) != phases, axis=0)


def _is_superposed(log_probability: np.ndarray, importance: np.ndarray) -> np.ndarray:
    minima = minimise_two_features(np.exp(log_probability), importance)
    return phase_index(minima.represented) == _SUPERPOSED
