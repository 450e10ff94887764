"""The loss of any autoencoder over all inputs, from its definition, and its direct minimisation in float64.

Every set of active features has its exact probability; the values of active features are points of a scrambled Sobol
sequence. Independent scramblings are *replicates*, whose spread gives the standard error of a loss. No codes or closed
forms enter.
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
    """The autoencoder ``x' = relu(W^T W x + b)``, or without ReLU; ``W``: ``Float[m, n]``, ``b``: ``Float[n]``."""

    weights: np.ndarray
    bias: np.ndarray

    @property
    def gram(self) -> np.ndarray:
        """The Gram matrix ``W^T W``, ``Float[n, n]``."""
        return self.weights.T @ self.weights


class Estimate(NamedTuple):
    """A mean over replicates, its standard error, and the standard deviation of one replicate."""

    mean: float
    error: float
    deviation: float


@dataclass(frozen=True, kw_only=True)
class Population:
    """The distribution of sparse features, with the loss of networks over it.

    Args:
        n_features: number of features ``n``.
        active_probability: probability ``p`` that a feature is active.
        importance: importances ``I``, one per feature.
        log_points: base-2 logarithm of the number of points for each set of active features.
        is_linear: whether the network has no ReLU.
    """

    n_features: int
    active_probability: float
    importance: tuple[float, ...]
    log_points: int = 9
    is_linear: bool = False

    @cached_property
    def masks(self) -> np.ndarray:
        """All sets of active features of non-zero probability, ``Bool[2^n, n]``."""
        masks = np.arange(2**self.n_features)[:, None] >> np.arange(self.n_features) & 1 == 1
        return masks if self.active_probability < 1 else masks[-1:]

    @cached_property
    def probabilities(self) -> np.ndarray:
        """The probability of each mask, ``Float[2^n]``."""
        p, n_active = self.active_probability, self.masks.sum(axis=1)
        return p**n_active * (1 - p) ** (self.n_features - n_active)

    def inputs(self, replicate: int) -> np.ndarray:
        """Return the inputs of a replicate, ``Float[masks, points, n]``."""
        points = qmc.Sobol(self.n_features, rng=np.random.default_rng(replicate)).random_base2(self.log_points)
        return self.masks[:, None, :] * points

    def losses(self, network: Network) -> np.ndarray:
        """Return the loss of a network on each replicate, ``Float[N_REPLICATES]``."""
        return np.array([self.loss_and_gradient(network, self.inputs(r))[0] for r in range(N_REPLICATES)])

    def estimate(self, network: Network) -> Estimate:
        """Return the mean loss of a network over replicates, with its errors."""
        return summarise(self.losses(network))

    def loss_and_gradient(self, network: Network, inputs: np.ndarray) -> tuple[float, Network]:
        """Return the loss on given inputs, and its gradient with respect to ``W`` and ``b``."""
        hidden = inputs @ network.weights.T
        output = hidden @ network.weights + network.bias
        active = np.ones_like(output) if self.is_linear else output > 0
        residual = active * output - inputs
        weights = self.probabilities[:, None, None] * np.array(self.importance) / inputs.shape[1]
        slope = 2 * weights * residual * active
        # batched products, one per mask, are too small for BLAS to start threads
        by_hidden = slope @ network.weights.T
        by_weights = hidden.swapaxes(1, 2) @ slope + by_hidden.swapaxes(1, 2) @ inputs
        return float(np.sum(weights * residual**2)), Network(by_weights.sum(axis=0), slope.sum(axis=(0, 1)))

    def descend(self, start: Network, replicate: int = 0) -> Network:
        """Minimise the loss on one replicate by BFGS and return the end point."""
        shape, inputs, scale = start.weights.shape, self.inputs(replicate), self.active_probability

        def objective(point: np.ndarray) -> tuple[float, np.ndarray]:
            loss, gradient = self.loss_and_gradient(_unpack(point, shape), inputs)
            return loss / scale, _pack(gradient) / scale

        end = minimize(objective, _pack(start), jac=True, method="BFGS", options={"maxiter": 2000, "gtol": 1e-8})
        return _unpack(end.x, shape)

    def minima(self, start: Network) -> list[Network]:
        """Return the end point of a descent on each replicate, all from the same network."""
        return [self.descend(start, replicate) for replicate in range(N_REPLICATES)]

    def best_of(self, n_hidden: int, n_starts: int, seed: int = 0) -> Network:
        """Return the end point of lowest loss on the first replicate among descents from random starts."""
        rng = np.random.default_rng(seed)
        inputs, ends = self.inputs(0), []
        for _ in range(n_starts):
            weights = rng.normal(size=(n_hidden, self.n_features)) * rng.choice([0.3, 0.6, 1.0]) / np.sqrt(n_hidden)
            ends.append(self.descend(Network(weights, np.full(self.n_features, rng.choice([-0.1, 0.0, 0.1])))))
        return min(ends, key=lambda end: self.loss_and_gradient(end, inputs)[0])


def summarise(values: np.ndarray) -> Estimate:
    """Return the mean over independent replicates, its standard error and their standard deviation."""
    deviation = float(np.std(values, ddof=1))
    return Estimate(float(np.mean(values)), deviation / np.sqrt(len(values)), deviation)


def excess_tolerance(differences: Estimate) -> float:
    """Return a bound on the excess of the loss at the minimum of one replicate over the true minimum.

    ``f(end) - f(best)`` is at most ``(f - f_0)(end) - (f - f_0)(best)`` with ``f_0`` the minimised replicate: five
    standard deviations of the difference on one replicate, plus five standard errors of its mean.

    Args:
        differences: loss at the end of the descent minus that of the network assumed to be the minimiser.
    """
    return STANDARD_ERRORS * (differences.deviation + differences.error)


def _pack(network: Network) -> np.ndarray:
    return np.concatenate([network.weights.ravel(), network.bias])


def _unpack(point: np.ndarray, shape: tuple[int, ...]) -> Network:
    size = int(np.prod(shape))
    return Network(point[:size].reshape(shape), point[size:])
