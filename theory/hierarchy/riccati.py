"""Two linear layers from a balanced or a small start: the solution of a matrix Riccati equation.

    loss |Y - W_2 W_1|^2 / 2,   Q = (W_1^T; W_2) stacked,   F = [[0, Y^T], [Y, 0]]

From a balanced start, W_1 W_1^T = W_2^T W_2, gradient flow has d(QQ^T)/dt = F QQ^T + QQ^T F - (QQ^T)^2, hence

    QQ^T(t) = e^(Ft) Q_0 [I + Q_0^T (int_0^t e^(2Fs) ds) Q_0]^-1 Q_0^T e^(Ft)      Fukumizu 1998; Braun et al. 2022

whose blocks are the Gram matrix W_1^T W_1 of the items, the map W_2 W_1, and W_2 W_2^T. From any *small* start the
component of Q_0 outside the growing eigenspace of F shrinks before the rest becomes large, and the imbalance stays of
the order of the squared size of the start. The same formula then holds for Q_0 projected onto the eigenvectors
(v_i; u_i)/sqrt 2 of eigenvalues s_i > 0, up to an error that vanishes with the size of the start. Derived here.

Gradient descent with step eta multiplies a mode of F by 1 + eta s instead of e^(eta s); with this replacement the
formula holds to first order in eta s.

Implementation: the solution is advanced from one record to the next in the eigenbasis of F. With e^(F dt) = E and J the
integral over dt, both diagonal, and I + Q^T J Q = C C^T, the factor Q becomes E Q C^-T. Its Gram matrix is that of the
formula, and no exponential of a long time is computed.
"""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from jaxtyping import Float, Int

# The largest exponent of one interval; longer intervals are divided.
_LARGEST_EXPONENT = 3.0


class TwoLayerPath(NamedTuple):
    """The map and the item Gram matrix of two layers over training.

    Args:
        maps: W_2 W_1 at each time, float64 (t, P, K).
        item_grams: W_1^T W_1, float64 (t, K, K).
    """

    maps: Float[np.ndarray, "t P K"]
    item_grams: Float[np.ndarray, "t K K"]


def solve_two_layers(
    target: Float[np.ndarray, "P K"],
    gram: Float[np.ndarray, "P+K P+K"],
    steps: Int[np.ndarray, " t"],
    learning_rate: float,
    *,
    width: int | None = None,
    projected: bool = False,
    discrete: bool = False,
) -> TwoLayerPath:
    """Return the path of two layers from their start.

    Args:
        target: Y.
        gram: Q_0 Q_0^T, items first: [[W_1^T W_1, (W_2 W_1)^T], [W_2 W_1, W_2 W_2^T]].
        steps: numbers of steps at which the path is returned, in ascending order from 0.
        learning_rate: eta; the time of a step.
        width: of the hidden layer, the largest rank of Q_0. Without it, rounding of the Gram matrix seeds modes that a
            narrow layer cannot represent.
        projected: whether Q_0 is projected onto the growing eigenspace, for a small start that is not balanced.
        discrete: whether to approximate gradient descent, with 1 + eta s for e^(eta s); otherwise gradient flow.

    Returns: the path.
    Valid: exact for a balanced start under gradient flow.
    Source: the module's docstring.
    """
    n_items = target.shape[1]
    eigenvalues, vectors = _eigenspace(target, projected=projected)
    factor = vectors.T @ _root(gram, width)
    maps, grams, taken = [], [], 0
    for step in steps:
        factor = _advance(factor, eigenvalues, int(step) - taken, learning_rate, discrete=discrete)
        taken = int(step)
        current = vectors @ factor
        maps.append(current[n_items:] @ current[:n_items].T)
        grams.append(current[:n_items] @ current[:n_items].T)
    return TwoLayerPath(np.array(maps), np.array(grams))


def decoupled_starts(
    left: Float[np.ndarray, "P r"], right: Float[np.ndarray, "K r"], gram: Float[np.ndarray, "P+K P+K"]
) -> Float[np.ndarray, " r"]:
    """Return a_0 = |(w_1 + w_2)/2|^2 of each mode, w_1 = W_1 v and w_2 = W_2^T u: the start of a decoupled sigmoid.

    It is the diagonal of the projected formula, without the coupling of modes.

    Args:
        left: singular vectors u_i of Y.
        right: singular vectors v_i.
        gram: Q_0 Q_0^T.
    """
    stacked = np.vstack([right, left])
    return np.sum(stacked * (gram @ stacked), axis=0) / 4


def _eigenspace(target: Float[np.ndarray, "P K"], *, projected: bool) -> tuple[np.ndarray, np.ndarray]:
    """Return eigenvalues and eigenvectors of F; with `projected` only those of positive eigenvalues."""
    n_properties, n_items = target.shape
    if projected:
        left, values, right = np.linalg.svd(target, full_matrices=False)
        grows = values > values[0] * max(target.shape) * np.finfo(float).eps
        return values[grows], np.vstack([right[grows].T, left[:, grows]]) / np.sqrt(2)
    zeros = np.zeros((n_items, n_items)), np.zeros((n_properties, n_properties))
    return np.linalg.eigh(np.block([[zeros[0], target.T], [target, zeros[1]]]))


def _root(gram: Float[np.ndarray, "n n"], rank: int | None) -> Float[np.ndarray, "n r"]:
    """Return a factor Q with Q Q^T the Gram matrix, truncated to its `rank` largest eigenvalues."""
    values, vectors = np.linalg.eigh((gram + gram.T) / 2)
    largest = slice(None) if rank is None else slice(max(len(values) - rank, 0), None)
    return vectors[:, largest] * np.sqrt(np.maximum(values[largest], 0.0))


def _advance(factor: np.ndarray, eigenvalues: np.ndarray, n_steps: int, learning_rate: float, *, discrete: bool):
    """Return the factor after a number of steps."""
    if n_steps == 0:
        return factor
    exponent = learning_rate * n_steps * np.abs(eigenvalues).max()
    n_parts = max(1, ceil(exponent / _LARGEST_EXPONENT))
    time = learning_rate * n_steps / n_parts
    logarithm = np.log1p(learning_rate * eigenvalues) / learning_rate if discrete else eigenvalues
    growth = np.exp(logarithm * time)
    is_zero = np.abs(eigenvalues * time) < 1e-14
    safe = np.where(is_zero, 1.0, eigenvalues)
    integral = np.where(is_zero, time, np.expm1(2 * logarithm * time) / (2 * safe))
    for _ in range(n_parts):
        bracket = np.eye(factor.shape[1]) + factor.T @ (integral[:, None] * factor)
        lower = np.linalg.cholesky(bracket)
        factor = np.linalg.solve(lower, (growth[:, None] * factor).T).T
    return factor
