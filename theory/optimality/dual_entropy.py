"""Lower bounds by entropy: the dual of a penalised cross-entropy, along a ray of dual points.

The conjugate of z -> log sum e^z - <t, z> at s is minus the entropy H of s + t. So for all distributions q_n

    F(M) >= sum_n omega_n H(q_n) + <Gq, M>,     Gq[(k, l), w] = sum_n omega_n (q_nk - t_nk) [x_nl = w],

with equality at q = p. The ray q = t + theta (p - t) has Gq = theta G and stays inside the simplex up to some theta
above 1. The entropy D(theta) = sum_n omega_n H(t_n + theta (p_n - t_n)) is concave, with D'(1) = -<G, M>.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import entr, xlog1py, xlogy

from theory.optimality.sentence_logits import SentenceLogits

if TYPE_CHECKING:
    from jaxtyping import Float

# Newton's method on a concave function of one variable; it needs two to six steps.
_MAX_STEPS = 40
# A step that can gain less than this share of the value is rounding.
_NEGLIGIBLE_GAIN = 1e-17


@dataclass(frozen=True)
class RayPoint:
    """D and its first two derivatives at one theta."""

    value: float
    slope: float
    curvature: float


def entropy_ray(scored: SentenceLogits) -> Callable[[float], RayPoint]:
    """Return the function D(theta) = sum_n omega_n H(t_n + theta (p_n - t_n)), nats, with two derivatives.

        D' = -sum omega (p - t) log q,     D'' = -sum omega (p - t)^2 / q

    Args:
        scored: the sentences.

    Returns: a function of theta > 0 inside the simplex (see `largest_theta`). With label noise each call costs one pass
    over the logits.
    Source: derived here.
    """
    if scored.label_noise:
        return lambda theta: _noisy_entropy(scored, theta)
    spread, error_probability = scored.spread, scored.error_probability
    return lambda theta: _entropy(scored.weights, spread, error_probability, theta)


def _entropy(
    weights: Float[np.ndarray, " N"],
    spread: Float[np.ndarray, " N"],
    error_probability: Float[np.ndarray, " N"],
    theta: float,
) -> RayPoint:
    """Return D without label noise, from the sums of -p log p and of p over the wrong classes of each sentence."""
    mixed = np.minimum(theta * error_probability, 1.0)
    value = theta * spread - xlogy(mixed, theta) - xlog1py(1 - mixed, -mixed)
    slope = spread - error_probability * np.log(theta) + xlog1py(error_probability, -mixed)
    curvature = -error_probability / theta - np.divide(
        error_probability**2, 1 - mixed, out=np.zeros_like(error_probability), where=mixed < 1
    )
    return RayPoint(float(weights @ value), float(weights @ slope), float(weights @ curvature))


def _noisy_entropy(scored: SentenceLogits, theta: float) -> RayPoint:
    """Return D with label noise: the wrong classes block by block, then the true class of each sentence."""
    target = scored.other_target
    value, slope, curvature = (np.zeros(len(scored.weights)) for _ in range(3))
    for block in scored.class_blocks():
        for rows, own, errors in scored.probability_chunks(block):
            errors -= target
            errors[own] = 0.0
            mixed = np.maximum(target + theta * errors, 0.0)
            mixed[own] = 0.0
            value[rows] += entr(mixed).sum(axis=1)
            slope[rows] -= xlogy(errors, mixed).sum(axis=1)
            curvature[rows] -= np.divide(errors**2, mixed, out=np.zeros_like(mixed), where=mixed > 0).sum(axis=1)
    error = scored.own_error
    others = np.minimum(scored.label_noise - target - theta * error, 1.0)
    value -= xlog1py(1 - others, -others)
    slope -= xlog1py(error, -others)
    curvature -= np.divide(error**2, 1 - others, out=np.zeros_like(error), where=others < 1)
    weights = scored.weights
    return RayPoint(float(weights @ value), float(weights @ slope), float(weights @ curvature))


def joint_ray(rays: Sequence[Callable[[float], RayPoint]]) -> Callable[[float], RayPoint]:
    """Return the sum of several entropies D(theta) at one common theta, with two derivatives.

    Args:
        rays: functions as `entropy_ray` returns them.

    Returns: their sum, a function of theta, defined where all of them are.
    """

    def total(theta: float) -> RayPoint:
        points = [ray(theta) for ray in rays]
        return RayPoint(
            value=sum(point.value for point in points),
            slope=sum(point.slope for point in points),
            curvature=sum(point.curvature for point in points),
        )

    return total


def largest_theta(scored: SentenceLogits) -> float:
    """Return the largest theta at which t + theta (p - t) is still a distribution for every sentence, or inf."""
    target = scored.other_target
    least = np.exp(scored.least_other - scored.log_normaliser).min()
    falls = np.array([target - least, -scored.own_error.min()])
    room = np.array([target, 1 - scored.label_noise + target])
    if scored.n_classes == 1:
        return np.inf
    return float(np.min(np.divide(room, falls, out=np.full(2, np.inf), where=falls > 0)))


def best_scaling(evaluate: Callable[[float], RayPoint], upper: float, *, penalty: float = 0.0) -> tuple[float, float]:
    """Return the maximum of D(theta) - penalty theta^2 over 0 < theta <= upper.

    Newton's method starts from min(1, upper) and stays inside a shrinking bracket. Every value is a valid lower bound;
    the largest one found is returned.

    Args:
        evaluate: D with its derivatives, as `entropy_ray` returns it.
        upper: the end of the ray; may be infinite.
        penalty: the coefficient of theta^2, nats.

    Returns: the value (nats) and its theta. Source: derived here.
    """
    theta, low, high = min(1.0, upper), 0.0, upper
    best = (-np.inf, theta)
    for _ in range(_MAX_STEPS):
        point = evaluate(theta)
        value = point.value - penalty * theta**2
        slope, curvature = point.slope - 2 * penalty * theta, point.curvature - 2 * penalty
        best = max(best, (value, theta))
        low, high = (theta, high) if slope > 0 else (low, theta)
        if slope == 0 or curvature == 0 or low == upper:
            break
        if slope**2 <= _NEGLIGIBLE_GAIN * abs(curvature * value):
            break
        step = min(theta - slope / curvature, upper)
        theta = step if low < step < high or step == upper == high else 0.5 * (low + high)
    return best
