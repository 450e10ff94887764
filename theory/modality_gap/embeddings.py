"""Embeddings as arrays: the loss by its definition, and minimisers of every gap up to the largest.

Minimisers with the gap ``2 sin(psi)`` are

    x_i = (cos(psi) C u_i, sin(psi)),    y_i = (cos(psi) rho C^{-1} u_i, -sin(psi)),    rho = z*/(beta cos^2(psi)),

with u a regular simplex in its Fourier basis and C diagonal in this basis, with one value per frequency. Then
``|C u_i|`` and ``|C^{-1} u_i|`` do not depend on i. With two frequencies, that is for N >= 4, two values of C make both
vectors unit vectors, for any ``rho <= 1``. The logits are ``z* u_i . u_j`` plus a constant; the symmetric branch is the
case rho = 1.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from theory.checks import require_integer, require_positive
from theory.modality_gap.loss_floor import check_task, largest_gap, threshold

if TYPE_CHECKING:
    from jaxtyping import Float


class Embeddings(NamedTuple):
    """Unit embeddings of both modalities, ``Float[N, d]`` each; row i of both is a pair."""

    images: Float[np.ndarray, "N d"]
    texts: Float[np.ndarray, "N d"]


def simplex(n_pairs: int) -> Float[np.ndarray, "N d"]:
    """Return N unit vectors in N - 1 dimensions at cosine -1/(N-1), in the real Fourier basis.

    Columns 2k - 2 and 2k - 1 are the cosine and the sine of frequency k; for even N the last is that of frequency N/2.
    """
    n_pairs = require_integer("n_pairs", n_pairs, minimum=2)
    angles = 2 * np.pi / n_pairs * np.outer(np.arange(n_pairs), np.arange(1, n_pairs // 2 + 1))
    waves = np.stack([np.cos(angles), np.sin(angles)], axis=2) * math.sqrt(2 / (n_pairs - 1))
    flat = waves.reshape(n_pairs, -1)
    if n_pairs % 2 == 0:
        flat = flat[:, :-1]
        flat[:, -1] /= math.sqrt(2)
    return flat


def symmetric_embeddings(n_pairs: int, gap: float) -> Embeddings:
    """Return ``x_i = (cos u_i, sin)`` and ``y_i = (cos u_i, -sin)`` of the angle theta with ``gap = 2 sin(theta)``.

    Args:
        n_pairs: N; the embeddings have N dimensions.
        gap: in [0, 2].
    """
    sine = gap / 2
    simplex_part = math.sqrt(1 - sine**2) * simplex(n_pairs)
    shift = np.full((n_pairs, 1), sine)
    return Embeddings(np.hstack([simplex_part, shift]), np.hstack([simplex_part, -shift]))


def embeddings_of_gap(n_pairs: int, mismatch: float, inverse_temperature: float, gap: float) -> Embeddings:
    """Return a global minimiser of the loss that has a given gap, in N dimensions.

    Args:
        n_pairs: N, at least 4.
        mismatch: eps.
        inverse_temperature: ``beta >= z*``.
        gap: from 0 to `largest_gap`.

    Raises: ValueError, for a gap that no minimiser has, or N < 4.
    """
    n_pairs, mismatch = check_task(n_pairs, mismatch)
    beta = require_positive("inverse_temperature", inverse_temperature)
    require_integer("n_pairs", n_pairs, minimum=4)
    largest, critical = largest_gap(n_pairs, mismatch, beta), threshold(n_pairs, mismatch)
    if beta < critical or not 0 <= gap <= largest:
        raise ValueError(f"gap: expected a number from 0 to {largest:g} at beta >= {critical:g}, got {gap:g}")
    sine = gap / 2
    cosine = math.sqrt(1 - sine**2)
    share = min(1.0, critical / (beta * cosine**2))
    scales = _fourier_scales(n_pairs, share)
    vertices, shift = cosine * simplex(n_pairs), np.full((n_pairs, 1), sine)
    return Embeddings(np.hstack([vertices * scales, shift]), np.hstack([vertices * (share / scales), -shift]))


def _fourier_scales(n_pairs: int, share: float) -> Float[np.ndarray, " d"]:
    """Return the diagonal of C: ``sum w c^2 = 1`` and ``sum w/c^2 = 1/rho^2``, w the weight of a coordinate.

    The first frequency has total weight w = 2/(N-1) and ``c^2 = g``, the others have ``c^2 = (1 - w g)/(1 - w)``. The
    second sum is ``w/g + (1 - w)^2/(1 - w g)``, which falls to 1 at g = 1. Setting it to ``R = 1/rho^2`` gives
    ``w R g^2 - (w^2 - (1 - w)^2 + R) g + w = 0``; the smaller root is the one in (0, 1].
    """
    weight = 2 / (n_pairs - 1)
    bound = 1 / share**2
    square, linear = weight * bound, weight**2 - (1 - weight) ** 2 + bound
    root = math.sqrt(max(linear**2 - 4 * square * weight, 0.0))
    first = 2 * weight / (linear + root)
    scales = np.full(n_pairs - 1, math.sqrt((1 - weight * first) / (1 - weight)))
    scales[:2] = math.sqrt(first)
    return scales


def embeddings_loss(embeddings: Embeddings, mismatch: float, inverse_temperature: float) -> float:
    """Return the symmetric contrastive loss by its definition, in nats.

    It is the mean of the cross-entropy of each image over texts and of each text over images, with target ``1 - eps``
    on the pair and ``eps/(N - 1)`` on each other one.

    Args:
        embeddings: unit vectors.
        mismatch: eps.
        inverse_temperature: beta.
    """
    logits = inverse_temperature * embeddings.images @ embeddings.texts.T
    n_pairs = len(logits)
    targets = np.where(np.eye(n_pairs, dtype=bool), 1 - mismatch, mismatch / (n_pairs - 1))
    losses = [np.logaddexp.reduce(side, axis=1).mean() for side in (logits, logits.T)]
    return float(np.mean(losses) - np.sum(targets * logits) / n_pairs)


def mean_margin(embeddings: Embeddings, inverse_temperature: float) -> float:
    """Return ``m``, the mean logit of pairs minus the mean of all others: ``a beta mean (x_i - x) . (y_i - y)``."""
    images, texts = (side - side.mean(axis=0) for side in embeddings)
    size = len(images)
    return float(size / (size - 1) * inverse_temperature * np.sum(images * texts) / size)


def gap_of(embeddings: Embeddings) -> float:
    """Return the distance between the means of the modalities."""
    return float(np.linalg.norm(embeddings.images.mean(axis=0) - embeddings.texts.mean(axis=0)))
