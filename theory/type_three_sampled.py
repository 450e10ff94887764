"""Type III collapse for fewer classes than latents: a convex problem in the margins of the words.

With margins y_b = eta c r_b and c chosen at its best, the risk of a collapsed network is

    J(y) = E log(1 - kappa + kappa e^{g(y_{b_1}) + .. + g(y_{b_L})}) + alpha |y|,   alpha = lam sqrt(n_c K L) / eta.

Expanded, the logarithm is that of a sum of exponentials of linear functions of y with positive weights. So J is convex,
strictly along every ray, and has one minimiser: Newton's method with a guarded step finds it from anywhere. It is zero
iff the slope of the expectation there, L |mu| (n_c - 1) / n_c K / (K + 1 - kappa), is at most alpha.
"""

import math
from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq
from scipy.sparse.linalg import LinearOperator, cg

from theory.collapsed_network import CollapsedNetwork, balanced_network, zero_network
from theory.latent_share import LatentShare, log_position_error, position_gain
from theory.margin_profile import profile_margins
from theory.mellin_barnes import Expectation, expected_log_mixture
from theory.type_three import profile_bracket

# About 8 Newton steps are needed from the start below. The residual ends at rounding: 1e-15 at paper scale, 5e-13 where
# L = 1000 gains add up. Anything above 1e-10 is a failure of the method, and is raised.
_MAX_STEPS = 80
_ACCEPTED_RESIDUAL = 1e-10


