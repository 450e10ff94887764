"""Similarities of tokens that are vectors of their sentence's class, counted pair by pair from the labels alone.

If the vector of every occurrence is that of its sentence's class, and ``G`` is the Gram matrix of the classes, the mean
cosine of a token is that of its pairs of classes. Counted for the sentences at hand there is no sampling error in it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from simlab.metrics.contextualization import Contextualization
from simlab.validation import invalid

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

    On the diagonal stand pairs of different sentences of one class, NaN for a class of a single sentence.
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


def self_similarity_of_classes(
    tokens: Int[np.ndarray, "B L"],
    classes: Int[np.ndarray, " B"],
    gram: Float[np.ndarray, "K K"],
    mask: Bool[np.ndarray, "B L"] | None = None,
) -> Float[np.ndarray, " T"]:
    """Return the self-similarity of each token that is seen, ascending, if each occurrence is its class's vector.

    Args:
        tokens: token numbers.
        classes: the class of each sentence.
        gram: cosines of class vectors; its diagonal is that of different sentences of one class.
        mask: which places count; None for all.

    Returns:
        The mean of ``G[k, k']`` over pairs of occurrences in different sentences; NaN where there are none.
    """
    n_classes = len(gram)
    if np.shape(gram) != (n_classes, n_classes) or np.max(classes) >= n_classes:
        raise invalid("gram", f"a square matrix for {np.max(classes) + 1} classes", np.shape(gram))
    is_there = np.ones(tokens.shape, bool) if mask is None else mask
    seen, labels = np.unique(tokens[is_there], return_inverse=True)
    sentences = np.nonzero(is_there)[0]
    in_sentence = np.zeros((len(seen), len(tokens)))
    np.add.at(in_sentence, (labels, sentences), 1)
    by_class = np.equal.outer(classes, np.arange(n_classes)).astype(float)
    counts, repeats = in_sentence @ by_class, in_sentence**2 @ by_class
    # A class of a single sentence has no pairs, and its diagonal, NaN, counts for nothing.
    values = np.where(np.isfinite(gram), gram, 0)
    sums = np.sum(counts @ values * counts, axis=1) - repeats @ np.diag(values)
    pairs = counts.sum(axis=1) ** 2 - repeats.sum(axis=1)
    return np.divide(sums, pairs, out=np.full(len(seen), np.nan), where=pairs > 0)


def class_similarities(
    tokens: Int[np.ndarray, "B L"],
    classes: Int[np.ndarray, " B"],
    vectors: Float[np.ndarray, "K d"],
    mask: Bool[np.ndarray, "B L"] | None = None,
    *,
    pairs: str = "across",
):
    """Return the :class:`~simlab.metrics.similarities.Similarities` of tokens that are their class's vector."""
    sums = Contextualization(vectors.shape[1], pairs=pairs)
    sums.add(np.broadcast_to(vectors[classes][:, None, :], (*tokens.shape, vectors.shape[1])), tokens, mask)
    return sums.measure()
