"""The effect of finitely many negatives in a batch, to first order in the inverse of their number.

The loss of an anchor z is ``log(e^{-a} + sum_j k_j) + a``, with ``a = |z - z+|^2/2`` and ``k_j = exp(-|z - z_j|^2/2)``
for each of M negatives. Let ``mu = E k_j`` for the anchor z, and leave out ``log M``. Expanding
``log(mu + x) = log mu + x/mu - x^2/(2 mu^2)`` in x, the mean of the ``k_j - mu`` plus ``e^{-a}/M``, gives the mean loss
for infinitely many negatives plus

    (1/M) [ E e^{-a}/mu - E k^2/(2 mu^2) + 1/2 ] + O(1/M^2).

Both means are products of Gaussian integrals over directions, with c the eigenvalue and t the ratio of each:

    E e^{-a}/mu   = prod (1 + c)/sqrt(1 + t c)     (one view: the noise does not depend on the anchor)
                  = prod (1 + c)/(1 + t c/2)       (two views)
    E k^2/mu^2    = prod (1 + c)^{3/2}/(1 + 3 c)^{1/2}

The shift of the minimum is one Newton step, as the second derivative of the loss is diagonal in c.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from theory.dimensional_collapse.curve import direction_curvature, direction_slope, surviving_eigenvalue

if TYPE_CHECKING:
    from jaxtyping import Float


def batch_correction(eigenvalues: Float[np.ndarray, " d"], ratios: Float[np.ndarray, " d"], views: int) -> float:
    """Return the first-order term times M, in nats.

    Args:
        eigenvalues: c of each direction, in units of the temperature.
        ratios: t of each direction.
        views: 1 or 2.
    """
    positive, second = _means(eigenvalues, ratios, views)
    return float(positive - second / 2 + 0.5)


def finite_batch_eigenvalues(ratios: Float[np.ndarray, " d"], n_negatives: int, views: int) -> Float[np.ndarray, " d"]:
    """Return the eigenvalues for M negatives to first order, in units of the temperature.

    Args:
        ratios: t of the directions that fit into the dimensions of the embedding.
        n_negatives: M, the number of negatives of each anchor.
        views: 1 or 2.
    """
    values = surviving_eigenvalue(ratios)
    positive, second = _means(values, ratios, views)
    inverse = 1 / (1 + values)
    if views == 1:
        by_positive = inverse - ratios / (2 * (1 + ratios * values))
    else:
        by_positive = inverse - ratios / (2 + ratios * values)
    by_second = 1.5 * (inverse - 1 / (1 + 3 * values))
    slope = direction_slope(values, ratios) + (positive * by_positive - second * by_second / 2) / n_negatives
    return np.maximum(values - slope / direction_curvature(values), 0)


def _means(values: Float[np.ndarray, " d"], ratios: Float[np.ndarray, " d"], views: int) -> tuple[float, float]:
    """Return ``E e^{-a}/mu`` and ``E k^2/mu^2``."""
    grown = 1 + values
    shrunk = np.sqrt(1 + ratios * values) if views == 1 else 1 + ratios * values / 2
    return float(np.prod(grown / shrunk)), float(np.prod(np.sqrt(grown**3 / (1 + 3 * values))))