@dataclass(frozen=True, kw_only=True, eq=False)
class _Point:
    """The risk J around margins y, by the chain rule through g(y): g' = -q, g'' = q (1 - q).

    Arguments: `margins` y, `error` q(y), `mean` the expectation at g(y), and `price` alpha.
    """

    margins: np.ndarray
    error: np.ndarray
    mean: Expectation
    price: float

    @property
    def pull(self) -> np.ndarray:
        """Minus the gradient of the expectation."""
        return self.mean.gradient * self.error

    @property
    def push(self) -> np.ndarray:
        """The gradient alpha y / |y| of the penalty."""
        return self.price * self.margins / np.linalg.norm(self.margins)

    @property
    def residual(self) -> float:
        """The largest relative difference between pull and push over the words."""
        return float(np.max(np.abs(self.pull / self.push - 1)))

    def hessian(self) -> tuple[LinearOperator, LinearOperator]:
        """Return the Hessian of J and the inverse of its diagonal part.

        q (d2E/dg2) q + diag(q (1 - q) dE/dg) + alpha (I - y y^T / |y|^2) / |y|: all but a few directions are diagonal.
        """
        norm = np.linalg.norm(self.margins)
        unit, stiffness = self.margins / norm, self.price / norm
        bend = self.pull * (1 - self.error) + stiffness

        def product(direction: np.ndarray) -> np.ndarray:
            curved = self.error * self.mean.hessian_product(self.error * direction)
            return curved + bend * direction - stiffness * unit * np.sum(unit * direction)

        diagonal = self.error**2 * self.mean.hessian_diagonal + bend
        shape = (self.margins.size, self.margins.size)
        return (
            LinearOperator(shape, matvec=product, dtype=np.float64),
            LinearOperator(shape, matvec=lambda direction: direction / diagonal, dtype=np.float64),
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class _Problem:
    """The convex problem: `share` of the latents, word frequencies mu and `price` alpha."""

    share: LatentShare
    word_frequencies: np.ndarray
    price: float

    def at(self, margins: np.ndarray) -> _Point:
        """Evaluate the risk at margins y."""
        mean = expected_log_mixture(self.share, position_gain(self.share, margins), self.word_frequencies)
        return _Point(
            margins=margins, error=np.exp(log_position_error(self.share, margins)), mean=mean, price=self.price
        )


def solve_type_three_sampled(share: LatentShare, word_frequencies: np.ndarray, weight_decay: float) -> CollapsedNetwork:
    """Find the norm of every word and of the classifier for K <= n_c^L classes.

        argmin over (r, c) of E log(1 - kappa + kappa prod_l (1 + (n_c - 1) e^{-eta c r_{b_l}}))
                              + lam/2 (n_c |r|^2 + K L c^2)

    Arguments:
        share: the numbers n_c, L, K.
        word_frequencies: mu (s_c,), positive, summing to 1.
        weight_decay: lam > 0, on W and on U.

    Returns: the network; the zero network if lam is too large.
    Valid: exact if saturated; for K < n_c^L the approximation of random latents by their share kappa.
    Raises: ArithmeticError if the stationarity equations cannot be met to rounding.
    Source: derived here.
    """
    log_price = share.log_margin_price(weight_decay)
    log_slope_at_zero = (
        math.log(share.sentence_length * np.linalg.norm(word_frequencies))
        + math.log(share.others / share.n_concepts)
        + float(share.log_others_share(share.sentence_length * math.log(share.n_concepts)))
    )
    if log_price >= log_slope_at_zero:
        return zero_network(share, word_frequencies.size)
    problem = _Problem(share=share, word_frequencies=word_frequencies, price=math.exp(log_price))
    point = _newton(problem, _starting_margins(problem, log_price))
    residual = point.residual
    if not residual < _ACCEPTED_RESIDUAL:
        raise ArithmeticError(f"stationarity: expected a relative residual of rounding size, got {residual:.1e}")
    penalty = problem.price * float(np.linalg.norm(point.margins))
    return balanced_network(share, point.margins, cross_entropy=point.mean.value, penalty=penalty, residual=residual)


def _starting_margins(problem: _Problem, log_price: float) -> np.ndarray:
    """Return the point of the saturated profile at which the words' mean tilt theta agrees with the level A.

        log A - log |y(A)| = log(theta(A) L (n_c - 1) / alpha),   theta(A) = |dE/dg| / (L |mu|)

    To three digits: Newton's method does the rest.
    """
    share, frequencies = problem.share, problem.word_frequencies
    scale = share.sentence_length * np.linalg.norm(frequencies)
    log_ratio = math.log(share.sentence_length) + math.log(share.others) - log_price

    def excess(log_level: float) -> float:
        margins = profile_margins(log_level, frequencies, share.others)
        tilt = max(np.linalg.norm(problem.at(margins).mean.gradient) / scale, 1e-300)
        return log_level - math.log(np.linalg.norm(margins)) - math.log(tilt) - log_ratio

    low, high = profile_bracket(excess, start=log_ratio)
    log_level = brentq(excess, low, high, xtol=1e-3) if low < high else low
    return profile_margins(log_level, frequencies, share.others)


def _newton(problem: _Problem, margins: np.ndarray) -> _Point:
    """Minimise J by Newton's method; each step is solved by conjugate gradients, preconditioned by the diagonal part.

    Solved to 1e-10, a step leaves about that share of the distance. Stops when the residual no longer falls, which
    is at rounding.
    """
    point = problem.at(margins)
    best = point
    for _ in range(_MAX_STEPS):
        hessian, inverse_diagonal = point.hessian()
        slope = point.push - point.pull
        step, _ = cg(hessian, -slope, rtol=1e-10, atol=0, M=inverse_diagonal)
        point = _guarded_step(problem, point, step, float(np.sum(slope * step)))
        if point.residual >= best.residual and best.residual < _ACCEPTED_RESIDUAL:
            break
        best = min(best, point, key=lambda candidate: candidate.residual)
    return best


def _guarded_step(problem: _Problem, point: _Point, step: np.ndarray, slope: float) -> _Point:
    """Halve `step` until all margins are positive and the derivative of J along it is at most a tenth of -slope.

    J is convex along the step: the derivative only grows, and a small or negative one at the end means no overshoot.
    """
    for _ in range(40):
        margins = point.margins + step
        if np.all(margins > 0):
            trial = problem.at(margins)
            if np.sum((trial.push - trial.pull) * step) <= 0.1 * abs(slope) + 1e-30:
                return trial
        step = 0.5 * step
    return point
