"""Predicted directions of features in the frame of the learned ones, where order and rotation are free."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from simlab.metrics.geometry import common_rotation
from simlab.metrics.matching import match_vectors

if TYPE_CHECKING:
    from jaxtyping import Float, Int

# Of the largest entry of a Gram matrix: wide enough for noise in training, narrower than two codes differ.
TOLERANCE = 0.1
# Features of a block whose orders are searched exactly: the search may be exponential in it.
LARGEST_BLOCK = 8


class AlignedCode(NamedTuple):
    """Predicted columns beside the learned ones.

    Attributes:
        weights: the predicted ``W``, its features in the order and its hidden space in the frame of the learned ones.
        order: the predicted feature that stands at each place.
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
        learned: finite.
        predicted: finite.
        is_ordered: whether each feature has its own prediction, as features of different importance do; only the
            rotation is then free.
    """
    order = np.arange(learned.shape[1]) if is_ordered else _best_order(learned, predicted)
    ordered = predicted[:, order]
    rotation = common_rotation([(learned.T, ordered.T)])
    gram, wanted = learned.T @ learned, ordered.T @ ordered
    scale = np.linalg.norm(wanted)
    return AlignedCode(rotation.T @ ordered, order, float(np.linalg.norm(gram - wanted) / (scale or 1.0)))


def _best_order(learned: Float[np.ndarray, "m n"], predicted: Float[np.ndarray, "m n"]) -> Int[np.ndarray, " n"]:
    """Return the predicted feature for each learned one.

    Codes are cut into mutually orthogonal blocks. Where the blocks of both agree, so does the order of each, to the
    tolerance. Elsewhere the order is that of a local search, which gives an upper bound of the least distance.
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
    """Return the features of each set that is orthogonal to all others, by size and then by length."""
    from scipy.sparse.csgraph import connected_components

    gram = np.abs(weights.T @ weights)
    n_blocks, labels = connected_components(gram > TOLERANCE * gram.max(), directed=False)
    blocks = [np.flatnonzero(labels == block) for block in range(n_blocks)]
    return sorted(blocks, key=lambda block: (len(block), float(np.sum(weights[:, block] ** 2))))


def _match_block(
    learned: Float[np.ndarray, "m k"], predicted: Float[np.ndarray, "m k"]
) -> Int[np.ndarray, " k"] | None:
    """Return the learned features of a block in the order of the predicted ones, None if no order fits."""
    n_features = learned.shape[1]
    if n_features == 1:
        return np.zeros(1, int)
    return match_vectors(learned.T, predicted.T, TOLERANCE) if n_features <= LARGEST_BLOCK else None


def _search_order(learned: Float[np.ndarray, "m n"], predicted: Float[np.ndarray, "m n"]) -> Int[np.ndarray, " n"]:
    """Return an order for which the Gram matrices are close.

    The permutation P that maximises tr(A^T P B P^T) minimises the distance of A and P B P^T.
    """
    from scipy.optimize import quadratic_assignment

    grams = learned.T @ learned, predicted.T @ predicted
    result = quadratic_assignment(*grams, options={"maximize": True, "rng": np.random.default_rng(0)})
    return np.asarray(result.col_ind)
