"""A world of n events on a ring that co-occur within a window, and the kernel that contrastive learning finds.

Events i and j are a positive pair with probability ``p_ij = w(|i - j|)/n``, with ``|i - j|`` the distance on the ring
and

    w(d) = (1 - floor) g(d)/sum g + floor/n,     g = exp(-d/width)  or  exp(-d^2/(2 width^2))

so that each event has probability 1/n, and the *pointwise mutual information* is ``log(n w(d))``. Everything follows
from one row of a circulant matrix, without n x n matrices.

The mean of PMI over pairs is the mutual information I (nats). For two encoders with enough dimensions the population
InfoNCE is least if the scores are PMI plus a constant for each row, and its value is the logarithm of the number of
candidates minus I (van den Oord et al., 2018). One encoder attains it iff PMI is positive semidefinite on vectors that
sum to zero, as its scores are a Gram matrix. The exponential window has this property with any floor: ``log(n w)`` is a
convex and decreasing function of the distance up to n/2, hence a constant plus a positive combination of triangles
``max(k - d, 0)``, k <= n/2, each of which counts the overlap of an interval of length k with its shift.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from theory.checks import require_fraction, require_integer, require_positive

if TYPE_CHECKING:
    from jaxtyping import Float

WINDOWS = ("exponential", "gaussian")
MOST_EVENTS = 4_000_000
# Rounding error of a Fourier coefficient per entry, relative to the largest entry.
_ROUNDING = 64 * np.finfo(float).eps


def ring_row(n_events: int, window: str, width: float, floor: float) -> Float[np.ndarray, " n"]:
    """Return ``n w(d)`` for the n positions of a ring: the probability of a pair relative to chance.

    Args:
        n_events: n, at least 3.
        window: "exponential" or "gaussian".
        width: of the window, events.
        floor: share of pairs that are drawn uniformly from all, in [0, 1).

    Raises: ValueError, one line that names the field.
    """
    n_events = require_integer("events", n_events, minimum=3)
    if n_events > MOST_EVENTS:
        raise ValueError(f"events: expected at most {MOST_EVENTS}, got {n_events}")
    if window not in WINDOWS:
        raise ValueError(f"window: expected one of {', '.join(WINDOWS)}, got {window!r}")
    width, floor = require_positive("width", width), require_fraction("floor", floor)
    place = np.arange(n_events)
    distance = np.minimum(place, n_events - place)
    reach = np.exp(-distance / width if window == "exponential" else -(distance**2) / (2 * width**2))
    if reach[1] < np.finfo(float).tiny and floor == 0:
        raise ValueError(f"width: expected a window that leaves no event without a partner, got {width:g}")
    row = n_events * ((1 - floor) * reach / reach.sum() + floor / n_events)
    if row.min() < np.finfo(float).tiny:
        raise ValueError(f"floor: expected a positive share, as distant events never co-occur with width={width:g}")
    return row


def coarse_row(row: Float[np.ndarray, " n"], block: int, field: str = "blocks") -> Float[np.ndarray, " n_blocks"]:
    """Return ``n w`` of blocks of B neighbouring events: the mean over the pairs of events of two blocks.

    Two blocks at distance D contain ``B - |k|`` pairs of events at distance ``D B + k`` for each k between -B and B.

    Raises: ValueError that names ``field``, if B does not divide n or leaves fewer than two blocks.
    """
    n_events = len(row)
    block = require_integer(field, block, minimum=1)
    if n_events % block or n_events == block:
        raise ValueError(f"{field}: expected a divisor of events={n_events} below it, got {block}")
    shifts = np.arange(1 - block, block)
    starts = np.arange(0, n_events, block)
    total = np.zeros(len(starts))
    for shift in shifts:
        total += (block - abs(shift)) * row[(starts + shift) % n_events]
    return total / block**2


def ring_table(row: Float[np.ndarray, " n"]) -> Float[np.ndarray, "n n"]:
    """Return the probabilities of all pairs of events, from a row ``n w(d)`` of :func:`ring_row`."""
    places = np.arange(len(row))
    return row[(places[:, None] - places) % len(row)] / len(row) ** 2


def mutual_information(row: Float[np.ndarray, " n"]) -> float:
    """Return I of a pair in nats: the mean of ``log(n w)`` over pairs."""
    return float(np.mean(row * np.log(row)))


def is_semidefinite(kernel: Float[np.ndarray, " n"]) -> bool:
    """Return whether a circulant kernel is positive semidefinite on vectors that sum to zero."""
    spectrum = np.fft.rfft(kernel).real[1:]
    return bool(spectrum.min() >= -_ROUNDING * len(kernel) * np.abs(kernel).max())


def kernel_alignment(fine: Float[np.ndarray, " n"], coarse: Float[np.ndarray, " n_blocks"]) -> float:
    """Return the linear CKA on the n events of a circulant kernel of events and one of blocks.

    ``<K, L>/(|K| |L|)`` of centred kernels (Kornblith et al., 2019). Rows of a circulant kernel have the same mean, so
    centring subtracts one number.

    Args:
        fine: a row of the kernel of the events.
        coarse: a row of the kernel of the blocks, of n/B events each.
    """
    block = len(fine) // len(coarse)
    averaged = coarse_row(fine, block)
    averaged, fine, coarse = averaged - averaged.mean(), fine - fine.mean(), coarse - coarse.mean()
    sizes = np.sqrt(np.mean(fine**2) * np.mean(coarse**2))
    return float(np.mean(averaged * coarse) / sizes) if sizes > 0 else float("nan")
