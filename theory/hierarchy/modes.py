"""Modes of a deep linear network from an aligned balanced start, where modes do not interact.

    loss |Y - W_N .. W_1|^2 / 2,   Y = U S V^T,   W_N .. W_1 = U a(t) V^T with a^(1/N) on every layer

Gradient flow keeps the layers aligned and balanced, and u = a^(1/N) obeys du/dt = u^(N-1) (s - u^N), so that

    N = 1   a = s - (s - a_0) e^-t
    N = 2   a = s / (1 + (s/a_0 - 1) e^(-2 s t))                       Saxe et al., arXiv 1312.6120
    N > 2   t = T(u) - T(u_0),   s T(u) = u^(2-N)/(2-N) + u^2/(2 s) F(1, 2/N; 1 + 2/N; u^N/s),   F = 2F1 of Gauss

since 1/(u^(N-1) (s - u^N)) = (u^(1-N) + u/(s - u^N)) / s. Gradient descent from such a start is exactly the recursion
u <- u + eta u^(N-1) (s - u^N). Time t is learning rate times steps. At u^N = s the loss has the curvature N s^(2-2/N)
along the mode, which limits the learning rate.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from theory.checks import require_integer, require_positive

if TYPE_CHECKING:
    from jaxtyping import Float, Int

# Bisection steps for the logit of a/s: they shrink a bracket of size 40 to far below rounding.
_HALVINGS = 64
_LOGIT_END = 40.0
# Largest stable step on a parabola of unit curvature: for gradient descent, and for the classical Runge-Kutta method of
# order four (minus the negative real root of 1 + x + x^2/2 + x^3/6 + x^4/24 = 1).
STABLE_STEPS = {"descent": 2.0, "runge-kutta": 2.785293563405282}


def aligned_strengths(
    singular_values: Float[np.ndarray, " r"],
    initial_strength: float,
    times: Float[np.ndarray, " t"],
    n_layers: int,
) -> Float[np.ndarray, "t r"]:
    """Return a(t) of each mode under gradient flow.

    Args:
        singular_values: s > 0.
        initial_strength: a_0 of all modes, positive and below every s.
        times: t >= 0, learning rate times steps.
        n_layers: N.

    Source: the module's docstring.
    """
    s, t = np.asarray(singular_values, float), np.asarray(times, float)[:, None]
    n_layers = require_integer("layers", n_layers, minimum=1)
    require_initial_strength(initial_strength, s)
    if n_layers == 1:
        return s - (s - initial_strength) * np.exp(-t)
    if n_layers == 2:
        return s / (1 + (s / initial_strength - 1) * np.exp(-2 * s * t))
    goal = t + _travel_time(initial_strength ** (1 / n_layers), s, n_layers)
    low = np.broadcast_to(np.log(initial_strength / (s - initial_strength)), goal.shape).copy()
    high = np.full(goal.shape, _LOGIT_END)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        early = _travel_time((s / (1 + np.exp(-middle))) ** (1 / n_layers), s, n_layers) < goal
        low, high = np.where(early, middle, low), np.where(early, high, middle)
    return s / (1 + np.exp(-low))


def half_times(
    singular_values: Float[np.ndarray, " r"], initial_strength: float, n_layers: int
) -> Float[np.ndarray, " r"]:
    """Return the times at which the modes reach s/2 under gradient flow, (r,); 0 for modes that start above it."""
    s = np.asarray(singular_values, float)
    require_initial_strength(initial_strength, s)
    if n_layers == 1:
        return np.maximum(np.log(2 * (1 - initial_strength / s)), 0.0)
    if n_layers == 2:
        return np.maximum(np.log(s / initial_strength - 1) / (2 * s), 0.0)
    ends = (_travel_time(a ** (1 / n_layers), s, n_layers) for a in (s / 2, initial_strength))
    return np.maximum(next(ends) - next(ends), 0.0)


def descend_strengths(
    singular_values: Float[np.ndarray, " r"],
    initial_strength: float,
    steps: Sequence[int] | Int[np.ndarray, " t"],
    learning_rate: float,
    n_layers: int,
) -> Float[np.ndarray, "t r"]:
    """Return a of each mode after given numbers of steps of gradient descent, without approximation.

    Args:
        singular_values: s > 0.
        initial_strength: a_0 of all modes.
        steps: numbers of steps, in ascending order.
        learning_rate: eta.
        n_layers: N.
    """
    s = np.asarray(singular_values, float)
    layer, taken, rows = np.full(s.shape, float(initial_strength) ** (1 / n_layers)), 0, []
    for step in steps:
        for _ in range(int(step) - taken):
            layer = layer + learning_rate * layer ** (n_layers - 1) * (s - layer**n_layers)
        taken = int(step)
        rows.append(layer**n_layers)
    return np.array(rows)


def largest_learning_rate(largest_singular_value: float, n_layers: int, method: str = "descent") -> float:
    """Return the step above which a balanced minimum is unstable: `STABLE_STEPS` over N s_max^(2 - 2/N)."""
    return STABLE_STEPS[method] / (n_layers * largest_singular_value ** (2 - 2 / n_layers))


def require_initial_strength(value: float, singular_values: Float[np.ndarray, " r"]) -> float:
    """Return a_0, or raise ValueError unless it is positive and below the smallest singular value."""
    number, least = require_positive("initial_strength", value), float(np.min(singular_values))
    if number >= least:
        raise ValueError(
            f"initial_strength: expected a number below the least singular value, {least:.6g}, got {value}"
        )
    return number


def _travel_time(layer, s, n_layers: int):
    """Return T(u) for N > 2, up to a constant in u."""
    from scipy.special import hyp2f1

    ratio = 2 / n_layers
    tail = layer**2 / (2 * s) * hyp2f1(1, ratio, 1 + ratio, layer**n_layers / s)
    return (layer ** (2 - n_layers) / (2 - n_layers) + tail) / s
