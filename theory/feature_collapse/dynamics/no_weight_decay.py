"""Norms and directions without weight decay: the limits of the regularisation path and of gradient flow.

Latents are saturated, without LayerNorm and without noise (with noise, margins stay finite, see `noise`). Margins
y_b = eta c r_b then grow without bound, like a logarithm, both as lam -> 0 and as t -> infinity at lam = 0. Let
x_b = log mu_b, xbar its unweighted mean over the words of a concept, and V the mean margin.

The path, lam -> 0. The equations of Type III are y_b (n_c - 1 + e^{y_b}) = |y| sqrt(n_c L / K) / lam mu_b, whence

    y_b = log(1/lam) + log(n_w L / K) / 2 + x_b + log(|y| / (sqrt(s_c) y_b)) + O(lam).

The fourth term is (xbar - x_b) / V + O(1/V^2), as log y_b varies little when all y_b are large:

    y_b = V + (x_b - xbar)(1 - 1/V) + O(1/V^2),      V = log(1/lam) + log(n_w L / K) / 2 + xbar.

The flow, lam = 0 (`flow`). With y_b = Y + x_b + kappa_b, dr_b/dt = L c e^{-Y - kappa_b} is almost the same
for all words. As c grows like sqrt(Y), r_b = y_b / (eta c) grows at the rate dY/dt / (2 eta c) (1 - x_b / Y), whence
kappa_b = (x_b - xbar) / Y + O(1/Y^2). Then dc/dt and c^2 = sqrt(n_c / (K L)) |y| / eta, which the conserved |W|^2 -
|U|^2 leaves at late times, give dV/dt = 2 sqrt(n_w L / K) e^{xbar - V} V (1 + O(1/V^2)):

    y_b = V + (x_b - xbar)(1 + 1/V) + O(1/V^2),      Ei(V) = 2 e^{xbar} sqrt(n_w L / K) t,

with Ei the exponential integral, V = log t + log log t + ..: norms grow like sqrt(log t). Time t corresponds to the
weight decay 1 / (2 t V), with the same mean margin and, to leading but not to next order, the same frequency effect.

Common to both. To leading order norms are c = (n_w / (K L))^{1/4} sqrt(V / eta) and r_b = (K L / n_w)^{1/4}
sqrt(V / eta), the same for all words and any frequencies. To next order,

    r_b / r_b' = 1 + log(mu_b / mu_b') / V + O(1/V^2).

So without weight decay Type III tends to Type I, whose direction M / |M|_* has the largest margin at given nuclear
norm, but only at the rate 1 / log(1/lam).

W (n_w, d) holds the embeddings, U (K L, d) the classifier vectors.

Source: derived here.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from scipy.optimize import brentq
from scipy.special import expi

from theory.checks import require_positive
from theory.feature_collapse.dynamics.flow import CollapsedMotion, collapsed_motion
from theory.feature_collapse.latent_share import position_gain
from theory.short_text import short_repr

if TYPE_CHECKING:
    from jaxtyping import Float

# Ei is positive from 0.3725 on, and finite in float64 up to 700.
_SMALLEST_MARGIN, _LARGEST_MARGIN = 0.38, 700.0


class LateNorms(NamedTuple):
    """A collapsed network w_(a,b) = r_b f_a, u_kl = c f_{z_kl} with large margins.

    Args:
        mean_margin: V, nats, the mean of the margins over the words of a concept.
        margins: eta c r_b, float64 (s_c,), with an error of order 1/V^2.
        embedding_norms: r, float64 (s_c,).
        classifier_norm: c.
        cross_entropy: nats.
    """

    mean_margin: float
    margins: Float[np.ndarray, " s_c"]
    embedding_norms: Float[np.ndarray, " s_c"]
    classifier_norm: float
    cross_entropy: float

    __repr__ = short_repr


def path_norms(*, weight_decay: float, **task: Any) -> LateNorms:
    """Return the minimiser as lam -> 0, to next-to-leading order.

    Args:
        weight_decay: lam > 0, on W and on U.
        task: n_concepts, n_words, sentence_length and word_frequency, as for `feature_collapse.predict`.

    Returns: the norms; margins have an error of order 1/V^2, norms of order V^{-5/2}.
    Valid: V above the spread of log mu_b. `feature_collapse.predict` is exact for every lam.
    Raises: ValueError, `field: expected ..., got ...`, also if V is too small.
    Source: derived here; see the module's docstring.
    """
    motion = collapsed_motion(**task)
    mean = _log_scale(motion) - math.log(require_positive("weight_decay", weight_decay))
    if not mean > _spread(motion):
        raise ValueError(f"weight_decay: expected less, for a mean margin above {_spread(motion):.3g}, got {mean:.3g}")
    return _late_norms(motion, mean, sign=-1, imbalance=0.0)


def flow_norms(*, time: float, imbalance: float = 0.0, **task: Any) -> LateNorms:
    """Return the norms of gradient flow without weight decay at a late time, to next-to-leading order.

    Args:
        time: t = learning rate * steps, positive.
        imbalance: |W|^2 - |U|^2 of the start, which the flow conserves.
        task: n_concepts, n_words, sentence_length and word_frequency, as for `feature_collapse.predict`.

    Returns: the norms; margins have an error of order 1/V^2, and of order t_0 / t for an initial phase of length t_0.
    Valid: from any collapsed start, once V is above the spread of log mu_b.
    Raises: ValueError, `field: expected ..., got ...`, also if V is too small.
    Source: derived here; see the module's docstring.
    """
    motion = collapsed_motion(**task)
    log_time = _log_scale(motion) + math.log(2 * require_positive("time", time))
    highest = min(max(log_time, 1.0) + math.log(max(log_time, 1.0)) + 2, _LARGEST_MARGIN)
    if not math.log(expi(_SMALLEST_MARGIN)) < log_time < math.log(expi(highest)):
        raise ValueError(f"time: expected one at which margins are from {_SMALLEST_MARGIN} to 700, got {time}")
    mean = brentq(lambda margin: math.log(expi(margin)) - log_time, _SMALLEST_MARGIN, highest, xtol=1e-13)
    if not mean > _spread(motion):
        raise ValueError(f"time: expected more, for a mean margin above {_spread(motion):.3g}, got {mean:.3g}")
    return _late_norms(motion, mean, sign=1, imbalance=imbalance)


def _log_scale(motion: CollapsedMotion) -> float:
    """Return xbar + log(n_w L / K) / 2."""
    share, frequencies = motion.share, motion.word_frequencies
    log_rows = math.log(share.n_concepts * frequencies.size * share.sentence_length) - share.log_n_classes
    return float(np.mean(np.log(frequencies))) + 0.5 * log_rows


def _spread(motion: CollapsedMotion) -> float:
    """Return the largest deviation of log mu_b from its mean."""
    logs = np.log(motion.word_frequencies)
    return float(np.abs(logs - logs.mean()).max())


def _late_norms(motion: CollapsedMotion, mean: float, *, sign: int, imbalance: float) -> LateNorms:
    """Return the margins V + (x_b - xbar)(1 + sign / V) as norms of the given n_c |r|^2 - K L c^2."""
    share, logs = motion.share, np.log(motion.word_frequencies)
    margins = mean + (logs - logs.mean()) * (1 + sign / mean)
    # K L c^2 = |U|^2 solves |U|^2 (|U|^2 + imbalance) = n_c K L |y|^2 / eta^2.
    products = float(np.linalg.norm(margins)) / share.eta
    half = 0.5 * imbalance
    square = (
        math.hypot(half, math.exp(0.5 * (math.log(share.n_concepts) + share.log_classifier_rows)) * products) - half
    )
    c = math.exp(0.5 * (math.log(square) - share.log_classifier_rows))
    cross_entropy = share.sentence_length * float(motion.word_frequencies @ position_gain(share, margins))
    return LateNorms(mean, margins, margins / (share.eta * c), c, cross_entropy)
