"""Neural collapse in fewer dimensions than a simplex needs: logits along a spherical code.

For K balanced classes in d < K - 1 dimensions the problem is not convex in the logits, and no theorem is used here. The
ansatz is that class means and classifier are one code f_1 .. f_K on which a symmetry group acts transitively, with one
scale for each irreducible subspace j of the group:

    Z = sum_j rho_j Gamma_j,     Gamma_j = C_j C_j^T,     C_j (K, d_j) with unit rows

A regular polygon, an orthoplex and an icosahedron have one part, a square antiprism has two (its plane and its axis).
The list of (K, d) was decided by minimising the full problem from random starts at 25 weight decays from 1e-5 to 0.995
of the zero threshold: no start ended below the ansatz by more than rounding. The ansatz fails, and (K, d) is rejected,
for orthogonal simplices (K = 6, d = 4: 1 % above the best at 0.01 of the threshold) and for polygons with 14 or more
corners (around 0.15 of the threshold).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.special import logsumexp, softmax

if TYPE_CHECKING:
    from jaxtyping import Float

_MAX_STEPS = 500
_LARGEST_POLYGON = 12


class SphericalCode(NamedTuple):
    """A code, given by its irreducible parts.

    Args:
        name: of the code.
        parts: arrays C_j (K, d_j) with unit rows, whose d_j sum to d.
    """

    name: str
    parts: tuple[Float[np.ndarray, "K d_j"], ...]


class CodeScales(NamedTuple):
    """The best scales of a code.

    Args:
        scales: rho_j >= 0, nats, float64 (J,).
        cross_entropy: nats.
        residual: the norm of the gradient in rho, divided by the marginal penalty c K.
    """

    scales: Float[np.ndarray, " J"]
    cross_entropy: float
    residual: float


def spherical_code(n_classes: int, feature_dim: int) -> SphericalCode:
    """Return the code of the ansatz for K balanced classes in d < K - 1 dimensions.

        d = 2:  regular polygon, 4 <= K <= 12         K = 2 d >= 6:  orthoplex +-e_1 .. +-e_d
        K = 12, d = 3:  icosahedron                   K = 8, d = 3:  square antiprism

    Raises: ValueError for any other (K, d).
    Source: the module's docstring; the codes are textbook.
    """
    if feature_dim == 2 and 4 <= n_classes <= _LARGEST_POLYGON:
        angles = 2 * math.pi * np.arange(n_classes) / n_classes
        return SphericalCode("regular polygon", (np.stack([np.cos(angles), np.sin(angles)], axis=1),))
    if n_classes == 2 * feature_dim and feature_dim > 2:
        return SphericalCode("orthoplex", (np.kron(np.eye(feature_dim), [[1.0], [-1.0]]),))
    if (n_classes, feature_dim) == (12, 3):
        return SphericalCode("icosahedron", (_icosahedron(),))
    if (n_classes, feature_dim) == (8, 3):
        angles = math.pi / 4 * np.arange(8)
        plane = np.stack([np.cos(angles), np.sin(angles)], axis=1)
        return SphericalCode("square antiprism", (plane, (-1.0) ** np.arange(8)[:, None]))
    raise ValueError(
        f"feature_dim: expected n_classes - 1 or more, or a known code (2 for n_classes from 4 to {_LARGEST_POLYGON}, "
        f"n_classes / 2, 3 for n_classes 8 or 12), got {feature_dim} for n_classes={n_classes}"
    )


def solve_scales(code: SphericalCode, decay: float) -> CodeScales:
    """Return the optimal scales of a code by Newton's method, for a convex problem in one or two unknowns.

        min over rho >= 0 of  CE(sum_j rho_j Gamma_j) + c K sum_j rho_j,     c = sqrt(lam_W lam_H n)

    By symmetry one class suffices: CE = log sum_l e^{z_l} - z_1. Every part is centred, so all scales are zero iff
    c K >= 1.

    Args:
        code: the code.
        decay: c > 0.

    Returns: the scales, to a few units of rounding. Source: derived here.
    """
    gaps = np.stack([1 - part @ part[0] for part in code.parts])
    marginal_penalty = decay * gaps.shape[1]
    scales = np.zeros(len(gaps))
    if marginal_penalty >= 1:
        return CodeScales(scales, math.log(gaps.shape[1]), 0.0)
    gradient = _scale_gradient(gaps, scales, marginal_penalty)
    for _ in range(_MAX_STEPS):
        weighted = gaps * softmax(-scales @ gaps)
        mean = weighted.sum(axis=1)
        step = -np.linalg.solve(weighted @ gaps.T - np.outer(mean, mean), gradient)
        scales, new_gradient = _shorten(gaps, scales, step, gradient, marginal_penalty)
        stalled = np.linalg.norm(new_gradient) >= np.linalg.norm(gradient)
        gradient = new_gradient
        if stalled:
            break
    others = logsumexp(-(scales @ gaps)[1:])
    return CodeScales(scales, float(np.logaddexp(0.0, others)), float(np.linalg.norm(gradient)) / marginal_penalty)


def _scale_gradient(
    gaps: Float[np.ndarray, "J K"], scales: Float[np.ndarray, " J"], marginal_penalty: float
) -> Float[np.ndarray, " J"]:
    """Return the gradient in rho, (J,): the marginal penalty c K minus the mean gap to the true class."""
    return marginal_penalty - gaps @ softmax(-scales @ gaps)


def _shorten(
    gaps: Float[np.ndarray, "J K"],
    scales: Float[np.ndarray, " J"],
    step: Float[np.ndarray, " J"],
    gradient: Float[np.ndarray, " J"],
    marginal_penalty: float,
) -> tuple[Float[np.ndarray, " J"], Float[np.ndarray, " J"]]:
    """Return scales and gradient after the longest of the steps 1, 1/2, 1/4, .. that shrinks the gradient."""
    for halvings in range(30):
        trial = scales + step * 0.5**halvings
        trial_gradient = _scale_gradient(gaps, trial, marginal_penalty)
        if np.linalg.norm(trial_gradient) < np.linalg.norm(gradient):
            return trial, trial_gradient
    return scales, gradient


def _icosahedron() -> Float[np.ndarray, "12 3"]:
    """Return the 12 corners on the unit sphere: cyclic permutations of (0, +-1, +-golden ratio)."""
    golden = (1 + math.sqrt(5)) / 2
    corners = np.array([(0.0, a, b) for a in (-1, 1) for b in (-golden, golden)])
    return np.concatenate([np.roll(corners, shift, axis=1) for shift in range(3)]) / math.sqrt(1 + golden**2)
