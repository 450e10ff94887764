"""Direct minimisation over free embeddings of finitely many points: the oracle for the claims.

Laws of pairs are dense matrices. No formula for eigenvalues, waves or rotations enters.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from scipy.optimize import minimize

OPTIONS: Any = {"maxiter": 20_000, "maxfun": 40_000, "ftol": 0, "gtol": 1e-12, "maxcor": 30}


class End(NamedTuple):
    """The end point of a descent.

    Attributes:
        embeddings: one vector per point, ``Float[N, d]``.
        loss: final loss.
        gradient_norm: norm of the gradient of the loss with respect to the minimised variables.
    """

    embeddings: np.ndarray
    loss: float
    gradient_norm: float


def ring_law(n_points: int, width: float) -> np.ndarray:
    """Return the probabilities of pairs on a ring, summed over windings, ``Float[n, n]``; the width is in radians."""
    steps = np.subtract.outer(np.arange(n_points), np.arange(n_points)) / n_points
    windings = np.arange(-30, 31)
    kernel = np.exp(-((2 * np.pi * (steps[..., None] + windings)) ** 2) / (2 * width**2)).sum(axis=-1)
    return kernel / kernel.sum()


def sphere_law(points: np.ndarray, concentration: float, *, is_folded: bool = False) -> np.ndarray:
    """Return the probabilities of pairs of points on the sphere, ``Float[N, N]``."""
    kernel = np.exp(concentration * (points @ points.T - 1))
    if is_folded:
        mirrored = np.exp(concentration * (points @ (points * [1, 1, -1]).T - 1))
        kernel = np.where(np.outer(points[:, 2], points[:, 2]) > 0, kernel + mirrored, 0)
    return kernel / kernel.sum()


def descend_spectral(joint: np.ndarray, dim: int, seed: int) -> End:
    """Minimise the spectral loss over ``u_i = sqrt(w_i) f_i`` from a Gaussian start.

    Args:
        joint: probabilities of pairs, ``Float[N, N]``.
        dim: embedding dimension d.
        seed: seed of the start.
    """
    weights = joint.sum(axis=1)

    def loss(scaled):
        embeddings = scaled / np.sqrt(weights)[:, None]
        products = embeddings @ embeddings.T
        value = -2 * np.sum(joint * products) + np.sum(np.outer(weights, weights) * products**2)
        slope = 4 * (np.outer(weights, weights) * products - joint) @ embeddings
        return value, slope / np.sqrt(weights)[:, None]

    end = _descend(loss, (len(joint), dim), 0.3, seed)
    return end._replace(embeddings=end.embeddings / np.sqrt(weights)[:, None])


def info_nce(joint: np.ndarray, temperature: float) -> Callable:
    """Return InfoNCE with infinitely many negatives as a function of embeddings, which it normalises.

    Args:
        joint: probabilities of pairs, ``Float[N, N]``.
        temperature: tau.

    Returns:
        The function ``Float[N, d] -> (loss in nats, gradient)``.
    """
    weights = joint.sum(axis=1)

    def loss(free):
        norms = np.linalg.norm(free, axis=1, keepdims=True)
        unit = free / norms
        scores = unit @ unit.T / temperature
        exponentials = np.exp(scores) * weights
        sums = exponentials.sum(axis=1)
        value = weights @ np.log(sums) - np.sum(joint * scores)
        by_score = weights[:, None] * exponentials / sums[:, None] - joint
        by_unit = (by_score + by_score.T) @ unit / temperature
        return value, (by_unit - np.sum(by_unit * unit, axis=1, keepdims=True) * unit) / norms

    return loss


def descend_info_nce(joint: np.ndarray, temperature: float, dim: int, seed: int) -> End:
    """Minimise InfoNCE over unit embeddings in ``dim`` dimensions from a Gaussian start with a seed."""
    loss = info_nce(joint, temperature)
    free = _descend(loss, (len(joint), dim), 1.0, seed).embeddings
    unit = free / np.linalg.norm(free, axis=1, keepdims=True)
    value, slope = loss(unit)
    return End(unit, float(value), float(np.linalg.norm(slope)))


def smallest_curvature(loss: Callable, point: np.ndarray, n_flat: int) -> float:
    """Return the smallest eigenvalue of the Hessian at a point, excluding ``n_flat`` flat directions.

    The Hessian is from central differences of the gradient with steps of 1e-5, accurate to about 1e-9.
    """
    steps = 1e-5 * np.eye(point.size).reshape(-1, *point.shape)
    hessian = np.array([(loss(point + step)[1] - loss(point - step)[1]).ravel() / 2e-5 for step in steps])
    return float(np.linalg.eigvalsh((hessian + hessian.T) / 2)[n_flat])


def icosahedron() -> np.ndarray:
    """Return the twelve vertices of a regular icosahedron, equivalent under rotations, ``Float[12, 3]``."""
    golden = (1 + np.sqrt(5)) / 2
    corner = [(0.0, sign, other_sign * golden) for sign in (-1, 1) for other_sign in (-1, 1)]
    points = np.array([np.roll(place, turn) for place in corner for turn in range(3)])
    return points / np.linalg.norm(points[0])


def _descend(loss: Callable, shape: tuple[int, int], scale: float, seed: int) -> End:
    """Minimise a function of a matrix by L-BFGS; it returns its value and gradient."""
    start = scale * np.random.default_rng(seed).normal(size=shape)

    def flat(values):
        value, slope = loss(values.reshape(shape))
        return value, slope.ravel()

    solution = minimize(flat, start.ravel(), jac=True, method="L-BFGS-B", options=OPTIONS)
    return End(solution.x.reshape(shape), float(solution.fun), float(np.linalg.norm(solution.jac)))
