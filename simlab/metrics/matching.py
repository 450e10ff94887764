"""Match learned vectors with predicted ones where theory leaves their order free."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from jaxtyping import Float, Int


def match_vectors(
    learned: Float[np.ndarray, "K d"], predicted: Float[np.ndarray, "K d"], tolerance: float = 0.05
) -> Int[np.ndarray, " K"] | None:
    """Return the order of learned vectors that matches the predicted ones up to a rotation and a common scale.

    Inner products are invariant under rotations, so that two sets agree up to order iff their Gram matrices do. Places
    are filled one after the other, each with the vector whose inner products with those placed before fit best; if none
    fits, the last placement is undone (backtracking).

    Args:
        learned: ``Float[K, d]``, not all zero.
        predicted: ``Float[K, d]``, not all zero.
        tolerance: largest deviation of an entry of the Gram matrices, each in units of its largest entry.

    Returns:
        ``Int[K]``, with ``learned[order]`` in the order of ``predicted``; None if no order fits.
    """
    grams = [np.asarray(vectors, np.float64) @ np.asarray(vectors, np.float64).T for vectors in (learned, predicted)]
    if not all(np.all(np.isfinite(gram)) and np.any(gram) for gram in grams):
        return None
    learned_gram, predicted_gram = (gram / np.abs(gram).max() for gram in grams)
    order = _place(learned_gram, predicted_gram, [], tolerance)
    return None if order is None else np.array(order)


def _place(
    learned_gram: Float[np.ndarray, "K K"],
    predicted_gram: Float[np.ndarray, "K K"],
    placed: list[int],
    tolerance: float,
) -> list[int] | None:
    """Return a complete placement that extends the given one, or None if there is none."""
    place = len(placed)
    if place == len(learned_gram):
        return placed
    free = np.setdiff1d(np.arange(len(learned_gram)), placed)
    deviations = np.abs(learned_gram[np.ix_(free, np.array(placed, int))] - predicted_gram[place, :place]).max(
        axis=1, initial=0.0
    )
    deviations = np.maximum(deviations, np.abs(learned_gram[free, free] - predicted_gram[place, place]))
    for index in np.argsort(deviations, kind="stable"):
        if deviations[index] > tolerance:
            break
        order = _place(learned_gram, predicted_gram, [*placed, int(free[index])], tolerance)
        if order is not None:
            return order
    return None
