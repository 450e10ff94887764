"""The time to isotropy: the mean cosine of K class vectors under gradient flow, with each class once in a batch.

On ``z_k = cos(th) m + sin(th) e_k``, e_k the vertices of a simplex orthogonal to m, the mean over classes of InfoNCE is
``log(1 + q)`` with ``q = (K - 1) exp(-(1 - rho)/tau)`` and ``rho = 1 - sin^2(th) K/(K - 1)`` the cosine of two classes.
Gradient flow on the spheres stays on this curve; a change of th moves each of K unit vectors by the same amount, so

    th' = -(1/K) dL/dth = p sin(2 th)/(tau (K - 1)),      p = q/(1 + q).

By separation of variables, with ``w = sin^2 th`` and ``a = K/((K - 1) tau)``, the time from w_0 to w_1 is

    T = tau (K - 1)/4 [log(w/(1 - w))] + tau/4 [Ei(a w) + e^a E_1(a (1 - w))],

where Ei and E_1 are exponential integrals and a bracket is its value at w_1 minus that at w_0. At a low temperature the
second term diverges (negatives are too far away to contribute to the gradient); at a high one both grow with tau: T is
U-shaped in tau. Derivation: theorem 4 of `contextual_embeddings.md`.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from theory.checks import require_integer, require_positive

if TYPE_CHECKING:
    from jaxtyping import Float

_TEMPERATURES = (1e-2, 1e2)  # range of the search for the best temperature


def cosine_of_angle(angle: Float[np.ndarray, ...], n_classes: int) -> Float[np.ndarray, ...]:
    """Return the mean cosine rho for an angle th in radians."""
    return 1 - np.sin(angle) ** 2 * n_classes / (n_classes - 1)


def angle_of_cosine(cosine: Float[np.ndarray, ...], n_classes: int) -> Float[np.ndarray, ...]:
    """Return th, in radians, for a mean cosine of different classes between -1/(K - 1) and 1."""
    return np.arcsin(np.sqrt((1 - np.asarray(cosine, float)) * (n_classes - 1) / n_classes))


def angle_velocity(angle: Float[np.ndarray, ...], n_classes: int, temperature: float) -> Float[np.ndarray, ...]:
    """Return th', in radians per unit of time (steps times learning rate)."""
    logit = math.log(n_classes - 1) - (1 - cosine_of_angle(angle, n_classes)) / temperature
    share = 1 / (1 + np.exp(-logit))
    return share * np.sin(2 * angle) / (temperature * (n_classes - 1))


def time_to_cosine(n_classes: int, temperature: float, initial_angle: float, final_cosine: float) -> float:
    """Return the time of gradient flow until the mean cosine of different classes has fallen to a given value.

    Args:
        n_classes: K, at least 2.
        temperature: tau > 0.
        initial_angle: th_0, radians, in (0, pi/2).
        final_cosine: rho_1, above -1/(K - 1) and below the initial mean cosine.

    Returns: time in steps times learning rate; infinite where it exceeds float64.
    Raises: ValueError, one line that names the field.
    """
    from scipy.special import exp1, expi

    count = require_integer("n_classes", n_classes, minimum=2)
    tau = require_positive("temperature", temperature)
    start, end = _squared_sines(count, initial_angle, final_cosine)
    rate = count / ((count - 1) * tau)
    linear = math.log(end / (1 - end)) - math.log(start / (1 - start))
    with np.errstate(over="ignore", invalid="ignore"):
        near = expi(rate * end) - expi(rate * start)
        far = np.exp(rate) * (exp1(rate * (1 - end)) - exp1(rate * (1 - start)))
        time = tau * ((count - 1) * linear + near + far) / 4
    return float(time) if np.isfinite(time) else math.inf


def best_temperature(n_classes: int, initial_angle: float, final_cosine: float) -> tuple[float, float]:
    """Return the temperature that minimises `time_to_cosine`, and that time in steps times learning rate.

    Args:
        n_classes: K, at least 2.
        initial_angle: th_0, radians, in (0, pi/2).
        final_cosine: rho_1.

    Raises: ValueError, as `time_to_cosine`.
    """
    from scipy.optimize import minimize_scalar

    def time(log_temperature: float) -> float:
        return math.log(time_to_cosine(n_classes, math.exp(log_temperature), initial_angle, final_cosine))

    grid = np.linspace(math.log(_TEMPERATURES[0]), math.log(_TEMPERATURES[1]), 60)
    least = int(np.argmin([time(value) for value in grid]))
    bracket = (grid[max(least - 1, 0)], grid[min(least + 1, len(grid) - 1)])
    minimum = minimize_scalar(time, bounds=bracket, method="bounded", options={"xatol": 1e-10})
    return math.exp(minimum.x), math.exp(minimum.fun)


def cosine_curve(
    times: Float[np.ndarray, " n"], n_classes: int, temperature: float, initial_angle: float
) -> Float[np.ndarray, " n"]:
    """Return the mean cosine of different classes at given times of gradient flow, by integrating the ODE.

    Args:
        times: steps times learning rate, non-negative and in ascending order.
        n_classes: K.
        temperature: tau.
        initial_angle: th_0, radians, in (0, pi/2).

    Raises: ValueError, one line that names the field.
    """
    from scipy.integrate import solve_ivp

    count = require_integer("n_classes", n_classes, minimum=2)
    tau = require_positive("temperature", temperature)
    _squared_sines(count, initial_angle, None)
    times = np.asarray(times, float)
    if times.ndim != 1 or not len(times) or times[0] < 0 or np.any(np.diff(times) < 0):
        raise ValueError(f"times: expected non-negative growing numbers, got {times}")

    def velocity(_, log_tangent):  # (log tan th)' = 2 th'/sin(2 th): smooth up to th = pi/2
        angle = np.arctan(np.exp(log_tangent))
        logit = math.log(count - 1) - (1 - cosine_of_angle(angle, count)) / tau
        return 2 / ((1 + np.exp(-logit)) * tau * (count - 1))

    start = [math.log(math.tan(initial_angle))]
    solved = solve_ivp(velocity, (0, times[-1] or 1.0), start, t_eval=times, method="LSODA", rtol=1e-10, atol=1e-12)
    return cosine_of_angle(np.arctan(np.exp(solved.y[0])), count)


def _squared_sines(n_classes: int, initial_angle: float, final_cosine: float | None) -> tuple[float, float]:
    """Return ``sin^2`` of the angles at the start and the end, or raise ValueError."""
    angle = require_positive("initial_angle", initial_angle)
    if angle >= math.pi / 2:
        raise ValueError(f"initial_angle: expected less than pi/2, got {angle:g}")
    start = math.sin(angle) ** 2
    if final_cosine is None:
        return start, 1.0
    first, least = float(cosine_of_angle(np.array(angle), n_classes)), -1 / (n_classes - 1)
    if not least < final_cosine < first:
        raise ValueError(
            f"final_cosine: expected more than -1/(K-1)={least:g} and less than the initial cosine, {first:g}, "
            f"got {final_cosine!r}"
        )
    return start, (1 - float(final_cosine)) * (n_classes - 1) / n_classes
