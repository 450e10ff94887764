"""Align predicted feature directions with the learned ones, where order and rotation are free."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from simlab.metrics.geometry import common_rotation
from simlab.metrics.matching import match_vectors

if TYPE_CHECKING:
    from jaxtyping import Float, Int

# Relative to the largest entry of a Gram matrix: above the noise of training, below the difference of two codes.
TOLERANCE = 0.1
# The most features of a block whose orders are searched exactly: the search may be exponential in their number.
LARGEST_BLOCK = 8


class AlignedCode(NamedTuple):
    """Predicted columns, aligned with the learned ones.

    Attributes:
        weights: the predicted ``W``, with the order of features and the frame of the hidden space of the learned one.
        order: the predicted feature at each place.
        gram_distance: ``|W'^T W' - W^T W| / |W^T W|`` of the learned ``W'`` and this ``W``, Frobenius norms.
    """

    weights: Float[np.ndarray, "m n"]
    order: Int[np.ndarray, " n"]
    gram_distance: float


def align_code(
    learned: Float[np.ndarray, "m n"], predicted: Float[np.ndarray, "m n"], *, is_ordered: bool = False
) -> AlignedCode:
    """Return predicted columns in the best order and rotation.

    Args:
        learned: learned columns, finite.
        predicted: predicted columns, finite.
        is_ordered: whether each feature has its own prediction, as for features of different importance; then only the
            rotation is free.
    """
    order = np.arange(learned.shape[1]) if is_ordered else _best_order(learned, predicted)
    ordered = predicted[:, order]
    rotation = common_rotation([(learned.T, ordered.T)])
    gram, wanted = learned.T @ learned, ordered.T @ ordered
    scale = np.linalg.norm(wanted)
    return AlignedCode(rotation.T @ ordered, order, float(np.linalg.norm(gram - wanted) / (scale or 1.0)))


def _best_order(learned: Float[np.ndarray, "m n"], predicted: Float[np.ndarray, "m n"]) -> Int[np.ndarray, " n"]:
    """Return the predicted feature for each learned one.

    Codes are cut into mutually orthogonal blocks. If all blocks match within the tolerance, their order is used.
    Otherwise the order comes from a local search, whose distance is an upper bound of the smallest one.
    """
    blocks = [_orthogonal_blocks(weights) for weights in (learned, predicted)]
    order = np.full(learned.shape[1], -1)
    if [len(block) for block in blocks[0]] == [len(block) for block in blocks[1]]:
        for own, other in zip(*blocks, strict=True):
            matched = _match_block(learned[:, own], predicted[:, other])
            if matched is None:
                break
            order[own[matched]] = other
    return order if np.all(order >= 0) else _search_order(learned, predicted)


def _orthogonal_blocks(weights: Float[np.ndarray, "m n"]) -> list[Int[np.ndarray, " k"]]:
    """Return mutually orthogonal sets of features, sorted by size and then by squared norm."""
    from scipy.sparse.csgraph import connected_components

    gram = np.abs(weights.T @ weights)
    n_blocks, labels = connected_components(gram > TOLERANCE * gram.max(), directed=False)
    blocks = [np.flatnonzero(labels == block) for block in range(n_blocks)]
    return sorted(blocks, key=lambda block: (len(block), float(np.sum(weights[:, block] ** 2))))


def _match_block(
    learned: Float[np.ndarray, "m k"], predicted: Float[np.ndarray, "m k"]
) -> Int[np.ndarray, " k"] | None:
    """Return the learned features of a block in the order of the predicted ones, or None if no order fits."""
    n_features = learned.shape[1]
    if n_features == 1:
        return np.zeros(1, int)
    return match_vectors(learned.T, predicted.T, TOLERANCE) if n_features <= LARGEST_BLOCK else None


def _search_order(learned: Float[np.ndarray, "m n"], predicted: Float[np.ndarray, "m n"]) -> Int[np.ndarray, " n"]:
    """Return an order, found by local search, for which the Gram matrices are close.

    The permutation P that maximises tr(A^T P B P^T) minimises the distance of A and P B P^T.
    """
    from scipy.optimize import quadratic_assignment

    grams = learned.T @ learned, predicted.T @ predicted
    result = quadratic_assignment(*grams, options={"maximize": True, "rng": np.random.default_rng(0)})
    return np.asarray(result.col_ind)
