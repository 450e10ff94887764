"""The expected cross-entropy over random words as one smooth integral.

The expectation is E log(1 - kappa + kappa e^S), S = g_{b_1} + .. + g_{b_L}, with words drawn independently from mu. For
t > 0

    log(1 + t) = 1/(2 pi i) int pi / (s sin(pi s)) t^s ds      along Re s = sigma, 0 < sigma < 1,

and with t = rho e^S, rho = kappa / (1 - kappa), the mean of t^s factorises: E e^{sS} = (sum_b mu_b e^{s g_b})^L. Three
refinements avoid a loss of precision.

* At S = 0 the expression is zero. Subtracting the integrand there gives E[..] = int kernel(s) rho^s (E e^{sS} - 1).
  Each term is small when S is small, and is evaluated by expm1 and log1p: there is no cancellation, however small the
  cross-entropy.
* The line may be moved to the strip on the right, 1 < sigma < 2, or on the left, -1 < sigma < 0, by adding the residue
  in between: t at s = 1 (useful for small t) and log t at s = 0 (for large t). The midpoint of the strip with the
  smallest terms is used: the right one for rare errors among few classes, the left one as kappa -> 1, where the
  integral vanishes and E S remains.
* The integrand is analytic up to the poles, at distance 1/2 on both sides, and decays like e^{-pi |Im s|}: the error of
  the trapezoid rule with step h is about e^{-pi/h} relative to the larger of the terms at the two poles.

Source: the Mellin transform of log(1 + t) is textbook material; its use here, the strips and the subtraction are
derived here.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import log1p as complex_log1p

from theory.feature_collapse.latent_share import LatentShare

if TYPE_CHECKING:
    from jaxtyping import Complex, Float

# e^{-pi/h} = 1.5e-22 at the step 1/16, six digits below rounding; e^{-pi w} = 2e-20 at the last node.
_STEP = 1 / 16
_HEIGHTS = np.arange(0, 14.5, _STEP)
STRIPS = (-0.5, 0.5, 1.5)


@dataclass(frozen=True, kw_only=True, eq=False)
class Expectation:
    """E log(1 - kappa + kappa e^S) and its derivatives in the gains g, as sums over the nodes s_j of the integral.

    Sums use einsum instead of BLAS: with a few hundred rows, a threaded BLAS on a busy machine can be a hundred times
    slower than the arithmetic.

    Args:
        length: L.
        linear: coefficient of the added term E S / L: L in the left strip, otherwise 0.
        scales: weight_j rho^{s_j}, as logarithms.
        nodes: s_j; the pole at 1 counts as a node in the right strip.
        log_means: log P_j, P_j = sum_b mu_b e^{s_j g_b}.
        weighted_powers: mu_b e^{s_j g_b}, (nodes, s_c).
        gains, word_frequencies: g and mu, (s_c,).
    """

    length: int
    linear: int
    scales: Complex[np.ndarray, " J"]
    nodes: Complex[np.ndarray, " J"]
    log_means: Complex[np.ndarray, " J"]
    weighted_powers: Complex[np.ndarray, "J s_c"]
    gains: Float[np.ndarray, " s_c"]
    word_frequencies: Float[np.ndarray, " s_c"]

    @cached_property
    def value(self) -> float:
        """Sum of scale (P^L - 1), nats; the larger of P^L and 1 is factored out to avoid overflow."""
        log_moment = self.length * self.log_means
        grows = np.real(log_moment) > 0
        difference = complex_expm1(np.where(grows, -log_moment, log_moment))
        terms = np.exp(self.scales + np.where(grows, log_moment, 0)) * np.where(grows, -difference, difference)
        return self.linear * float(np.sum(self.word_frequencies * self.gains)) + float(np.sum(np.real(terms)))

    @cached_property
    def gradient(self) -> Float[np.ndarray, " s_c"]:
        """Sum scale L P^{L-1} s mu_b e^{s g_b}, (s_c,)."""
        sums = np.einsum("j,jb->b", self._moments(1), self.weighted_powers)
        return self.linear * self.word_frequencies + sums.real

    @cached_property
    def hessian_diagonal(self) -> Float[np.ndarray, " s_c"]:
        """The diagonal part of the second derivatives: sum scale L P^{L-1} s^2 mu_b e^{s g_b} > 0."""
        return np.einsum("j,jb->b", self._moments(1) * self.nodes, self.weighted_powers).real

    def hessian_product(self, direction: Float[np.ndarray, " s_c"]) -> Float[np.ndarray, " s_c"]:
        """Return the Hessian times `direction` (s_c,): the diagonal part and one outer product per node."""
        along = np.einsum("jb,b->j", self.weighted_powers, direction)
        outer = np.einsum("j,jb->b", self._second_moments * along, self.weighted_powers).real
        return self.hessian_diagonal * direction + outer

    @cached_property
    def _second_moments(self) -> Complex[np.ndarray, " J"]:
        return self._moments(2)

    def _moments(self, order: int) -> Complex[np.ndarray, " J"]:
        """Return scale s^order L! / (L - order)! P^{L - order} at every node."""
        falling = self.length * (self.length - 1) ** (order - 1)
        if falling == 0:
            return np.zeros_like(self.nodes)
        return falling * self.nodes**order * np.exp(self.scales + (self.length - order) * self.log_means)


def expected_log_mixture(
    share: LatentShare, gains: Float[np.ndarray, " s_c"], word_frequencies: Float[np.ndarray, " s_c"]
) -> Expectation:
    """Return E log(1 - kappa + kappa e^{g_{b_1} + .. + g_{b_L}}) over independent words b_l from mu.

    Args:
        share: the numbers n_c, L, K, giving kappa.
        gains: g (s_c,), positive, nats.
        word_frequencies: mu (s_c,), positive, summing to 1.

    Returns: value (nats) and derivatives, as accurate as the rounding of the sums L g allows.
    Valid: any kappa in (0, 1], however small; at 1 the value is E S.
    Source: derived here; see the module docstring.
    """
    sigma = _best_strip(share, gains, word_frequencies)
    nodes, log_weights = strip_rule(sigma, saturated=share.saturated)
    powers_minus_one = complex_expm1(np.multiply.outer(nodes, gains))
    return Expectation(
        length=share.sentence_length,
        linear=share.sentence_length if sigma < 0 else 0,
        scales=log_weights + nodes * (0 if share.saturated else share.log_odds),
        nodes=nodes,
        log_means=complex_log1p(np.einsum("jb,b->j", powers_minus_one, word_frequencies)),
        weighted_powers=(1 + powers_minus_one) * word_frequencies,
        gains=gains,
        word_frequencies=word_frequencies,
    )


def strip_rule(sigma: float, *, saturated: bool) -> tuple[Complex[np.ndarray, " J"], Complex[np.ndarray, " J"]]:
    """Return nodes s_j and log weights of the trapezoid rule on the upper half of the line; none if saturated."""
    if saturated:
        return np.zeros(0, complex), np.zeros(0, complex)
    nodes = sigma + 1j * _HEIGHTS
    weights = np.where(_HEIGHTS == 0, 0.5, 1.0) * _STEP / (nodes * np.sin(math.pi * nodes))
    if sigma > 1:
        nodes, weights = np.append(nodes, 1.0), np.append(weights, 1.0)
    return nodes, np.log(weights)


def _best_strip(
    share: LatentShare, gains: Float[np.ndarray, " s_c"], word_frequencies: Float[np.ndarray, " s_c"]
) -> float:
    """Return the sigma with the smallest residue plus integrand at Im s = 0; the left strip if saturated."""
    if share.saturated:
        return STRIPS[0]

    def log_size(sigma: float) -> float:
        log_moment = share.sentence_length * math.log1p(word_frequencies @ np.expm1(sigma * gains))
        log_larger = max(log_moment, 0.0) + math.log(max(-math.expm1(-abs(log_moment)), 1e-300))
        kernel = math.pi / abs(sigma * math.sin(math.pi * sigma)) if sigma != 1 else 1.0
        return math.log(kernel) + sigma * share.log_odds + log_larger

    log_mean_gain = math.log(share.sentence_length * float(word_frequencies @ gains))
    log_sizes = (
        np.logaddexp(log_size(-0.5), log_mean_gain),
        log_size(0.5),
        np.logaddexp(log_size(1.5), log_size(1.0)),
    )
    return STRIPS[int(np.argmin(log_sizes))]


def complex_expm1(z: Complex[np.ndarray, ...]) -> Complex[np.ndarray, ...]:
    """Return e^z - 1 = expm1(x) cos y - 2 sin^2(y/2) + i e^x sin y for z = x + i y, exact to rounding for small z."""
    half_angle = 0.5 * np.imag(z)
    sine, cosine = np.sin(half_angle), np.cos(half_angle)
    growth = np.expm1(np.real(z))
    versine = 2 * sine**2
    return growth * (1 - versine) - versine + 1j * ((1 + growth) * (2 * sine * cosine))
