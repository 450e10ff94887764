"""Tolerances for a numerical minimiser, derived from its gradient and curvature."""

import numpy as np

from simlab.exact.minimise import Minima

# Upper limit of every tolerance, however large the bound from the gradient.
LARGEST_TOLERANCE = 1e-9


def position_tolerance(minimum: Minima) -> float:
    """Return a bound on the error of each entry of the polished minimiser; 0 if the solver did not converge.

    Near a minimum the distance modulo the gauge is at most ``|g| / h``, with the gradient ``g`` and the smallest
    curvature ``h``; a factor of 2 allows for the change of the curvature in between. Rounding adds the backward error
    of the gradient, about ``sqrt(N)`` operations of relative size ``eps`` on numbers of the size of the weights,
    amplified by ``1/h``.
    """
    row = minimum.best
    curvature = minimum.smallest_curvature[row]
    if minimum.status[row] != "converged" or not curvature > 0:
        return 0.0
    size = max(np.abs(minimum.embeddings[row]).max(), np.abs(minimum.classifier[row]).max())
    rounding = 8 * np.finfo(float).eps * size * np.sqrt(minimum.classifier[row].size)
    bound = 2 * (minimum.gradient_norm[row] + rounding * min(curvature, 1.0)) / curvature
    return min(bound, LARGEST_TOLERANCE)


def risk_tolerance(minimum: Minima) -> float:
    """Return a bound on the risk of the polished minimiser above its minimum: ``|g|^2 / h`` plus rounding."""
    row = minimum.best
    curvature = minimum.smallest_curvature[row]
    if minimum.status[row] != "converged" or not curvature > 0:
        return 0.0
    bound = minimum.gradient_norm[row] ** 2 / curvature + 64 * np.finfo(float).eps * max(1.0, minimum.risk[row])
    return min(bound, LARGEST_TOLERANCE)
