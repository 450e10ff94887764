"""Cosines within and between modalities on the symmetric branch, before and after centring, and what is retrieved.

With ``x_i = (cos u_i, sin)`` and ``y_i = (cos u_i, -sin)``, ``c = cos^2(theta)`` and b = 1/(N-1):

    own pair          x_i . y_i = 2 c - 1              centred (each modality less its mean, scaled to norm 1)   1
    another pair      x_i . y_j = -b c - (1 - c)                                                               -b
    same modality     x_i . x_j = -b c + (1 - c)                                                               -b

*Retrieval* among the other modality finds the pair at every minimiser: its logits are those of equal margins, and
centring leaves them so. *Mixed retrieval* ranks both modalities together, and finds the pair only if ``2 c - 1`` is
above the cosine within the modality, ``c > 2/(2 + a)``. On the branch ``c = z*/beta``: mixed retrieval fails, for
every pair at once, from ``beta = (1 + a/2) z*`` on, and centring restores it.
"""

from __future__ import annotations

from typing import NamedTuple

from theory.modality_gap.loss_floor import threshold


class Cosines(NamedTuple):
    """Cosines of the symmetric branch.

    Attributes:
        matched: of an image and its text.
        unmatched: of an image and another text.
        within: of two images, or two texts.
        mixed_retrieval: share of embeddings whose nearest one of both modalities is their pair, 0 or 1.
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
        is_centred: whether each modality's mean is subtracted first, and norms are made 1 again.
    """
    inverse = 1 / (n_pairs - 1)
    if is_centred:
        return Cosines(1.0, -inverse, -inverse, 1.0)
    away = (gap / 2) ** 2
    towards = 1 - away
    matched, within = towards - away, away - inverse * towards
    return Cosines(matched, -inverse * towards - away, within, float(matched > within))


def mixed_threshold(n_pairs: int, mismatch: float) -> float:
    """Return ``(1 + a/2) z*``, the inverse temperature from which mixed retrieval fails on the symmetric branch."""
    return (1 + n_pairs / (n_pairs - 1) / 2) * threshold(n_pairs, mismatch)
