"""Direct minimisation over encoders: the oracle for the claims, without any formula for eigenvalues or ratios."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.linalg import solve, sqrtm
from scipy.optimize import minimize

if TYPE_CHECKING:
    from theory.dimensional_collapse import PairMoments

N_STARTS = 2
# Polishing steps use no line search: one stops where risks differ by rounding, with half of the digits correct.
N_POLISHING, ENOUGH = 400, 1e-13


class End(NamedTuple):
    """The end point of a descent.

    Attributes:
        gram: ``W^T W``, ``Float[d, d]``.
        spectrum: eigenvalues of ``W M W^T``, largest first, ``Float[d]``.
        risk: loss plus weight decay, nats.
        gradient_norm: norm of the gradient of the risk with respect to ``W M^{1/2}``.
    """

    gram: np.ndarray
    spectrum: np.ndarray
    risk: float
    gradient_norm: float


@dataclass(frozen=True, kw_only=True, eq=False)
class Risk:
    """The expected loss plus weight decay of an encoder W, ``Float[m, d]``, with its gradient.

    Args:
        pairs: second moments of the pairs.
        similarity: "distance", "dot" or "spectral".
        temperature: tau.
        weight_decay: lam.
    """

    pairs: PairMoments
    similarity: str
    temperature: float = 1.0
    weight_decay: float = 0.0

    def __call__(self, weights: np.ndarray) -> tuple[float, np.ndarray]:
        """Return the risk and its gradient with respect to W."""
        loss = self._distance if self.similarity == "distance" else self._inner_product
        value, gradient = loss(weights)
        decay = self.weight_decay
        return value + decay / 2 * float(np.sum(weights**2)), gradient + decay * weights

    def _distance(self, weights: np.ndarray) -> tuple[float, np.ndarray]:
        tau, metric = self.temperature, self.pairs.metric
        scaled = weights @ metric @ weights.T / tau
        grown = np.eye(len(scaled)) + scaled
        inverse = solve(grown, np.eye(len(grown)), assume_a="pos")
        value = np.sum(weights @ self.pairs.spread * weights) / (2 * tau)
        value += -np.linalg.slogdet(grown)[1] / 2 - np.trace(scaled @ inverse) / 2
        slope = -(inverse + inverse @ inverse) / 2  # gradient with respect to C = W M W^T/tau
        return float(value), (weights @ self.pairs.spread + 2 * slope @ weights @ metric) / tau

    def _inner_product(self, weights: np.ndarray) -> tuple[float, np.ndarray]:
        tau = 1.0 if self.similarity == "spectral" else self.temperature
        scaled = weights @ self.pairs.metric @ weights.T / tau
        value = -np.sum(weights @ self.pairs.overlap * weights) / tau + np.sum(scaled**2) / 2
        gradient = (-2 * weights @ self.pairs.overlap + 2 * scaled @ weights @ self.pairs.metric) / tau
        factor = 2 if self.similarity == "spectral" else 1
        return float(factor * value), factor * gradient

    def descend(self, output_dim: int, seed: int = 0) -> End:
        """Return the end of lowest risk among several descents by L-BFGS, after polishing."""
        shape, rng = (output_dim, self.pairs.dimension), np.random.default_rng(seed)

        def objective(point: np.ndarray) -> tuple[float, np.ndarray]:
            value, gradient = self(point.reshape(shape))
            return value, gradient.ravel()

        starts = [rng.normal(size=shape).ravel() / np.sqrt(output_dim) for _ in range(N_STARTS)]
        ends = [_descend(objective, start) for start in starts]
        return self._end(
            _polish(lambda point: objective(point)[1], min(ends, key=lambda end: end.fun).x).reshape(shape)
        )

    def _end(self, weights: np.ndarray) -> End:
        root = np.real(sqrtm(self.pairs.metric))
        value, gradient = self(weights)
        singular = np.linalg.svd(weights @ root, compute_uv=False)
        spectrum = np.pad(singular**2, (0, max(0, weights.shape[1] - len(singular))))
        return End(weights.T @ weights, spectrum, value, float(np.linalg.norm(gradient @ np.linalg.inv(root))))


def _descend(objective: Callable, start: np.ndarray):
    """Return the result of L-BFGS, run until rounding stops its line search."""
    return minimize(
        objective,
        start,
        jac=True,
        method="L-BFGS-B",
        options={"maxiter": 20_000, "maxfun": 40_000, "maxcor": 30, "ftol": 0, "gtol": 1e-12},
    )


def _polish(gradient: Callable[[np.ndarray], np.ndarray], point: np.ndarray) -> np.ndarray:
    """Return the point of smallest gradient on a path of Barzilai-Borwein steps, which need gradients only."""
    slope = gradient(point)
    best, least, step = point, float(np.linalg.norm(slope)), 1e-3
    for _ in range(N_POLISHING):
        moved = point - step * slope
        next_slope = gradient(moved)
        change, bend = moved - point, next_slope - slope
        point, slope, size = moved, next_slope, float(np.linalg.norm(next_slope))
        if size < least:
            best, least = point, size
        if least < ENOUGH or not change @ bend > 0:
            break
        step = float(change @ bend / (bend @ bend))
    return best
