"""Five ways to compute a variance in float32 batch by batch: the compensated rule, and four for comparison.

Each returns V, the variance summed over dimensions, of vectors that arrive in batches.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from jaxtyping import Float


def reference_variance(vectors: Float[np.ndarray, "N d"]) -> float:
    """Return V of float32 vectors to double precision, by two passes in extended precision."""
    wide = vectors.astype(np.longdouble)
    return float(np.mean(np.sum((wide - wide.mean(axis=0)) ** 2, axis=1)))


def two_passes(vectors: Float[np.ndarray, "N d"], batch: int) -> float:
    """Return V from squared deviations from the mean; vectors must be stored or computed twice."""
    total = np.zeros(vectors.shape[1], np.float32)
    for part in _batches(vectors, batch):
        total += part.sum(axis=0)
    mean, squares = total / np.float32(len(vectors)), np.float32(0)
    for part in _batches(vectors, batch):
        squares += np.sum((part - mean) ** 2)
    return float(squares / np.float32(len(vectors)))


def sums_of_squares(vectors: Float[np.ndarray, "N d"], batch: int) -> float:
    """Return ``sum |x|^2/n - |sum x/n|^2`` from running sums."""
    total, squares = np.zeros(vectors.shape[1], np.float32), np.float32(0)
    for part in _batches(vectors, batch):
        total += part.sum(axis=0)
        squares += np.sum(part**2)
    count = np.float32(len(vectors))
    return float(squares / count - np.sum((total / count) ** 2))


def difference_of_means(vectors: Float[np.ndarray, "N d"], batch: int) -> float:
    """Return ``Q - M`` from running means of x and of |x|^2."""
    mean, square, count = np.zeros(vectors.shape[1], np.float32), np.float32(0), 0
    for part in _batches(vectors, batch):
        count += len(part)
        share = np.float32(len(part) / count)
        mean += (part.mean(axis=0) - mean) * share
        square += (np.mean(np.sum(part**2, axis=1)) - square) * share
    return float(square - np.sum(mean**2))


def plain_merge(vectors: Float[np.ndarray, "N d"], batch: int) -> float:
    """Return V by Chan's rule in plain float32."""
    mean, spread, count = np.zeros(vectors.shape[1], np.float32), np.float32(0), 0
    for part in _batches(vectors, batch):
        part_mean = part.mean(axis=0)
        delta = part_mean - mean if count else np.zeros_like(mean)
        before, count = count, count + len(part)
        mean = mean + delta * np.float32(len(part) / count) if before else part_mean
        between = np.sum(delta**2) * np.float32(before * len(part) / count)
        spread += np.sum((part - part_mean) ** 2) + between
    return float(spread / np.float32(count))


def compensated_merge(vectors: Float[np.ndarray, "N d"], batch: int) -> float:
    """Return V by the compensated Chan's rule of :mod:`simlab.metrics.moments`, on the device."""
    from simlab.metrics.contextual.norm_and_variance import group_moments
    from simlab.metrics.moments import empty_moments

    moments = empty_moments(1, vectors.shape[1])
    groups = np.zeros(batch, np.int32)
    for part in _batches(vectors, batch):
        moments = _compiled_add()(moments, part, groups[: len(part)])
    return float(group_moments(moments).variance[0])


@lru_cache(maxsize=1)
def _compiled_add():
    import jax

    from simlab.metrics.moments import add

    return jax.jit(add)


def _batches(vectors: np.ndarray, size: int):
    return (vectors[start : start + size] for start in range(0, len(vectors), size))
