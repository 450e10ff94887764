"""The minimiser of the grouped risk: in closed form for classes of one size, by Newton's method for several sizes."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import minimize
from scipy.sparse.linalg import LinearOperator, cg

from theory.neural_collapse.class_groups import ClassGroups
from theory.neural_collapse.class_imbalance import zero_threshold
from theory.neural_collapse.grouped_certificate import GroupedLogits, certify_grouped
from theory.neural_collapse.grouped_risk import GroupedRisk

if TYPE_CHECKING:
    from jaxtyping import Float

_MAX_NEWTON_STEPS = 8
# Newton's method stops when a step no longer shrinks the gradient by at least this factor: rounding is reached.
_LEAST_PROGRESS = 0.3
# Relative size of the random part of the start, which avoids saddles.
_START_NOISE = 1e-3


def solve_balanced(groups: ClassGroups, decay: float) -> GroupedLogits:
    """Return the simplex of K classes with n samples each.

        logits rho (I - 11^T/K),   rho = log(1/c - K + 1) if c K < 1, otherwise 0,   c = sqrt(lam_W lam_H n)

    The slope of the risk log(1 + (K - 1) e^{-rho}) + c (K - 1) rho is zero there, and its certificate is tight.

    Args:
        groups: a single group.
        decay: sqrt(lam_W lam_H) > 0.

    Returns: the minimiser. Source: derived here.
    """
    marginal_penalty, n_classes = decay * math.sqrt(groups.sizes[0]), groups.n_classes
    rho = math.log1p((1 - marginal_penalty * n_classes) / marginal_penalty) if marginal_penalty * n_classes < 1 else 0.0
    risk = GroupedRisk(groups=groups, decay=decay * math.sqrt(groups.n_samples))
    return certify_grouped(risk, np.array([rho]), np.zeros((1, 1)), residual=0.0)


def solve_imbalanced(groups: ClassGroups, decay: float) -> GroupedLogits:
    """Return the minimiser of the convex problem for classes of several sizes.

    The solver runs L-BFGS, then Newton's method with conjugate gradients, on the G margins and the factors of the block
    of averages (about 2 G^2 unknowns, independent of K).

    Args:
        groups: the groups.
        decay: sqrt(lam_W lam_H) > 0.

    Returns: the minimiser; `risk - lower_bound` certifies it.
    Valid: to about 1e-12 in the Gram matrices; less accurate within a relative distance of 1e-8 from a threshold, where
    the minimiser is not differentiable. Source: derived here.
    """
    risk = GroupedRisk(groups=groups, decay=decay * math.sqrt(groups.n_samples))
    if decay >= zero_threshold(groups):
        return certify_grouped(risk, np.zeros(groups.sizes.size), np.zeros((groups.sizes.size,) * 2), residual=0.0)
    unknowns, residual = _newton(risk, _quasi_newton(risk, _start(risk)))
    margins, left, right = risk.unpack(unknowns)
    # A margin that rounding makes negative is zero.
    return certify_grouped(risk, np.maximum(margins, 0.0), risk.basis @ (left @ right.T), residual=residual)


def _start(risk: GroupedRisk) -> Float[np.ndarray, " n"]:
    """Return a start close to balanced classes of each group's size, with noise that breaks the symmetries."""
    groups = risk.groups
    roots = np.sqrt(groups.shares)
    margins = np.log(np.maximum(roots / risk.decay, 1.0)) + 0.1
    centring = np.eye(roots.size) - np.sqrt(np.outer(groups.counts, groups.counts)) / groups.n_classes
    left, values, right = np.linalg.svd(risk.basis.T @ (centring * (margins * roots)), full_matrices=False)
    factors = np.vstack([left, right.T]) * np.sqrt(values)
    noise = np.random.default_rng(0).normal(size=factors.shape)
    factors = factors + _START_NOISE * np.linalg.norm(factors) / math.sqrt(max(factors.size, 1)) * noise
    return risk.pack(margins, factors[: len(left)], factors[len(left) :])


def _quasi_newton(risk: GroupedRisk, unknowns: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
    """Return unknowns after L-BFGS on f / mu, which stops when values differ only by rounding."""

    def scaled(point: Float[np.ndarray, " n"]) -> tuple[float, Float[np.ndarray, " n"]]:
        value, gradient = risk.value_and_gradient(point)
        return value / risk.decay, gradient / risk.decay

    return minimize(
        scaled,
        unknowns,
        jac=True,
        method="L-BFGS-B",
        options={"maxiter": 5000, "maxfun": 10000, "maxcor": 15, "ftol": 1e-15, "gtol": 1e-7},
    ).x


def _newton(risk: GroupedRisk, unknowns: Float[np.ndarray, " n"]) -> tuple[Float[np.ndarray, " n"], float]:
    """Return the unknowns with the smallest gradient along Newton's method, and its norm over mu."""
    best, least = unknowns, math.inf
    for _ in range(_MAX_NEWTON_STEPS):
        gradient = risk.value_and_gradient(unknowns)[1]
        residual = float(np.linalg.norm(gradient)) / risk.decay
        stalled = residual > _LEAST_PROGRESS * least
        best, least = (unknowns, residual) if residual < least else (best, least)
        if stalled or residual == 0:
            break
        operator = LinearOperator((unknowns.size,) * 2, matvec=risk.hessian(unknowns), dtype=np.float64)
        unknowns = unknowns + cg(operator, -gradient, rtol=1e-7, maxiter=2000)[0]
    return best, least
