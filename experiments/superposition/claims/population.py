"""The loss of any autoencoder over all inputs, by its definition, and its direct minimisation in float64.

Every set of active features has its exact probability; where they are active, the features are the points of a
scrambled Sobol sequence. Independent scramblings are *replicates*: the spread of a loss over them is its standard
error. Nothing here knows of codes or of closed forms.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from scipy.optimize import minimize
from scipy.stats import qmc

N_REPLICATES = 8
STANDARD_ERRORS = 5


class Network(NamedTuple):
    """``x' = relu(W^T W x + b)``, or without ReLU: ``W``, ``Float[m, n]``, and ``b``, ``Float[n]``."""

    weights: np.ndarray
    bias: np.ndarray

    @property
    def gram(self) -> np.ndarray:
        """``W^T W``."""
        return self.weights.T @ self.weights


class Estimate(NamedTuple):
    """A mean over replicates, its standard error, and the standard deviation of one replicate."""

    mean: float
    error: float
    deviation: float


@dataclass(frozen=True, kw_only=True)
class Population:
    """Sparse features.

    Args:
        n_features: ``n``.
        active_probability: ``p``.
        importance: ``I``, one number for each feature.
        log_points: logarithm to base 2 of the points for each set of active features.
        is_linear: whether the network has no ReLU.
    """

    n_features: int
    active_probability: float
    importance: tuple[float, ...]
    log_points: int = 9
    is_linear: bool = False

    @cached_property
    def masks(self) -> np.ndarray:
        """Which features are active, ``Bool[2^n, n]``, less those of no probability."""
        masks = np.arange(2**self.n_features)[:, None] >> np.arange(self.n_features) & 1 == 1
        return masks if self.active_probability < 1 else masks[-1:]

    @cached_property
    def probabilities(self) -> np.ndarray:
        """The probability of each mask."""
        p, n_active = self.active_probability, self.masks.sum(axis=1)
        return p**n_active * (1 - p) ** (self.n_features - n_active)

    def inputs(self, replicate: int) -> np.ndarray:
        """Return the inputs of a replicate, ``Float[masks, points, n]``."""
        points = qmc.Sobol(self.n_features, rng=np.random.default_rng(replicate)).random_base2(self.log_points)
        return self.masks[:, None, :] * points

    def losses(self, network: Network) -> np.ndarray:
        """Return the loss of a network on each replicate."""
        return np.array([self.loss_and_gradient(network, self.inputs(r))[0] for r in range(N_REPLICATES)])

    def estimate(self, network: Network) -> Estimate:
        """Return the loss of a network."""
        return summarise(self.losses(network))

    def loss_and_gradient(self, network: Network, inputs: np.ndarray) -> tuple[float, Network]:
        """Return the loss on given inputs, and its gradient in ``W`` and ``b``."""
        hidden = inputs @ network.weights.T
        output = hidden @ network.weights + network.bias
        active = np.ones_like(output) if self.is_linear else output > 0
        residual = active * output - inputs
        weights = self.probabilities[:, None, None] * np.array(self.importance) / inputs.shape[1]
        slope = 2 * weights * residual * active
        # products of one mask at a time are small: BLAS starts no threads for them
        by_hidden = slope @ network.weights.T
        by_weights = hidden.swapaxes(1, 2) @ slope + by_hidden.swapaxes(1, 2) @ inputs
        return float(np.sum(weights * residual**2)), Network(by_weights.sum(axis=0), slope.sum(axis=(0, 1)))

    def descend(self, start: Network, replicate: int = 0) -> Network:
        """Return the end of a descent by BFGS on one replicate."""
        shape, inputs, scale = start.weights.shape, self.inputs(replicate), self.active_probability

        def objective(point: np.ndarray) -> tuple[float, np.ndarray]:
            loss, gradient = self.loss_and_gradient(_unpack(point, shape), inputs)
            return loss / scale, _pack(gradient) / scale

        end = minimize(objective, _pack(start), jac=True, method="BFGS", options={"maxiter": 2000, "gtol": 1e-8})
        return _unpack(end.x, shape)

    def minima(self, start: Network) -> list[Network]:
        """Return the end of a descent on each replicate, all from one network."""
        return [self.descend(start, replicate) for replicate in range(N_REPLICATES)]

    def best_of(self, n_hidden: int, n_starts: int, seed: int = 0) -> Network:
        """Return the best end of descents from random starts, by the loss on the first replicate."""
        rng = np.random.default_rng(seed)
        inputs, ends = self.inputs(0), []
        for _ in range(n_starts):
            weights = rng.normal(size=(n_hidden, self.n_features)) * rng.choice([0.3, 0.6, 1.0]) / np.sqrt(n_hidden)
            ends.append(self.descend(Network(weights, np.full(self.n_features, rng.choice([-0.1, 0.0, 0.1])))))
        return min(ends, key=lambda end: self.loss_and_gradient(end, inputs)[0])


def summarise(values: np.ndarray) -> Estimate:
    """Return the mean of values of independent replicates, and its errors."""
    deviation = float(np.std(values, ddof=1))
    return Estimate(float(np.mean(values)), deviation / np.sqrt(len(values)), deviation)


def excess_tolerance(differences: Estimate) -> float:
    """Return how far the loss at the minimum of one replicate may be from the least.

    ``f(end) - f(best)`` is at most ``(f - f_0)(end) - (f - f_0)(best)`` on the replicate ``f_0`` that was minimised:
    five standard deviations of the difference on one replicate, and five standard errors of its mean.

    Args:
        differences: of the loss at the end of the descent less that of the network which is taken to be the best.
    """
    return STANDARD_ERRORS * (differences.deviation + differences.error)


def _pack(network: Network) -> np.ndarray:
    return np.concatenate([network.weights.ravel(), network.bias])


def _unpack(point: np.ndarray, shape: tuple[int, ...]) -> Network:
    size = int(np.prod(shape))
    return Network(point[:size].reshape(shape), point[size:])
