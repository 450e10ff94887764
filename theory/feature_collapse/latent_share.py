"""The share kappa of all latents that are classes, and the resulting cross-entropy of a collapsed network.

At a collapsed network the cross-entropy of a sentence is log sum_k' e^{-(sum of the margins where z_k' differs)}. Over
all n_c^L latents this sum factorises into e^G, with G the sum of the gains of the L positions; the true class
contributes 1. If the other classes are an evenly spread share kappa of the other latents, the sum becomes
1 + kappa (e^G - 1). This module evaluates it without loss of precision.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, overload

import numpy as np

if TYPE_CHECKING:
    from jaxtyping import Float

# Below this a float64 kappa is close to the subnormal range and loses digits; logarithms are used instead.
_SMALLEST_KAPPA = 1e-290
# e^G is a finite float64 up to here.
_LARGEST_EXPONENT = 700.0


@dataclass(frozen=True, kw_only=True)
class LatentShare:
    """The numbers n_c, L, K of a task, and kappa = K / n_c^L in forms that neither underflow nor cancel.

    Args:
        n_concepts: n_c; this and the others are Python integers of any size.
        sentence_length: L.
        n_classes: K.
    """

    n_concepts: int
    sentence_length: int
    n_classes: int

    @cached_property
    def n_latents(self) -> int:
        """The number n_c^L of all latents, exactly."""
        return self.n_concepts**self.sentence_length

    @property
    def saturated(self) -> bool:
        """Whether the classes are as many as the latents."""
        return self.n_classes == self.n_latents

    @cached_property
    def kappa(self) -> float:
        """The share K / n_c^L, correctly rounded (zero if it underflows)."""
        return self.n_classes / self.n_latents

    @cached_property
    def log_n_classes(self) -> float:
        """Log K: the cross-entropy (nats) of the zero network."""
        return math.log(self.n_classes)

    @cached_property
    def log_kappa(self) -> float:
        """Log kappa, from log1p of the exact complement if kappa is near 1."""
        missing = (self.n_latents - self.n_classes) / self.n_latents
        if missing < 0.5:
            return math.log1p(-missing)
        return self.log_n_classes - self.sentence_length * math.log(self.n_concepts)

    @cached_property
    def log_odds(self) -> float:
        """Log rho, rho = kappa / (1 - kappa); infinite if saturated."""
        if self.saturated:
            return math.inf
        return self.log_n_classes - math.log(self.n_latents - self.n_classes)

    @property
    def others(self) -> int:
        """The number m = n_c - 1 of the other concepts."""
        return self.n_concepts - 1

    @property
    def eta(self) -> float:
        """The factor eta = n_c / (n_c - 1) between a product of norms and the margin."""
        return self.n_concepts / (self.n_concepts - 1)

    @property
    def log_classifier_rows(self) -> float:
        """Log(K L), the logarithm of the number of classifier vectors."""
        return self.log_n_classes + math.log(self.sentence_length)

    def log_marginal_penalty(self, weight_decay: float) -> float:
        """Return log alpha, alpha the penalty per unit of |y| (the marginal penalty).

            min over (r, c) with c r_b = x_b of lam/2 (n_c |r|^2 + K L c^2) = lam sqrt(n_c K L) |x|,  |y| = eta |x|

        so alpha = lam sqrt(n_c K L) / eta, attained at n_c |r|^2 = K L c^2. Source: derived here.
        """
        scale = 0.5 * (math.log(self.n_concepts) + self.log_classifier_rows)
        return math.log(weight_decay) + scale - math.log(self.eta)

    def log_mixture(self, gain: Float[np.ndarray, ...] | float) -> Float[np.ndarray, ...] | float:
        """Return log(1 - kappa + kappa e^G) (nats) for G >= 0, accurate to relative rounding even where it is tiny."""
        if self.saturated:
            return gain
        small = np.minimum(gain, _LARGEST_EXPONENT)
        if self.kappa > _SMALLEST_KAPPA and np.all(small == gain):
            return np.log1p(self.kappa * np.expm1(gain))
        log_excess = self.log_kappa + gain + np.log(-np.expm1(-gain))
        return np.logaddexp(0.0, log_excess)

    def log_others_share(self, gain: Float[np.ndarray, ...] | float) -> Float[np.ndarray, ...] | float:
        """Return log theta, theta = kappa e^G / (1 - kappa + kappa e^G): the slope of `log_mixture`."""
        return -np.logaddexp(0.0, -(self.log_odds + gain))


@overload
def log_position_error(share: LatentShare, margin: float) -> float: ...
@overload
def log_position_error(share: LatentShare, margin: Float[np.ndarray, ...]) -> Float[np.ndarray, ...]: ...
def log_position_error(share: LatentShare, margin: Float[np.ndarray, ...] | float) -> Float[np.ndarray, ...] | float:
    """Return log q, q = (n_c - 1) / (n_c - 1 + e^y) = -dg/dy: the probability of a wrong concept at one position.

    Args:
        share: the numbers n_c, L, K.
        margin: y, nats, a number or an array; free of overflow for every finite y.
    """
    log_others = math.log(share.others)
    return log_others - np.logaddexp(log_others, margin)


@overload
def position_gain(share: LatentShare, margin: float) -> float: ...
@overload
def position_gain(share: LatentShare, margin: Float[np.ndarray, ...]) -> Float[np.ndarray, ...]: ...
def position_gain(share: LatentShare, margin: Float[np.ndarray, ...] | float) -> Float[np.ndarray, ...] | float:
    """Return the gain g(y) = log(1 + (n_c - 1) e^{-y}) (nats) for margins y >= 0."""
    return np.log1p(share.others * np.exp(-margin))
