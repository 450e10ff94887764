"""Gradient flow from the symmetric start, with a fixed or a learnable inverse temperature ``beta = e^s``.

Symmetric embeddings stay symmetric: the gradient with respect to x_i lies in the plane of u_i and e. With
``z = beta cos^2(theta)`` and the residual ``r = q(z) - eps`` (q the probability of all other pairs), the gradient flow
with learning rates eta_x of the embeddings and eta_s of s is

    theta' = -(eta_x/N) a beta r sin(theta) cos(theta),      s' = eta_s a beta r cos^2(theta).

* The quotient is ``d log sin(theta)/ds = -k``, k = eta_x/(N eta_s). So **sin(theta) beta^k is conserved**.
* r > 0 while z < z*: beta rises and the gap falls until z = z*, the only rest point. With C the conserved product,
  ``beta - C^2 beta^{1-2k} = z*``, whose left side increases with beta where ``sin <= 1``; for k = 1,
  ``beta = (z* + sqrt(z*^2 + 4 C^2))/2``.
* If beta is clipped at a beta_max below this value, it stops at beta_max, and the gap converges to that of the branch
  at beta_max.
* Without mismatch z* is infinite: beta grows without bound, like log t, and the gap falls like beta^{-k}.
* Fixed beta: a small gap changes like ``exp(-rate t)``, rate = ``(eta_x/N) a beta (q(beta) - eps)``: it decays below
  the threshold and grows above it. Without mismatch the rate falls like ``e^{-a beta}``, exponentially in beta.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from theory.checks import require_non_negative, require_positive
from theory.modality_gap.loss_floor import check_task, largest_gap, margin_loss, threshold, wrong_share

if TYPE_CHECKING:
    from jaxtyping import Float

# Tolerances of the solver: far below the discretisation error of any gradient descent compared with the flow.
_RELATIVE, _ABSOLUTE = 1e-9, 1e-12


class Descent(NamedTuple):
    """A solution of the gradient flow at given times.

    Attributes:
        gap: ``Float[T]``.
        inverse_temperature: beta, ``Float[T]``.
        loss: nats, ``Float[T]``.
    """

    gap: Float[np.ndarray, " T"]
    inverse_temperature: Float[np.ndarray, " T"]
    loss: Float[np.ndarray, " T"]


def check_gap(field: str, gap: object) -> float:
    """Return the gap of a symmetric start, or raise ValueError unless it is in [0, 2)."""
    number = require_non_negative(field, gap)
    if number >= 2:
        raise ValueError(f"{field}: expected a number in [0, 2), got {number:g}")
    return number


def check_clip(clip: object, inverse_temperature: float) -> float:
    """Return the largest allowed beta, infinite for None, or raise ValueError if it is below the initial beta."""
    if clip is None:
        return math.inf
    number = require_positive("clip", clip)
    if number < inverse_temperature:
        raise ValueError(f"clip: expected at least the inverse temperature of the start, {inverse_temperature:g}, "
                         f"got {number:g}")  # fmt: skip
    return number


def decay_rate(n_pairs: int, mismatch: float, inverse_temperature: float, learning_rate: float) -> float:
    """Return the rate at which a small gap decays at fixed beta, per step; negative above the threshold.

    Args:
        n_pairs: N.
        mismatch: eps.
        inverse_temperature: beta.
        learning_rate: eta_x, of the embeddings.
    """
    n_pairs, mismatch = check_task(n_pairs, mismatch)
    beta = require_positive("inverse_temperature", inverse_temperature)
    share = learning_rate / (n_pairs - 1)  # (eta_x/N) a
    return share * beta * (wrong_share(n_pairs, beta) - mismatch)


def end_point(
    n_pairs: int,
    mismatch: float,
    inverse_temperature: float,
    initial_gap: float,
    *,
    exponent: float = 1.0,
    clip: float | None = None,
) -> tuple[float, float]:
    """Return the limits of beta and of the gap for a learnable temperature; (inf, 0) without mismatch and clip.

    Args:
        n_pairs: N.
        mismatch: eps.
        inverse_temperature: beta_0, at the start.
        initial_gap: ``2 sin(theta_0)`` in [0, 2).
        exponent: k = eta_x/(N eta_s) > 0.
        clip: largest beta, or None.

    Raises: ValueError, one line that names the field.
    """
    n_pairs, mismatch = check_task(n_pairs, mismatch)
    beta = require_positive("inverse_temperature", inverse_temperature)
    sine = check_gap("initial_gap", initial_gap) / 2
    exponent, largest = require_positive("exponent", exponent), check_clip(clip, beta)
    critical = threshold(n_pairs, mismatch)
    end = math.inf if math.isinf(critical) else _resting_temperature(critical, beta, sine, exponent)
    if end > largest:
        return largest, largest_gap(n_pairs, mismatch, largest)
    return end, 0.0 if math.isinf(end) else 2 * sine * (beta / end) ** exponent


def _resting_temperature(critical: float, beta: float, sine: float, exponent: float) -> float:
    """Return the root of ``beta (1 - sin^2) = z*`` on the curve of constant ``sin(theta) beta^k``."""
    if sine == 0:
        return critical
    if exponent == 1:
        return (critical + math.sqrt(critical**2 + 4 * (beta * sine) ** 2)) / 2
    from scipy.optimize import brentq

    def excess(log_beta: float) -> float:
        away = sine * math.exp(exponent * (math.log(beta) - log_beta))
        return math.exp(log_beta) * (1 - away**2) - critical

    # At the lower end sin = 1; above the upper one beta cos^2 exceeds z* as sin^2 <= sin_0^2 there.
    low = math.log(beta) + math.log(sine) / exponent
    high = math.log(max(beta, critical / (1 - sine**2))) + 1e-9
    return math.exp(brentq(excess, low, high, xtol=1e-14, rtol=8.9e-16))


def follow_flow(
    times: Float[np.ndarray, " T"],
    n_pairs: int,
    mismatch: float,
    inverse_temperature: float,
    initial_gap: float,
    *,
    learning_rate: float,
    temperature_rate: float = 0.0,
    clip: float | None = None,
) -> Descent:
    """Return the gradient flow from the symmetric start, computed by a numerical solver.

    Args:
        times: in steps, increasing from 0.
        n_pairs: N.
        mismatch: eps.
        inverse_temperature: beta_0.
        initial_gap: in [0, 2).
        learning_rate: eta_x.
        temperature_rate: eta_s; 0 for a fixed beta.
        clip: largest beta, or None.

    Raises: ValueError, one line that names the field; ArithmeticError if the solver fails.
    """
    n_pairs, mismatch = check_task(n_pairs, mismatch)
    beta = require_positive("inverse_temperature", inverse_temperature)
    sine, limit = check_gap("initial_gap", initial_gap) / 2, math.log(check_clip(clip, beta))
    times = np.asarray(times, float)

    def slope(state: np.ndarray, rate: float) -> list[float]:
        away, beta = state[0], math.exp(state[1])
        towards = 1 - away**2
        drive = beta * (wrong_share(n_pairs, beta * towards) - mismatch) * towards
        return [-learning_rate / (n_pairs - 1) * drive * away, rate * n_pairs / (n_pairs - 1) * drive]

    away, logs = _integrate(slope, times, np.array([sine, math.log(beta)]), temperature_rate, limit)
    away, betas = np.maximum(away, 0), np.exp(logs)
    return Descent(2 * away, betas, margin_loss(n_pairs, mismatch, betas * (1 - away**2)))


def _integrate(
    slope: Callable, times: Float[np.ndarray, " T"], state: Float[np.ndarray, " 2"], rate: float, limit: float
) -> Float[np.ndarray, "2 T"]:
    """Return (sin(theta), s) at the times; s stays at its limit once it has reached it, since it can only rise."""
    from scipy.integrate import solve_ivp

    def distance(_, state: np.ndarray) -> float:
        return state[1] - limit

    distance.terminal, distance.direction = True, 1
    moves = rate > 0 and (state[1] < limit or slope(state, rate)[1] < 0)
    states, begin = np.empty((2, len(times))), 0.0
    for rates in (rate, 0.0) if moves else (0.0,):
        later = times >= begin
        end = solve_ivp(
            lambda _, state, rates=rates: slope(state, rates),
            (begin, max(float(times[-1]), begin + 1e-9)),
            state,
            method="LSODA",
            dense_output=True,
            events=distance if rates and math.isfinite(limit) else None,
            rtol=_RELATIVE,
            atol=_ABSOLUTE,
        )
        if not end.success:
            raise ArithmeticError(f"flow: expected a solution, got {end.message}")
        assert end.sol is not None  # for the type checker: dense_output=True
        states[:, later] = end.sol(times[later])
        begin, state = float(end.t[-1]), np.array([end.y[0, -1], min(end.y[1, -1], limit)])
        if end.status != 1:
            break
    return states
