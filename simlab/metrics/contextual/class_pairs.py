"""The Gram matrix of classes of sentences: mean cosines of their tokens, over pairs in different sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from jaxtyping import Bool, Float, Int


def class_gram(
    hidden: Float[np.ndarray, "B L d"],
    classes: Int[np.ndarray, " B"],
    mask: Bool[np.ndarray, "B L"] | None = None,
    *,
    n_classes: int,
) -> Float[np.ndarray, "K K"]:
    """Return the measured Gram matrix: mean cosines of tokens in different sentences, by their classes.

    Args:
        hidden: the vectors, of any precision; summed in float64. Vectors of length zero are left out.
        classes: of each sentence.
        mask: True where a token counts; None for all.
        n_classes: K.

    Returns:
        Mean cosines; on the diagonal over different sentences of one class, NaN for a class with a single sentence.
    """
    hidden = np.asarray(hidden, np.float64)
    is_there = np.ones(hidden.shape[:2], bool) if mask is None else mask
    lengths = np.linalg.norm(hidden, axis=2, keepdims=True)
    is_there = is_there & (lengths[..., 0] > 0)
    units = np.divide(hidden, lengths, out=np.zeros_like(hidden), where=is_there[..., None])
    sums, counts = units.sum(axis=1), is_there.sum(axis=1)
    of_class = np.equal.outer(np.arange(n_classes), classes).astype(float)
    totals, numbers = of_class @ sums, of_class @ counts
    products, pairs = totals @ totals.T, np.outer(numbers, numbers)
    np.fill_diagonal(products, np.diag(products) - of_class @ np.sum(sums**2, axis=1))
    np.fill_diagonal(pairs, np.diag(pairs) - of_class @ counts.astype(float) ** 2)
    return np.divide(products, pairs, out=np.full(pairs.shape, np.nan), where=pairs > 0)
