"""Type III collapse for fewer classes than latents: a convex problem in the margins of the words.

With margins y_b = eta c r_b and the best c, the risk of a collapsed network is

    J(y) = E log(1 - kappa + kappa e^{g(y_{b_1}) + .. + g(y_{b_L})}) + alpha |y|,   alpha = lam sqrt(n_c K L) / eta.

The argument of the logarithm expands into a sum of exponentials of linear functions of y with positive weights. So J is
convex, strictly along every ray, and has one minimiser: Newton's method with a guarded step converges from any start.
It is zero iff the slope of the expectation there, L |mu| (n_c - 1) / n_c K / (K + 1 - kappa), is at most alpha.

Label noise eps adds eps (1 - delta) L / eta sum_b mu_b y_b. Word noise delta adds y_b to the gain of every corrupted
position (see `noise`); as e^{g + y} = e^y + n_c - 1, J stays convex. The slope at zero becomes
L |mu| (n_c - 1) / n_c (1 - delta) [K / (K + 1 - kappa) - eps].

W (n_w, d) holds the embeddings, U (K L, d) the classifier vectors.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import brentq
from scipy.sparse.linalg import LinearOperator, cg

from theory.feature_collapse.latent_share import LatentShare, log_position_error, position_gain
from theory.feature_collapse.margins.corrupted_mixture import CorruptedExpectation, expected_corrupted_mixture
from theory.feature_collapse.margins.margin_profile import profile_margins
from theory.feature_collapse.margins.mellin_barnes import Expectation, expected_log_mixture
from theory.feature_collapse.margins.type_three import profile_bracket
from theory.feature_collapse.network import CollapsedNetwork, balanced_network, zero_network
from theory.feature_collapse.noise import corrupts_mixture, noise_slope

if TYPE_CHECKING:
    from jaxtyping import Float

# About 8 Newton steps are needed from the start below. The final residual is rounding: 1e-15 at paper scale, 5e-13 for
# sums of L = 1000 gains. A residual above 1e-10 is a failure of the method and raises an error.
_MAX_STEPS = 80
_ACCEPTED_RESIDUAL = 1e-10


@dataclass(frozen=True, kw_only=True, eq=False)
class _Point:
    """The risk J around margins y, by the chain rule through g(y): g' = -q, g'' = q (1 - q).

    Under word noise the gains have two rows, g and g + y, as do the derivatives of `mean` and the `slopes`.

    Args:
        margins: y, nats, float64 (s_c,).
        error: q(y), float64 (s_c,).
        slopes: dg/dy.
        mean: the expectation at the gains.
        noise_gradient: the gradient of the label noise, float64 (s_c,).
        marginal_penalty: alpha.
    """

    margins: Float[np.ndarray, " s_c"]
    error: Float[np.ndarray, " s_c"]
    slopes: Float[np.ndarray, "*rows s_c"]
    mean: Expectation | CorruptedExpectation
    noise_gradient: Float[np.ndarray, " s_c"]
    marginal_penalty: float

    @property
    def value(self) -> float:
        """The cross-entropy, nats."""
        return self.mean.value + float(np.sum(self.noise_gradient * self.margins))

    @property
    def gradient(self) -> Float[np.ndarray, " s_c"]:
        """The gradient of J."""
        return _fold(self.mean.gradient * self.slopes) + self.noise_gradient + self.penalty_gradient

    @property
    def penalty_gradient(self) -> Float[np.ndarray, " s_c"]:
        """The gradient alpha y / |y| of the penalty."""
        return self.marginal_penalty * self.margins / np.linalg.norm(self.margins)

    @property
    def imbalance(self) -> Float[np.ndarray, " s_c"]:
        """The ratio of the negative to the positive terms of the gradient, in absolute value, minus 1."""
        terms = self.mean.gradient * self.slopes
        return (
            _fold(np.maximum(-terms, 0)) / (_fold(np.maximum(terms, 0)) + self.noise_gradient + self.penalty_gradient)
            - 1
        )

    @property
    def residual(self) -> float:
        """The largest absolute value of `imbalance` over the words."""
        return float(np.max(np.abs(self.imbalance)))

    def hessian(self) -> tuple[LinearOperator, LinearOperator]:
        """Return the Hessian of J and the inverse of its diagonal part.

        The Hessian is g' (d2E/dg2) g' + diag(q (1 - q) dE/dg) + alpha (I - y y^T / |y|^2) / |y|, a diagonal matrix
        plus one of low rank.
        """
        norm = np.linalg.norm(self.margins)
        unit, penalty_curvature = self.margins / norm, self.marginal_penalty / norm
        diagonal_curvature = _fold(self.mean.gradient) * self.error * (1 - self.error) + penalty_curvature

        def product(direction: Float[np.ndarray, " s_c"]) -> Float[np.ndarray, " s_c"]:
            curved = _fold(self.slopes * self.mean.hessian_product(self.slopes * direction))
            return curved + diagonal_curvature * direction - penalty_curvature * unit * np.sum(unit * direction)

        diagonal = _fold(self.slopes**2 * self.mean.hessian_diagonal) + diagonal_curvature
        shape = (self.margins.size, self.margins.size)
        return (
            LinearOperator(shape, matvec=product, dtype=np.float64),
            LinearOperator(shape, matvec=lambda direction: direction / diagonal, dtype=np.float64),
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class _Problem:
    """The convex problem: `share` of the latents, word frequencies mu, `marginal_penalty` alpha, eps and delta."""

    share: LatentShare
    word_frequencies: Float[np.ndarray, " s_c"]
    marginal_penalty: float
    label_noise: float
    word_noise: float

    def at(self, margins: Float[np.ndarray, " s_c"]) -> _Point:
        """Return the risk and its derivatives at margins y."""
        share, frequencies = self.share, self.word_frequencies
        gains, error = position_gain(share, margins), np.exp(log_position_error(share, margins))
        slopes = -error
        if corrupts_mixture(share, self.word_noise):
            rows = np.stack([gains, gains + margins])
            mean = expected_corrupted_mixture(share, rows, frequencies, self.word_noise)
            slopes = np.stack([slopes, 1 - error])
        else:
            mean = expected_log_mixture(share, gains, frequencies)
        noise_gradient = noise_slope(share, self.label_noise, self.word_noise) * frequencies
        return _Point(
            margins=margins,
            error=error,
            slopes=slopes,
            mean=mean,
            noise_gradient=noise_gradient,
            marginal_penalty=self.marginal_penalty,
        )


def solve_type_three_sampled(
    share: LatentShare,
    word_frequencies: Float[np.ndarray, " s_c"],
    weight_decay: float,
    *,
    label_noise: float = 0.0,
    word_noise: float = 0.0,
) -> CollapsedNetwork:
    """Return the network with the norm of every word and of the classifier, for K <= n_c^L classes.

        argmin over (r, c) of E log(1 - kappa + kappa prod_l (1 + (n_c - 1) e^{-eta c r_{b_l}}))
                              + lam/2 (n_c |r|^2 + K L c^2)

    Args:
        share: the numbers n_c, L, K.
        word_frequencies: mu (s_c,), positive, summing to 1.
        weight_decay: lam > 0, on W and on U.
        label_noise: eps in [0, 1).
        word_noise: delta in [0, 1).

    Returns: the network; the zero network if lam is too large.
    Valid: exact if saturated; for K < n_c^L the approximation of random latents by their share kappa.
    Raises: ArithmeticError if the stationarity equations cannot be solved to rounding.
    Source: derived here.
    """
    log_marginal_penalty = share.log_marginal_penalty(weight_decay)
    largest_gain = share.sentence_length * math.log(share.n_concepts)
    evidence = math.exp(share.log_others_share(largest_gain)) - label_noise
    slope_at_zero = share.sentence_length * np.linalg.norm(word_frequencies) / share.eta * (1 - word_noise) * evidence
    if slope_at_zero <= 0 or log_marginal_penalty >= math.log(slope_at_zero):
        return zero_network(share, word_frequencies.size)
    problem = _Problem(
        share=share,
        word_frequencies=word_frequencies,
        marginal_penalty=math.exp(log_marginal_penalty),
        label_noise=label_noise,
        word_noise=word_noise,
    )
    unsolved = "weight_decay: expected one at which float64 solves the equations of these word frequencies, got"
    try:
        point = _newton(problem, _starting_margins(problem, log_marginal_penalty))
    except ValueError as error:  # the logarithm of a probability that is rounded to zero
        raise ArithmeticError(f"{unsolved} {weight_decay:g} (a probability is too small)") from error
    residual = point.residual
    if not residual < _ACCEPTED_RESIDUAL:
        raise ArithmeticError(f"{unsolved} {weight_decay:g} (relative residual {residual:.1e})")
    penalty = problem.marginal_penalty * float(np.linalg.norm(point.margins))
    return balanced_network(share, point.margins, cross_entropy=point.value, penalty=penalty, residual=residual)


def _fold(rows: Float[np.ndarray, "*rows s_c"]) -> Float[np.ndarray, " s_c"]:
    """Return the sum over the rows of derivatives, if there are two."""
    return rows if rows.ndim == 1 else rows.sum(axis=0)


def _starting_margins(problem: _Problem, log_marginal_penalty: float) -> Float[np.ndarray, " s_c"]:
    """Return the point of the saturated, noise-free profile at which the derivative of J along y vanishes.

    Three digits suffice as the start of Newton's method.
    """
    share, frequencies = problem.share, problem.word_frequencies

    def excess(log_level: float) -> float:
        point = problem.at(profile_margins(log_level, frequencies, share.others))
        return float(np.sum(point.margins * point.gradient))

    low, high = profile_bracket(
        excess, start=math.log(share.sentence_length) + math.log(share.others) - log_marginal_penalty
    )
    log_level = brentq(excess, low, high, xtol=1e-3) if low < high else low
    return profile_margins(log_level, frequencies, share.others)


def _newton(problem: _Problem, margins: Float[np.ndarray, " s_c"]) -> _Point:
    """Return the minimiser of J by Newton's method, with conjugate gradients preconditioned by the diagonal part.

    Each step is solved to 1e-10, which leaves about that share of the distance. The iteration stops when the residual
    no longer falls, which happens at rounding.
    """
    point = problem.at(margins)
    best = point
    for _ in range(_MAX_STEPS):
        hessian, inverse_diagonal = point.hessian()
        slope = point.gradient
        step, _ = cg(hessian, -slope, rtol=1e-10, atol=0, M=inverse_diagonal)
        point = _guarded_step(problem, point, step, float(np.sum(slope * step)))
        if point.residual >= best.residual and best.residual < _ACCEPTED_RESIDUAL:
            break
        best = min(best, point, key=lambda candidate: candidate.residual)
    return best


def _guarded_step(problem: _Problem, point: _Point, step: Float[np.ndarray, " s_c"], slope: float) -> _Point:
    """Return the point after `step`, halved until margins are positive and J's slope along it is at most -slope/10.

    J is convex along the step, so its derivative increases; a small or negative one at the end means no overshoot.
    """
    for _ in range(40):
        margins = point.margins + step
        if np.all(margins > 0):
            trial = problem.at(margins)
            if np.sum(trial.gradient * step) <= 0.1 * abs(slope) + 1e-30:
                return trial
        step = 0.5 * step
    return point
