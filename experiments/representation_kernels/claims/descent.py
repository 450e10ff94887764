"""Direct minimisation over embeddings: the oracle for the claims, without any formula for mutual information."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.optimize import minimize

if TYPE_CHECKING:
    from jaxtyping import Float

N_STEPS = 4000


class End(NamedTuple):
    """The end point of a descent.

    Attributes:
        kernel: scores ``z.z'``, centred, ``Float[n, m]``, nats.
        loss: InfoNCE over all candidates, nats.
    """

    kernel: Float[np.ndarray, "n m"]
    loss: float


def descend(table: Float[np.ndarray, "n m"], dimensions: int, encoders: int, seed: int = 0) -> End:
    """Minimise InfoNCE by L-BFGS over free embeddings of one or two encoders and return the end point.

    Args:
        table: probabilities of pairs.
        dimensions: dimension of the embeddings.
        encoders: 1 (for a symmetric table) or 2.
        seed: seed of the start.
    """
    n, m = table.shape
    start = np.random.default_rng(seed).normal(size=(n + m * (encoders - 1)) * dimensions) / np.sqrt(2 * dimensions)
    anchors, candidates = table.sum(axis=1), table.sum(axis=0)

    def split(point: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        vectors = point.reshape(-1, dimensions)
        return (vectors, vectors) if encoders == 1 else (vectors[:n], vectors[n:])

    def risk(point: np.ndarray) -> tuple[float, np.ndarray]:
        first, second = split(point)
        scores = first @ second.T
        weights = candidates * np.exp(scores - scores.max(axis=1, keepdims=True))
        sums = weights.sum(axis=1, keepdims=True)
        log_sums = np.log(sums[:, 0]) + scores.max(axis=1)
        error = anchors[:, None] * weights / sums - table
        slopes = error @ second, error.T @ first
        gradient = slopes[0] + slopes[1] if encoders == 1 else np.concatenate(slopes)
        return anchors @ log_sums - np.sum(table * scores) + np.log(m), gradient.ravel()

    end = minimize(
        risk,
        start,
        jac=True,
        method="L-BFGS-B",
        options={"maxiter": N_STEPS, "maxfun": 2 * N_STEPS, "maxcor": 40, "ftol": 0, "gtol": 1e-13},
    )
    first, second = split(end.x)
    kernel = first @ second.T
    kernel = kernel - kernel.mean(axis=0) - kernel.mean(axis=1, keepdims=True) + kernel.mean()
    return End(kernel, float(end.fun))
