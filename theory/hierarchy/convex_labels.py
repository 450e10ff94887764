"""Arbitrary soft labels: the convex problem in the logits of the leaves, solved numerically with a certificate.

    minimise over Z (K, K)   (1/K) sum_i CE(z_i, P(.|i)) + c |Z|_*,     z_i the row of leaf i

The minimum equals that over factors Z = H W^T with K columns and the penalty c/2 (|H|^2 + |W|^2), which L-BFGS and then
Newton's method minimise; `theory.optimality.soft_targets` bounds the distance of the result from the minimum.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.optimize import minimize
from scipy.special import log_softmax

from theory.optimality.soft_targets import certify_targets

if TYPE_CHECKING:
    from jaxtyping import Float

_NEWTON_STEPS, _PRODUCTS, _RESIDUAL = 12, 400, 1e-4
_START = 0.3  # standard deviation of the initial factors; at zero there is a saddle


class Logits(NamedTuple):
    """The solution of the convex problem.

    Args:
        logits: Z (K, K), a row for each leaf, nats.
        cross_entropy, risk: nats.
        lower_bound: proven lower bound on the risk, nats.
    """

    logits: Float[np.ndarray, "K K"]
    cross_entropy: float
    risk: float
    lower_bound: float


def solve_logits(targets: Float[np.ndarray, "K K"], decay: float) -> Logits:
    """Return the solution of the convex problem.

    Args:
        targets: P, a row for each leaf, (K, K).
        decay: c > 0.

    Returns: the solution and a certified lower bound, which shows whether the descent has reached the minimum.
    Source: derived here; Lemma 1 and Theorem 1 of `theory/global_optimality.md`.
    """
    n_leaves = len(targets)
    start = _START * np.random.default_rng(0).standard_normal(2 * n_leaves**2)
    objective = _Factors(targets, decay)
    point = minimize(
        objective.value_and_gradient,
        start,
        jac=True,
        method="L-BFGS-B",
        options={"maxiter": 5000, "maxfun": 20000, "maxcor": 30, "ftol": 0.0, "gtol": 1e-9},
    ).x
    features, classifier = _polish(objective, point).reshape(2, n_leaves, n_leaves)
    certificate = certify_targets(
        targets,
        np.full(n_leaves, 1 / n_leaves),
        features,
        classifier,
        feature_weight_decay=decay,
        classifier_weight_decay=decay,
    )
    return Logits(features @ classifier.T, certificate.cross_entropy, certificate.risk, certificate.lower_bound)


class _Factors(NamedTuple):
    """The risk of the factors H and W, as a function of one vector that contains both."""

    targets: Float[np.ndarray, "K K"]
    decay: float

    def value_and_gradient(self, point: np.ndarray) -> tuple[float, np.ndarray]:
        """Return the risk and its gradient."""
        features, classifier = self._split(point)
        logarithms = log_softmax(features @ classifier.T, axis=1)
        errors = (np.exp(logarithms) - self.targets) / len(self.targets)
        value = -np.sum(self.targets * logarithms) / len(self.targets) + self.decay / 2 * (point @ point)
        return float(value), np.stack([errors @ classifier, errors.T @ features]).ravel() + self.decay * point

    def hessian_product(self, point: np.ndarray, direction: np.ndarray) -> np.ndarray:
        """Return the product of the Hessian at a point with a direction."""
        (features, classifier), (by_features, by_classifier) = self._split(point), self._split(direction)
        probabilities = np.exp(log_softmax(features @ classifier.T, axis=1))
        errors = (probabilities - self.targets) / len(self.targets)
        moved = by_features @ classifier.T + features @ by_classifier.T
        change = probabilities * (moved - np.sum(probabilities * moved, axis=1, keepdims=True)) / len(self.targets)
        of_features = change @ classifier + errors @ by_classifier
        of_classifier = change.T @ features + errors.T @ by_features
        return np.stack([of_features, of_classifier]).ravel() + self.decay * direction

    def _split(self, point: np.ndarray) -> np.ndarray:
        return point.reshape(2, *self.targets.shape)


def _polish(objective: _Factors, point: np.ndarray) -> np.ndarray:
    """Return the point after Newton steps, taken as long as they shorten the gradient."""
    gradient = objective.value_and_gradient(point)[1]
    for _ in range(_NEWTON_STEPS):
        trial = point + _newton_direction(objective, point, gradient)
        moved = objective.value_and_gradient(trial)[1]
        if not np.linalg.norm(moved) < np.linalg.norm(gradient):
            break
        point, gradient = trial, moved
    return point


def _newton_direction(objective: _Factors, point: np.ndarray, gradient: np.ndarray) -> np.ndarray:
    """Return the solution of H p = -g by conjugate gradients, with no component along rotations of both factors."""
    solution, residual = np.zeros_like(point), -gradient
    direction, size = residual, residual @ residual
    goal = _RESIDUAL**2 * size
    for _ in range(_PRODUCTS):
        image = objective.hessian_product(point, direction)
        curvature = direction @ image
        if size <= goal or curvature <= 0:
            break
        length = size / curvature
        solution, residual = solution + length * direction, residual - length * image
        size, previous = residual @ residual, size
        direction = residual + size / previous * direction
    return solution
