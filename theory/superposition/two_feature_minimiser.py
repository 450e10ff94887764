"""The minimiser of the exact loss of two features in one dimension, vectorised over a grid of (p, r)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from theory.superposition.gain import LEAST_NORM
from theory.superposition.task import require_grid
from theory.superposition.two_features import loss_and_gradient

if TYPE_CHECKING:
    from jaxtyping import Bool, Float, Int

# Starts (w_1, w_2, b_1, b_2): near one feature alone, near an antipodal pair, and in between.
_STARTS = np.array(
    [
        (1.0, -0.05, 0.0, 0.3),
        (-0.05, 1.0, 0.3, 0.0),
        (1.0, -1.0, 0.0, 0.0),
        (0.7, -0.7, 0.1, 0.1),
        (1.0, -0.5, 0.0, 0.2),
        (-0.5, 1.0, 0.2, 0.0),
        (0.9, -0.9, -0.1, -0.1),
        (0.7, 0.7, 0.0, 0.0),
    ]
)
_MAX_STEPS = 200
_DIFFERENCE = 1e-6
# Tolerance of the gradient over p min(1, r): the rounding of about a hundred operations on numbers of order one.
_GRADIENT_TOLERANCE = 1e-12
# A shorter column is set to zero: at zero the curvature along it is of order one, except on a phase boundary.
_ZERO_COLUMN = 1e-10


class TwoFeatureMinima(NamedTuple):
    """The best network of each cell.

    Args:
        weights: w_1, w_2, float64 (..., 2); the sign is chosen so that the entry of larger magnitude is positive.
        bias: b_1, b_2, float64 (..., 2).
        loss: float64 (...).
        gradient_norm: of the loss over p min(1, r), at the end of the descent, float64 (...).
    """

    weights: Float[np.ndarray, "... 2"]
    bias: Float[np.ndarray, "... 2"]
    loss: Float[np.ndarray, " ..."]
    gradient_norm: Float[np.ndarray, " ..."]

    @property
    def represented(self) -> Bool[np.ndarray, "... 2"]:
        """Whether |w_i| > 0.15."""
        return np.abs(self.weights) > LEAST_NORM


def minimise_two_features(
    active_probability: Float[np.ndarray, " ..."] | float, importance: Float[np.ndarray, " ..."] | float
) -> TwoFeatureMinima:
    """Return the best of eight descents on the exact loss of two features in one dimension.

    Args:
        active_probability: p, in (0, 1], of any shape.
        importance: r > 0, of the second feature (that of the first is 1), of a shape that broadcasts with that of p.

    Returns: the minimisers, of the common shape.
    Raises: ValueError for a p or r out of range.
    Source: derived here; numerical, as there is no proof that no other minimum is lower.
    """
    p, r = require_grid(active_probability, importance)
    shape, p, r = p.shape, p.ravel(), r.ravel()
    n_starts = len(_STARTS)
    starts = np.tile(_STARTS, (p.size, 1))
    points, values, norms = _descend(starts, np.repeat(p, n_starts), np.repeat(r, n_starts))
    best = np.argmin(values.reshape(-1, n_starts), axis=1) + n_starts * np.arange(p.size)
    points = points[best]
    longer = np.take_along_axis(points[:, :2], np.argmax(np.abs(points[:, :2]), axis=1)[:, None], axis=1)
    weights, bias = _settle_dropped(points[:, :2] * np.where(longer < 0, -1.0, 1.0), points[:, 2:], p)
    weights, bias = weights.reshape(*shape, 2), bias.reshape(*shape, 2)
    loss = loss_and_gradient(weights, bias, p.reshape(shape), r.reshape(shape))[0]
    return TwoFeatureMinima(weights, bias, loss, norms[best].reshape(shape))


def phase_index(represented: Bool[np.ndarray, "... 2"]) -> Int[np.ndarray, " ..."]:
    """Return 0 where no feature is represented, 1 the first alone, 2 the second alone, 3 both: superposition."""
    return np.asarray(represented) @ np.array([1, 2])


def _settle_dropped(weights: np.ndarray, bias: np.ndarray, p: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return weights and biases (N, 2), with columns that are zero to rounding replaced by their exact limit.

    A zero column decouples the features: the other feature is reconstructed exactly, w = 1 and b = 0, and the best
    output for the dropped one is its mean, p/2.
    """
    is_dropped = np.abs(weights) < _ZERO_COLUMN
    settles = np.any(is_dropped, axis=1, keepdims=True)
    weights = np.where(settles, np.where(is_dropped, 0.0, 1.0), weights)
    return weights, np.where(settles, np.where(is_dropped, p[:, None] / 2, 0.0), bias)


def _descend(points: np.ndarray, p: np.ndarray, r: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the end points of damped Newton descents; a step is taken if it lowers the loss, converged rows stop.

    Returns: points (N, 4), losses over p min(1, r) (N,), and the norms of their gradients (N,).
    """
    points, scale = points.copy(), p * np.minimum(1.0, r)
    values, gradients = _scaled(points, p, r, scale)
    damping = np.full(len(points), 1e-2)
    active = np.arange(len(points))
    for _ in range(_MAX_STEPS):
        active = active[np.linalg.norm(gradients[active], axis=1) > _GRADIENT_TOLERANCE]
        active = active[damping[active] < 1e8]
        if active.size == 0:
            break
        task = p[active], r[active], scale[active]
        trial = points[active] + _newton_step(points[active], gradients[active], damping[active], *task)
        trial_values, trial_gradients = _scaled(trial, *task)
        better = _is_lower(values[active], gradients[active], trial_values, trial_gradients)
        rows = active[better]
        points[rows], values[rows], gradients[rows] = trial[better], trial_values[better], trial_gradients[better]
        damping[active] *= np.where(better, 0.1, 8.0)
        damping[active] = np.maximum(damping[active], 1e-14)
    return points, values, np.linalg.norm(gradients, axis=1)


def _is_lower(
    values: np.ndarray, gradients: np.ndarray, trial_values: np.ndarray, trial_gradients: np.ndarray
) -> np.ndarray:
    """Return whether the loss decreased or, if the losses agree to rounding, the norm of its gradient did."""
    rounding = 32 * np.finfo(float).eps * values
    shrinks = np.linalg.norm(trial_gradients, axis=1) < np.linalg.norm(gradients, axis=1)
    return (trial_values < values - rounding) | (shrinks & (trial_values < values + rounding))


def _newton_step(
    points: np.ndarray, gradients: np.ndarray, damping: np.ndarray, p: np.ndarray, r: np.ndarray, scale: np.ndarray
) -> np.ndarray:
    """Return -(|H| + damping)^{-1} g, with H from finite differences of the exact gradient."""
    size = points.shape[1]
    shifted = points[:, None, :] + _DIFFERENCE * np.eye(size)
    task = (np.broadcast_to(values[:, None], shifted.shape[:2]) for values in (p, r, scale))
    hessian = (_scaled(shifted, *task)[1] - gradients[:, None, :]) / _DIFFERENCE
    curvatures, axes = np.linalg.eigh((hessian + np.swapaxes(hessian, 1, 2)) / 2)
    along = np.einsum("nij,ni->nj", axes, gradients) / (np.abs(curvatures) + damping[:, None])
    return -np.einsum("nij,nj->ni", axes, along)


def _scaled(points: np.ndarray, p: np.ndarray, r: np.ndarray, scale: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the loss and its gradient, both divided by the scale."""
    loss, gradient = loss_and_gradient(points[..., :2], points[..., 2:], p, r)
    return loss / scale, gradient / scale[..., None]
