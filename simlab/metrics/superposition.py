"""What is measured of an autoencoder of sparse features, in float64 on the host.

Columns ``w_i`` of ``W``, ``Float[m, n]``, are the directions of the features.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from simlab.tasks.sparse_features import MOST_WEIGHTED, all_masks, mask_probabilities

if TYPE_CHECKING:
    from jaxtyping import Bool, Float

# A feature is represented if its column is longer.
LEAST_NORM = 0.15
# Quasi-random points with which each mask is combined, and examples drawn where masks are too many.
N_POINTS, N_DRAWN = 2**13, 2**16
CHUNK = 2**12


class ExpectedLoss(NamedTuple):
    """The loss of a network, and its standard error if examples were drawn; 0 otherwise."""

    value: float
    standard_error: float


def column_norms(weights: Float[np.ndarray, "m n"]) -> Float[np.ndarray, " n"]:
    """Return ``|w_i|``."""
    return np.linalg.norm(weights, axis=0)


def is_represented(weights: Float[np.ndarray, "m n"]) -> Bool[np.ndarray, " n"]:
    """Return which features are represented, ``|w_i| > 0.15``."""
    return column_norms(weights) > LEAST_NORM


def feature_dimensionalities(weights: Float[np.ndarray, "m n"]) -> Float[np.ndarray, " n"]:
    """Return ``D_i = |w_i|^2 / sum_j (w_i/|w_i| . w_j)^2``; 0 for a column that is zero.

    Source: Elhage et al., Toy Models of Superposition (2022), "The geometry of superposition".
    """
    norms = column_norms(weights)
    directions = weights / np.where(norms > 0, norms, 1.0)
    shared = np.sum((directions.T @ weights) ** 2, axis=1)
    return norms**2 / np.where(shared > 0, shared, 1.0)


def output_gains(weights: Float[np.ndarray, "m n"]) -> Float[np.ndarray, " n"]:
    """Return how far each output moves per length of the input while it is active: the rows of ``W^T W``."""
    return np.linalg.norm(weights.T @ weights, axis=1)


def expected_loss(
    weights: Float[np.ndarray, "m n"],
    bias: Float[np.ndarray, " n"],
    active_probability: float,
    importance: Float[np.ndarray, " n"],
    nonlinearity: str = "relu",
) -> ExpectedLoss:
    """Return ``sum_i I_i E (x_i - x'_i)^2``.

    Without the ReLU it is a closed form: with ``M = 1 - W^T W`` the error has mean ``M p/2 - b`` and variance
    ``(p/3 - p^2/4) sum_j M_ij^2``. With it, every mask of up to ``MOST_WEIGHTED`` features has its exact weight and is
    combined with the same Sobol points; of more features, examples are drawn.

    Args:
        weights: W.
        bias: b.
        active_probability: p.
        importance: I.
        nonlinearity: ``relu`` or ``linear``.
    """
    p, gram = active_probability, weights.T @ weights
    if nonlinearity == "linear":
        residual = np.eye(len(gram)) - gram
        variance = (p / 3 - p**2 / 4) * np.sum(residual**2, axis=1)
        return ExpectedLoss(float(importance @ ((residual.sum(axis=1) * p / 2 - bias) ** 2 + variance)), 0.0)
    if len(gram) > MOST_WEIGHTED:
        return _drawn_loss(gram, bias, p, importance)
    total, masks = 0.0, all_masks(len(gram))
    for mask, probability in zip(masks.T, mask_probabilities(masks, p), strict=True):
        total += probability * np.mean(_errors(gram, bias, importance, mask[:, None] * _points(len(gram))))
    return ExpectedLoss(float(total), 0.0)


def _errors(gram, bias, importance, inputs: Float[np.ndarray, "n B"]) -> Float[np.ndarray, " B"]:
    """Return the weighted squared error of each input."""
    outputs = np.maximum(gram @ inputs + bias[:, None], 0.0)
    return importance @ (inputs - outputs) ** 2


def _drawn_loss(gram, bias, active_probability: float, importance) -> ExpectedLoss:
    """Return the loss on examples that are the same for all networks of this size."""
    generator = np.random.default_rng(0)
    errors = []
    for _ in range(N_DRAWN // CHUNK):
        values, chances = generator.random((2, len(gram), CHUNK))
        errors.append(_errors(gram, bias, importance, values * (chances < active_probability)))
    joined = np.concatenate(errors)
    return ExpectedLoss(float(joined.mean()), float(joined.std(ddof=1) / np.sqrt(len(joined))))


@lru_cache(maxsize=8)
def _points(n_features: int) -> Float[np.ndarray, "n B"]:
    """Return scrambled Sobol points in the unit cube as columns."""
    from scipy.stats import qmc

    return qmc.Sobol(n_features, rng=0).random(N_POINTS).T
