"""Measures of an autoencoder of sparse features, in float64 on the host.

Columns ``w_i`` of ``W``, ``Float[m, n]``, are the directions of the features.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from simlab.tasks.sparse_features import all_masks, mask_probabilities

if TYPE_CHECKING:
    from jaxtyping import Bool, Float

# A feature is represented if its column is longer.
LEAST_NORM = 0.15
# Sets of quasi-random points, whose spread gives the standard error, and points per set; a quarter of them for many
# features.
N_SETS, N_POINTS = 4, 2**11
MANY_FEATURES = 10
# For each output the masks of this many features, those that interfere most, are enumerated.
N_ENUMERATED = 4


class ExpectedLoss(NamedTuple):
    """The expected loss of a network.

    Attributes:
        value: the loss.
        standard_error: standard error of the numerical integration; 0 for a closed form.
    """

    value: float
    standard_error: float


def column_norms(weights: Float[np.ndarray, "m n"]) -> Float[np.ndarray, " n"]:
    """Return ``|w_i|``."""
    return np.linalg.norm(weights, axis=0)


def is_represented(weights: Float[np.ndarray, "m n"]) -> Bool[np.ndarray, " n"]:
    """Return which features are represented, ``|w_i| > 0.15``."""
    return column_norms(weights) > LEAST_NORM


def feature_dimensionalities(weights: Float[np.ndarray, "m n"]) -> Float[np.ndarray, " n"]:
    """Return the dimensionality ``D_i = |w_i|^2 / sum_j (w_i/|w_i| . w_j)^2`` of each feature; 0 for a zero column.

    Source: Elhage et al., Toy Models of Superposition (2022), "The geometry of superposition".
    """
    norms = column_norms(weights)
    directions = weights / np.where(norms > 0, norms, 1.0)
    shared = np.sum((directions.T @ weights) ** 2, axis=1)
    return norms**2 / np.where(shared > 0, shared, 1.0)


def output_gains(weights: Float[np.ndarray, "m n"]) -> Float[np.ndarray, " n"]:
    """Return the gradient norm of each active output with respect to the input, ``|(W^T W)_i|``, ``Float[n]``."""
    return np.linalg.norm(weights.T @ weights, axis=1)


def expected_loss(
    weights: Float[np.ndarray, "m n"],
    bias: Float[np.ndarray, " n"],
    active_probability: float,
    importance: Float[np.ndarray, " n"],
    nonlinearity: str = "relu",
) -> ExpectedLoss:
    """Return the expected loss ``sum_i I_i E (x_i - x'_i)^2``.

    Without the ReLU it has a closed form: with ``M = 1 - W^T W`` the error of output i has mean
    ``sum_j M_ij p/2 - b_i`` and variance ``(p/3 - p^2/4) sum_j M_ij^2``.

    With the ReLU, output i is ``(a x_i + e)_+``, ``a = |w_i|^2``, where e is the bias plus the interference of the
    other features. Given e, the integral over x_i has a closed form,

        (1 - p) e_+^2 + p A(a, e),     A(a, e) = int_0^1 (x - (a x + e)_+)^2 dx.

    The masks of the four features that interfere most (all others if there are up to five features) are enumerated with
    their exact weights. The mean over the values of these features, and over the remaining features, is taken at
    quasi-random points.

    Args:
        weights: W.
        bias: b.
        active_probability: p.
        importance: I.
        nonlinearity: ``relu`` or ``linear``.

    Returns:
        The loss and its standard error, which four sets of points determine to a factor of about two.
    """
    p, gram = active_probability, weights.T @ weights
    if nonlinearity == "linear":
        residual = np.eye(len(gram)) - gram
        variance = (p / 3 - p**2 / 4) * np.sum(residual**2, axis=1)
        return ExpectedLoss(float(importance @ ((residual.sum(axis=1) * p / 2 - bias) ** 2 + variance)), 0.0)
    estimates = _relu_losses(gram, bias, p, importance)
    return ExpectedLoss(float(np.mean(estimates)), float(np.std(estimates, ddof=1) / np.sqrt(N_SETS)))


def _relu_losses(gram, bias, p: float, importance) -> Float[np.ndarray, " sets"]:
    """Return the loss at each set of points."""
    n_features, outputs = len(gram), np.arange(len(gram))[:, None]
    ranked = np.abs(gram)
    np.fill_diagonal(ranked, -1.0)  # an output does not interfere with itself
    enumerated = np.argsort(-ranked, axis=1, kind="stable")[:, : min(N_ENUMERATED, n_features - 1)]
    drawn = gram.copy()
    drawn[outputs, enumerated] = 0.0
    np.fill_diagonal(drawn, 0.0)
    masks = all_masks(enumerated.shape[1])
    probabilities = mask_probabilities(masks, p)
    losses = np.zeros(N_SETS)
    for number, (values, uniform) in enumerate(_points(n_features)):
        offsets = bias[:, None] + drawn @ (values * (uniform < p))
        for i, others in enumerate(enumerated):
            interference = (gram[i, others, None] * masks).T @ values[others]
            interference += offsets[i]
            losses[number] += importance[i] * (probabilities @ _mean_error(gram[i, i], interference, p))
    return losses


def _mean_error(a: float, e: Float[np.ndarray, "K B"], p: float) -> Float[np.ndarray, " K"]:
    """Return the mean of ``(1 - p) e_+^2 + p A(a, e)`` over the points, for a >= 0; ``e`` is overwritten.

    With the end ``t = min(e_-/a, 1)`` of the interval on which the output is zero, and ``c = 1 - a``,

        A(a, e) = c^2/3 + a c t + a^2 t^2 - (a + a^2)/3 t^3 + e_+^2 - c e_+,

    so that the means of powers of t and of e_+ suffice, and no entry is raised to a power, which is slow in NumPy. No
    term is large where A is small.
    """
    c, n_points = 1 - a, e.shape[1]
    positive = np.maximum(e, 0.0)
    error = np.vecdot(positive, positive) - p * c * positive.sum(axis=1)
    if a > 0:
        t = np.clip(np.divide(e, -a, out=e), 0.0, 1.0, out=e)
        squares = t * t
        cubes = np.vecdot(squares, t)
        error += p * (a * c * t.sum(axis=1) + a**2 * squares.sum(axis=1) - (a + a**2) / 3 * cubes)
    return error / n_points + p * c**2 / 3


@lru_cache(maxsize=8)
def _points(n_features: int) -> list[Float[np.ndarray, "two n B"]]:
    """Return sets of scrambled Sobol points in the unit cube.

    The first axis holds the values of the features, and uniform numbers that select the active ones.
    """
    from scipy.stats import qmc

    n_points = N_POINTS // 4 if n_features > MANY_FEATURES else N_POINTS
    samplers = [qmc.Sobol(2 * n_features, rng=np.random.default_rng(number)) for number in range(N_SETS)]
    return [sampler.random(n_points).T.reshape(2, n_features, n_points) for sampler in samplers]
