"""Cosines within and between modalities on the symmetric branch, before and after centring, and retrieval.

With ``x_i = (cos u_i, sin)`` and ``y_i = (cos u_i, -sin)``, ``c = cos^2(theta)`` and b = 1/(N-1):

    own pair          x_i . y_i = 2 c - 1              centred (each modality minus its mean, scaled to norm 1)  1
    another pair      x_i . y_j = -b c - (1 - c)                                                               -b
    same modality     x_i . x_j = -b c + (1 - c)                                                               -b

*Retrieval* in the other modality finds the pair at every minimiser: all margins are equal, and centring preserves this.
*Mixed retrieval* ranks both modalities together, and finds the pair only if ``2 c - 1`` exceeds the cosine within the
modality, ``c > 2/(2 + a)``. On the branch ``c = z*/beta``, so mixed retrieval fails, for every pair at once, for
``beta >= (1 + a/2) z*``, and centring restores it.
"""

from __future__ import annotations

from typing import NamedTuple

from theory.modality_gap.loss_floor import threshold


class Cosines(NamedTuple):
    """Cosines of the symmetric branch, and the accuracy of mixed retrieval.

    Attributes:
        matched: cosine of an image and its text.
        unmatched: cosine of an image and another text.
        within: cosine of two images, or two texts.
        mixed_retrieval: share of embeddings whose nearest neighbour over both modalities is their pair, 0 or 1.
    """

    matched: float
    unmatched: float
    within: float
    mixed_retrieval: float


def branch_cosines(n_pairs: int, gap: float, *, is_centred: bool = False) -> Cosines:
    """Return the cosines of symmetric embeddings.

    Args:
        n_pairs: N.
        gap: ``2 sin(theta)``.
        is_centred: whether each modality's mean is subtracted first and norms are rescaled to 1.
    """
    inverse = 1 / (n_pairs - 1)
    if is_centred:
        return Cosines(1.0, -inverse, -inverse, 1.0)
    away = (gap / 2) ** 2
    towards = 1 - away
    matched, within = towards - away, away - inverse * towards
    return Cosines(matched, -inverse * towards - away, within, float(matched > within))


def mixed_threshold(n_pairs: int, mismatch: float) -> float:
    """Return ``(1 + a/2) z*``, the least inverse temperature at which mixed retrieval fails on the symmetric branch."""
    return (1 + n_pairs / (n_pairs - 1) / 2) * threshold(n_pairs, mismatch)
