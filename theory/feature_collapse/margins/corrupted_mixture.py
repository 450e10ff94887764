"""The expected cross-entropy over random words, some of them corrupted, with fewer classes than latents.

The expectation is E log(1 - kappa + kappa e^S) with S = sum_l g_{b_l} + sum_{l in D} y_{b_l}: each position is in D
with probability p = delta / eta (see `noise`), and the words b_l are drawn from mu. Given m = |D|, S is a sum of L - m
gains g and m gains g + y, and with P(s) = E e^{s g}, Q(s) = E e^{s (g + y)} the integral of `mellin_barnes` is

    [the mean of S, in the left strip] + int kernel(s) rho^s (P^{L-m} Q^m - 1) ds.

The spread of S given m is the same as without noise, but m adds to it: a single strip would have to cancel moments as
large as e^{L y / 2}. So each m uses the strip with the smallest terms. The left strip has two forms: where S is large
the subtraction of 1 loses digits, and log kappa + E S + int kernel(s) rho^s P^{L-m} Q^m ds is used instead.

Source: derived here.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import log1p as complex_log1p

from theory.feature_collapse.latent_share import LatentShare
from theory.feature_collapse.margins.mellin_barnes import STRIPS, complex_expm1, strip_rule
from theory.feature_collapse.noise import corruption_counts

if TYPE_CHECKING:
    from jaxtyping import Complex, Float, Int

# Numbers of corrupted positions whose probability is below this share of the largest are left out.
_NEGLIGIBLE = 1e-24


@dataclass(frozen=True, kw_only=True, eq=False)
class _Strip:
    """The part of the expectation for the numbers m of corrupted positions that use one strip in one form.

    Args:
        length: L.
        counts, probabilities: m and P(m), (M,).
        constant: added to every term: log kappa in the plain form of the left strip, otherwise 0.
        linear: whether E S is added, in the left strip.
        subtracts: whether 1 is subtracted from the moments.
        scales: weight_j rho^{s_j}, as logarithms, (J,).
        nodes: s_j, (J,).
        log_means: log P_j and log Q_j, (2, J).
        powers: mu_b e^{s_j G_rb} with G = (g, g + y), (2, J, s_c).
        mean_gains: E g and E (g + y), (2,).
        word_frequencies: mu, (s_c,).
    """

    length: int
    counts: Int[np.ndarray, " M"]
    probabilities: Float[np.ndarray, " M"]
    constant: float
    linear: bool
    subtracts: bool
    scales: Complex[np.ndarray, " J"]
    nodes: Complex[np.ndarray, " J"]
    log_means: Complex[np.ndarray, "2 J"]
    powers: Complex[np.ndarray, "2 J s_c"]
    mean_gains: Float[np.ndarray, " 2"]
    word_frequencies: Float[np.ndarray, " s_c"]

    @property
    def orders(self) -> Int[np.ndarray, "2 M"]:
        """The powers L - m and m of P and Q, (2, M)."""
        return np.stack([self.length - self.counts, self.counts])

    def value(self) -> float:
        """Return the sum over m and the nodes; the larger of the moment and 1 is factored out to avoid overflow."""
        log_moments = np.einsum("rj,rm->jm", self.log_means, self.orders)
        if self.subtracts:
            grows = np.real(log_moments) > 0
            difference = complex_expm1(np.where(grows, -log_moments, log_moments))
            factored = np.where(grows, log_moments, 0)
            terms = np.exp(self.scales[:, None] + factored) * np.where(grows, -difference, difference)
        else:
            terms = np.exp(self.scales[:, None] + log_moments)
        sums = np.sum(np.real(terms), axis=0) + self.constant
        if self.linear:
            sums = sums + np.einsum("r,rm->m", self.mean_gains, self.orders)
        return float(np.sum(self.probabilities * sums))

    def first(self) -> Complex[np.ndarray, "2 J"]:
        """Return the node weights of the gradient, (2, J): sum_m P(m) (L - m or m) scale s P^{L-m} Q^m / (P or Q)."""
        factors = self.probabilities * self.orders
        logs = self._log_terms()[None] - self.log_means[:, :, None]
        return np.einsum("rjm,rm->rj", np.exp(logs), factors) * self.nodes

    def second(self) -> Complex[np.ndarray, "2 2 J"]:
        """Return the node weights of the mixed second derivatives, (2, 2, J)."""
        orders = self.orders
        pairs = orders[:, None] * (orders[None] - np.eye(2, dtype=int)[:, :, None])
        logs = self._log_terms() - self.log_means[:, None, :, None] - self.log_means[None, :, :, None]
        return np.einsum("qrjm,qrm->qrj", np.exp(logs), pairs * self.probabilities) * self.nodes**2

    def linear_gradient(self) -> Float[np.ndarray, "2 s_c"]:
        """Return the contribution of E S to the gradient, (2, s_c)."""
        return float(self.linear) * np.outer(self.orders @ self.probabilities, self.word_frequencies)

    def _log_terms(self) -> Complex[np.ndarray, "J M"]:
        return self.scales[:, None] + np.einsum("rj,rm->jm", self.log_means, self.orders)


@dataclass(frozen=True, kw_only=True, eq=False)
class CorruptedExpectation:
    """E log(1 - kappa + kappa e^S) and its derivatives in the gains (g, g + y), as sums over strips; see `Expectation`.

    Args:
        strips: the strips used by some m.
    """

    strips: tuple[_Strip, ...]

    @cached_property
    def value(self) -> float:
        """The expectation, nats."""
        return math.fsum(strip.value() for strip in self.strips)

    @cached_property
    def gradient(self) -> Float[np.ndarray, "2 s_c"]:
        """Its derivatives in g and in g + y, (2, s_c)."""
        gradients = (self._contract(strip, strip.first()) + strip.linear_gradient() for strip in self.strips)
        return sum(gradients, start=np.zeros(()))

    @cached_property
    def hessian_diagonal(self) -> Float[np.ndarray, "2 s_c"]:
        """The part of the second derivatives that is diagonal, (2, s_c)."""
        diagonals = (self._contract(strip, strip.first() * strip.nodes) for strip in self.strips)
        return sum(diagonals, start=np.zeros(()))

    def hessian_product(self, direction: Float[np.ndarray, "2 s_c"]) -> Float[np.ndarray, "2 s_c"]:
        """Return the Hessian times `direction` (2, s_c): the diagonal part and outer products of each node."""
        product = self.hessian_diagonal * direction
        for strip, weights in zip(self.strips, self._second_weights, strict=True):
            along = np.einsum("rjb,rb->rj", strip.powers, direction)
            product = product + self._contract(strip, np.einsum("qrj,rj->qj", weights, along))
        return product

    @cached_property
    def _second_weights(self) -> list[Complex[np.ndarray, "2 2 J"]]:
        return [strip.second() for strip in self.strips]

    @staticmethod
    def _contract(strip: _Strip, weights: Complex[np.ndarray, "2 J"]) -> Float[np.ndarray, "2 s_c"]:
        return np.einsum("rj,rjb->rb", weights, strip.powers).real


def expected_corrupted_mixture(
    share: LatentShare,
    gains: Float[np.ndarray, "2 s_c"],
    word_frequencies: Float[np.ndarray, " s_c"],
    word_noise: float,
) -> CorruptedExpectation:
    """Return E log(1 - kappa + kappa e^S) over independent words, each corrupted with probability delta / eta.

    Args:
        share: the numbers n_c, L, K; not saturated.
        gains: (g, g + y), float64 (2, s_c), positive, nats.
        word_frequencies: mu (s_c,), positive, summing to 1.
        word_noise: delta in (0, 1).

    Returns: value (nats) and derivatives, as accurate as the rounding of the sums L g and m y allows.
    Source: derived here; see the module docstring.
    """
    probabilities = corruption_counts(share, word_noise)
    counts = np.flatnonzero(probabilities > _NEGLIGIBLE * probabilities.max())
    mean_gains = gains @ word_frequencies
    chosen = _best_forms(share, gains, word_frequencies, counts)
    strips = []
    for form, (sigma, subtracts) in enumerate(_FORMS):
        of_form = counts[chosen == form]
        if of_form.size == 0:
            continue
        nodes, log_weights = strip_rule(sigma, saturated=False)
        powers_minus_one = complex_expm1(nodes[:, None] * gains[:, None, :])
        strips.append(
            _Strip(
                length=share.sentence_length,
                counts=of_form,
                probabilities=probabilities[of_form],
                constant=0.0 if subtracts else share.log_kappa,
                linear=sigma < 0,
                subtracts=subtracts,
                scales=log_weights + nodes * share.log_odds,
                nodes=nodes,
                log_means=complex_log1p(np.einsum("rjb,b->rj", powers_minus_one, word_frequencies)),
                powers=(1 + powers_minus_one) * word_frequencies,
                mean_gains=mean_gains,
                word_frequencies=word_frequencies,
            )
        )
    return CorruptedExpectation(strips=tuple(strips))


# The strips of `mellin_barnes` with 1 subtracted from the moments, and the left one without.
_FORMS = (*((sigma, True) for sigma in STRIPS), (STRIPS[0], False))


def _best_forms(
    share: LatentShare,
    gains: Float[np.ndarray, "2 s_c"],
    word_frequencies: Float[np.ndarray, " s_c"],
    counts: Int[np.ndarray, " M"],
) -> Int[np.ndarray, " M"]:
    """Return, for every m, the index of the form with the smallest total of terms at Im s = 0, (M,)."""
    orders = np.stack([share.sentence_length - counts, counts])

    def log_moment(sigma: float) -> Float[np.ndarray, " M"]:
        return np.log1p(np.expm1(sigma * gains) @ word_frequencies) @ orders

    def log_size(sigma: float, *, subtracts: bool = True) -> Float[np.ndarray, " M"]:
        moment = log_moment(sigma)
        if subtracts:
            moment = np.maximum(moment, 0.0) + np.log(np.maximum(-np.expm1(-np.abs(moment)), 1e-300))
        kernel = math.pi / abs(sigma * math.sin(math.pi * sigma)) if sigma != 1 else 1.0
        return math.log(kernel) + sigma * share.log_odds + moment

    log_mean = np.log((gains @ word_frequencies) @ orders)
    log_residue = np.logaddexp(log_mean, math.log(max(-share.log_kappa, 1e-300)))
    sizes = (
        np.logaddexp(log_size(-0.5), log_mean),
        log_size(0.5),
        np.logaddexp(log_size(1.5), log_size(1.0)),
        np.logaddexp(log_size(-0.5, subtracts=False), log_residue),
    )
    return np.argmin(np.stack(sizes), axis=0)
