"""The threshold, the least loss and the largest gap, for any unit embeddings; proofs in `minimisers.md`.

Let the *mean margin* ``m`` be the mean logit of pairs minus that of all others. The loss is at least
``G(m) = log(1 + (N - 1) e^{-m}) + eps m``, with equality if all margins are equal. Unit vectors have ``m <= a beta``.
G is least at ``m* = log((1 - eps)(N - 1)/eps)``. With z = m/a and z* = m*/a the least loss is ``F(min(beta, z*))``,
``F(z) = G(a z)``.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from theory.checks import require_fraction, require_integer, require_positive

if TYPE_CHECKING:
    from jaxtyping import Float


def check_task(n_pairs: object, mismatch: object) -> tuple[int, float]:
    """Return N and eps, or raise ValueError; for ``eps >= 1 - 1/N`` a target does not favour its own pair."""
    n_pairs, mismatch = require_integer("n_pairs", n_pairs, minimum=2), require_fraction("mismatch", mismatch)
    if mismatch >= 1 - 1 / n_pairs:
        raise ValueError(f"mismatch: expected a number in [0, {1 - 1 / n_pairs:g}), 1 - 1/n_pairs, got {mismatch:g}")
    return n_pairs, mismatch


def threshold(n_pairs: int, mismatch: float) -> float:
    """Return ``z* = (N - 1)/N log((1 - eps)(N - 1)/eps)``, an inverse temperature; infinite without mismatch.

    Args:
        n_pairs: N, at least 2.
        mismatch: eps in [0, 1 - 1/N).

    Raises: ValueError.
    """
    n_pairs, mismatch = check_task(n_pairs, mismatch)
    if mismatch == 0:
        return math.inf
    # For eps near 1 - 1/N the quotient is near 1; log1p keeps its digits.
    odds = ((1 - mismatch) * (n_pairs - 1) - mismatch) / mismatch
    return (n_pairs - 1) / n_pairs * math.log1p(odds)


def margin_loss(n_pairs: int, mismatch: float, logit: Float[np.ndarray, ...] | float) -> Float[np.ndarray, ...]:
    """Return ``F(z) = log(1 + (N - 1) e^{-a z}) + eps a z``, in nats.

    Args:
        n_pairs: N.
        mismatch: eps.
        logit: ``z``; on the symmetric branch ``beta cos^2(theta)``.
    """
    margin = n_pairs / (n_pairs - 1) * np.asarray(logit, float)
    return np.logaddexp(0, math.log(n_pairs - 1) - margin) + mismatch * margin


def minimal_loss(n_pairs: int, mismatch: float, inverse_temperature: float) -> float:
    """Return the least loss over all unit embeddings, ``F(min(beta, z*))``, in nats.

    Above the threshold it is the entropy of a target, for every beta.

    Args:
        n_pairs: N.
        mismatch: eps.
        inverse_temperature: beta > 0.

    Raises: ValueError.
    """
    beta = require_positive("inverse_temperature", inverse_temperature)
    return float(margin_loss(n_pairs, mismatch, min(beta, threshold(n_pairs, mismatch))))


def largest_gap(n_pairs: int, mismatch: float, inverse_temperature: float) -> float:
    """Return the largest gap of any minimiser of the loss: ``2 sqrt(1 - z*/beta)``, 0 up to the threshold.

    It is the gap of the symmetric branch, which needs N dimensions.

    Args:
        n_pairs: N.
        mismatch: eps.
        inverse_temperature: beta > 0.

    Raises: ValueError.
    """
    beta = require_positive("inverse_temperature", inverse_temperature)
    return 2 * math.sqrt(max(0.0, 1 - threshold(n_pairs, mismatch) / beta))


def wrong_share(n_pairs: int, logit: float) -> float:
    """Return ``q = (N-1) e^{-a z}/(1 + (N-1) e^{-a z})``, the softmax probability of all other pairs together."""
    excess = n_pairs / (n_pairs - 1) * logit - math.log(n_pairs - 1)
    return math.exp(-excess) / (1 + math.exp(-excess)) if excess > 0 else 1 / (1 + math.exp(excess))
