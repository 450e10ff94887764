"""Claims on the gradient flow of the mean cosine: velocity, time, order of gradient descent, best temperature."""

from collections.abc import Iterator

import numpy as np
from scipy.integrate import quad

from experiments.verification.claim import Claim, compare, must_exceed
from theory import contextual_embeddings as theory

SOURCE = "derived here: theory/contextual_embeddings.md, theorem 4"
COUNT, ANGLE, TARGET = 8, 0.2, 0.1
TEMPERATURES = (0.15, 0.4, 1.0)
ROUNDING, QUADRATURE = 1e-12, 1e-9


def check_isotropy() -> Iterator[Claim]:
    """Check the ODE against gradients of all vectors, its time against quadrature and descent, and the optimum."""
    for tau in TEMPERATURES:
        yield from _check_velocity(tau)
        yield from _check_time(tau)
        yield from _check_descent(tau)
    yield from _check_optimum()


def cone(count: int, angle: float) -> np.ndarray:
    """Return K unit vectors in K dimensions, evenly spaced at an angle (radians) from their mean direction."""
    around = np.eye(count) - 1 / count
    around /= np.linalg.norm(around, axis=1, keepdims=True)
    return np.cos(angle) / np.sqrt(count) + np.sin(angle) * around


def gradient(vectors: np.ndarray, tau: float) -> np.ndarray:
    """Return the gradient of the mean InfoNCE loss over classes, each once in the batch; ``Float[K, d]``."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit = vectors / lengths
    scores = np.exp((unit @ unit.T - 1) / tau)
    weights = (scores / scores.sum(1, keepdims=True) - np.eye(len(unit))) / (tau * len(unit))
    slope = (weights + weights.T) @ unit
    return (slope - np.sum(slope * unit, axis=1, keepdims=True) * unit) / lengths


def _check_velocity(tau: float) -> Iterator[Claim]:
    vectors, step = cone(COUNT, ANGLE), 1e-6
    tangent = (cone(COUNT, ANGLE + step) - cone(COUNT, ANGLE - step)) / (2 * step)
    velocities = -np.sum(gradient(vectors, tau) * tangent, axis=1)
    predicted = theory.angle_velocity(np.array(ANGLE), COUNT, tau)
    yield compare(
        f"velocity of each class vector, tau={tau:g}", SOURCE, predicted, velocities, 1e-9, "differences of step 1e-6"
    )
    leaving = -gradient(vectors, tau) - predicted * tangent
    name = f"the flow stays on the cone, tau={tau:g}"
    yield compare(name, SOURCE, 0.0, np.abs(leaving).max(), 1e-9, "differences of step 1e-6")


def _check_time(tau: float) -> Iterator[Claim]:
    time = theory.time_to_cosine(COUNT, tau, ANGLE, TARGET)
    end = float(theory.angle_of_cosine(np.array(TARGET), COUNT))
    quadrature = quad(
        lambda angle: float(1 / theory.angle_velocity(np.array(angle), COUNT, tau)), ANGLE, end, epsrel=1e-12
    )
    name = f"time by exponential integrals equals quadrature, tau={tau:g}"
    yield compare(name, SOURCE, time / quadrature[0], 1.0, QUADRATURE, "relative; adaptive quadrature")
    reached = theory.cosine_curve(np.array([0.0, time]), COUNT, tau, ANGLE)[1]
    name = f"the ODE reaches the target at that time, tau={tau:g}"
    yield compare(name, SOURCE, TARGET, reached, 1e-7, "ODE integration")


def _check_descent(tau: float) -> Iterator[Claim]:
    """Check that the time of gradient descent converges to that of the flow at first order in the step."""
    time = theory.time_to_cosine(COUNT, tau, ANGLE, TARGET)
    steps = (time / 400, time / 800, time / 1600)
    times = [descent_time(tau, step) for step in steps]
    errors = [measured - time for measured in times]
    order = float(np.log2(errors[1] / errors[2]))
    name = f"order of the error of gradient descent in the step, tau={tau:g}"
    yield compare(name, SOURCE, 1.0, order, abs(errors[2]) / time * 10, "next order of the error")
    extrapolated = (2 * times[2] - times[1]) / time
    second = abs(2 * times[1] - times[0] - time) / time
    name = f"time of gradient descent, extrapolated to step 0, tau={tau:g}"
    yield compare(name, SOURCE, 1.0, extrapolated, second, "relative; the error before the last halving")
    wrong = theory.time_to_cosine(COUNT, 1.2 * tau, ANGLE, TARGET) / time
    yield must_exceed(f"control: another temperature takes another time, tau={tau:g}", SOURCE, 0.01, abs(wrong - 1))


def descent_time(tau: float, step: float) -> float:
    """Return the time at which descent from the cone passes the target, interpolated linearly between two steps."""
    vectors, previous, n_steps = cone(COUNT, ANGLE), 1.0, 0
    while True:
        unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        cosine = (np.sum(unit @ unit.T) - COUNT) / (COUNT * (COUNT - 1))
        if cosine <= TARGET:
            return step * (n_steps - (TARGET - cosine) / (previous - cosine))
        vectors, previous, n_steps = vectors - step * gradient(vectors, tau), cosine, n_steps + 1


def _check_optimum() -> Iterator[Claim]:
    """Check that the stationary point of the time in temperature is its minimum over a grid."""
    for target in (0.5, 0.1, 0.01):
        best, least = theory.best_temperature(24, 0.1, target)
        grid = np.geomspace(0.05, 5, 400)
        times = [theory.time_to_cosine(24, tau, 0.1, target) for tau in grid]
        best_on_grid = float(grid[int(np.argmin(times))])
        spacing = best * (grid[1] / grid[0] - 1)
        name = f"best temperature, mean cosine {target:g}"
        yield compare(name, SOURCE, best, best_on_grid, spacing, "grid spacing")
        yield must_exceed(f"no temperature is faster, mean cosine {target:g}", SOURCE, least, min(times))
