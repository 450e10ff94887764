"""The common margin of Types I and II, with and without noise."""

import math
from typing import NamedTuple

import numpy as np

from theory.feature_collapse.latent_share import LatentShare, position_gain
from theory.feature_collapse.margins.corrupted_margin import CorruptedBalance, solve_corrupted_margin
from theory.feature_collapse.margins.margin_balance import MarginBalance, solve_margin
from theory.feature_collapse.noise import corrupts_mixture, noise_slope


class CommonMargin(NamedTuple):
    """The minimiser y of cross-entropy(y) + a y + b y^2 / 2, its cross-entropy (nats), and the relative residual."""

    margin: float
    cross_entropy: float
    residual: float


def find_common_margin(
    share: LatentShare, *, log_constant: float, log_slope: float, label_noise: float, word_noise: float
) -> CommonMargin:
    """Return the margin that minimises the cross-entropy plus penalty of a collapsed network with one margin.

    Args:
        share: the numbers n_c, L, K.
        log_constant: log a of the penalty a y + b y^2 / 2; may be -inf.
        log_slope: log b; may be -inf.
        label_noise: eps of `noise`.
        word_noise: delta of `noise`.

    Returns: the margin; 0, with cross-entropy log K, if penalty and noise outweigh the cross-entropy everywhere.
    Source: derived here; see `margin_balance`, and `corrupted_margin` for word noise with fewer classes than latents.
    """
    added_slope = noise_slope(share, label_noise, word_noise)
    if corrupts_mixture(share, word_noise):
        balance = CorruptedBalance(
            share=share, word_noise=word_noise, constant=math.exp(log_constant) + added_slope, slope=math.exp(log_slope)
        )
        margin = solve_corrupted_margin(balance)
        up, down = balance.parts(margin)
        value, residual = balance.value(margin), abs(up / down - 1)
    else:
        log_total = float(np.logaddexp(log_constant, math.log(added_slope))) if added_slope else log_constant
        balance = MarginBalance(share=share, log_constant=log_total, log_slope=log_slope)
        margin = solve_margin(balance)
        value = float(share.log_mixture(share.sentence_length * position_gain(share, margin)))
        residual = abs(balance.imbalance(margin)) if margin else 0.0
    if margin == 0:
        return CommonMargin(0.0, share.log_n_classes, 0.0)
    return CommonMargin(margin, value + added_slope * margin, residual)
