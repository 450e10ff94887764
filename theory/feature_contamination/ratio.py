"""The contamination ratio: the background weight of a neuron over its core weight, from a small initialisation.

A neuron whose weights are far larger than at initialisation is *aligned*: w = c e_core + b e_background, with unit
vectors along the sums of the core and of the background features. The projections of an example on them are y C and B,
with C ~ N(mu_c sqrt(d_c), sigma_c^2), B ~ N(mu_b sqrt(d_b), sigma_b^2). For a neuron of positive output weight (the
others have the core reversed)

    c' = E[g C (D+ + D-)]/2,    b' = E[g B (D+ - D-)]/2,    D+- = phi'(+-c C + b B).

While the slope g of the loss is constant, both depend only on r = b/c, and

    c r' = (g/2) G(r),    G(r) = E[B (D+ - D-)] - r E[C (D+ + D-)]:

r increases where G > 0 and decreases where G < 0, so a simple root r* of G, at which G decreases, is attracting. For
non-negative strengths D+ = 1 and D- = alpha + (1 - alpha) 1(r B > C), hence

    (1 - alpha) E[B; r B < C] = r E[C (1 + alpha + (1 - alpha) 1(r B > C))],

whose left side decreases and whose right side increases with r: there is one root. For Gaussian C and B both sides have
closed forms by Stein's lemma; D+ is then 1(C + r B > 0), which is 1 up to exp(-(mu sqrt(d)/sigma)^2/2).

**Limits.** If r B < C nearly always (a large alpha, or a weak background), r* = (1 - alpha)/(1 + alpha) E B / E C. For
a strong background and alpha = 0 the balance is at r B = C: r* -> E C / E B.

**One-line law**, for a ReLU and equal core and background: with q = P(r B > C) and B and C replaced by their means,
r = (1 - q)/(1 + q); then q = Phi(-k) with k = (E C/sigma) (1 - r)/sqrt(1 + r^2) = sqrt(2d) (mu/sigma) q/sqrt(1 + q^2),
and without the last square root

    r* ~ (1 - q)/(1 + q),    q = Phi(-k),    k/q = sqrt(2d) mu/sigma.

As k^2 ~ log d, 1 - r* ~ 2 q ~ (sigma/mu) sqrt(2 log(d)/d) to leading order: contamination grows with dimension.

Source: derived here.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from scipy.optimize import brentq
from scipy.special import ndtr

from theory.feature_contamination.task import Features, require_slope

_LARGEST_RATIO = 1e12


class TruncatedMeans(NamedTuple):
    """Moments of C and B on the half-plane where a neuron is active.

    Args:
        probability: of the half-plane.
        core: E[C; active].
        background: E[B; active].
    """

    probability: float
    core: float
    background: float


def active_means(features: Features, ratio: float, label: int) -> TruncatedMeans:
    """Return the moments on the half-plane `label` C + r B > 0; the neuron's own label is 1, the other one -1.

    Source: Stein's lemma for Gaussian C and B.
    """
    deviation = math.hypot(features.core_deviation, ratio * features.background_deviation)
    kappa = (label * features.core_projection + ratio * features.background_projection) / deviation
    probability, density = float(ndtr(kappa)), math.exp(-(kappa**2) / 2) / math.sqrt(2 * math.pi)
    core = features.core_projection * probability + label * features.core_deviation**2 / deviation * density
    shift = ratio * features.background_deviation**2 / deviation * density
    return TruncatedMeans(probability, core, features.background_projection * probability + shift)


def ratio_drift(features: Features, ratio: float, leaky_slope: float = 0.0) -> float:
    """Return G(r) = E[B (D+ - D-)] - r E[C (D+ + D-)], whose sign is that of r'."""
    own, other = (active_means(features, ratio, label) for label in (1, -1))
    background = (1 - leaky_slope) * (own.background - other.background)
    core = 2 * leaky_slope * features.core_projection + (1 - leaky_slope) * (own.core + other.core)
    return background - ratio * core


def contamination_ratio(features: Features, leaky_slope: float = 0.0) -> float:
    """Return r* = b/c of aligned neurons, for any numbers, means and deviations of features.

    Args:
        features: of the task.
        leaky_slope: alpha in [0, 1]; 0 is a ReLU, and 1 a linear network, which does not learn the background.

    Raises: ValueError, one line that names the field; ArithmeticError if no ratio up to 1e12 brackets the root.
    Source: derived in the module's docstring.
    """
    slope = require_slope(leaky_slope)
    if slope == 1 or features.background_mean == 0:
        return 0.0
    high = 1.0
    while ratio_drift(features, high, slope) > 0:
        high *= 2
        if high > _LARGEST_RATIO:
            raise ArithmeticError("the contamination ratio has no upper bound")
    return float(brentq(lambda ratio: ratio_drift(features, ratio, slope), 0.0, high, xtol=1e-14, rtol=1e-13))


def one_line_law(features: Features, leaky_slope: float = 0.0) -> float:
    """Return (1 - q)/(1 + q), q = Phi(-k), k/q = sqrt(2d) mu/sigma; NaN if the law does not apply.

    It applies to ReLU networks with equal numbers, means and deviations of core and background features.
    Source: derived in the module's docstring.
    """
    if require_slope(leaky_slope) != 0 or not features.is_symmetric:
        return math.nan
    scale = math.sqrt(2) * features.core_projection / features.core_deviation
    k = brentq(lambda k: k - scale * ndtr(-k), 0.0, scale, xtol=1e-14, rtol=1e-13)
    q = float(ndtr(-k))
    return (1 - q) / (1 + q)


def undisturbed_ratio(features: Features, leaky_slope: float = 0.0) -> float:
    """Return (1 - alpha)/(1 + alpha) E B / E C, the limit for r B < C nearly always."""
    slope = require_slope(leaky_slope)
    return (1 - slope) / (1 + slope) * features.background_projection / features.core_projection


def strong_background_ratio(features: Features) -> float:
    """Return E C / E B, the limit of a ReLU network under a strong background."""
    return features.core_projection / features.background_projection


def ood_accuracy(features: Features, ratio: float, leaky_slope: float = 0.0) -> float:
    """Return the accuracy of aligned neurons with the sign of the background flipped.

    The margin is phi(c C - b B)/2 + alpha (c C + b B)/2. It is positive for alpha > 0. The output of a ReLU network is
    0 where r B > C, which counts as a coin flip: the accuracy is 1 - P(r B > C)/2.

    Args:
        features: of the task, with non-negative strengths.
        ratio: r = b/c.
        leaky_slope: alpha.

    Source: derived here.
    """
    if require_slope(leaky_slope) > 0:
        return 1.0
    return 1 - active_means(features, ratio, -1).probability / 2
