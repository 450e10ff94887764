"""The kernel that one encoder learns if PMI is not a Gram matrix: a convex program over positive semidefinite scores.

The scores of one encoder are a Gram matrix S. InfoNCE is invariant under a constant added to each row (`tables`). Up to
such constants, the closure of the attainable scores is the set of symmetric S that are positive semidefinite on vectors
that sum to zero, ``H S H >= 0`` with ``H = 1 - 11^T/n``. On this set

    minimise  F(S) = sum_a p(a) log(sum_b p(b) e^{S(a, b)}) - sum_ab p(a, b) S(a, b)

is convex, strictly so up to constants: the centred kernel ``H S H`` of the minimiser is unique.

**Dual.** ``sum_a p(a) log(...)`` is the maximum over tables Q with row sums p of ``<Q, S> - KL(Q | p p^T)``, hence

    min F = max { -I(Q) :  Q symmetric with the sums of p,  H (Q - p) H >= 0 },

attained at ``Q(a, b) = p(a) softmax_b``: one encoder learns the PMI of the table of *least information* among those in
which every function of the events is at least as predictable as in p. Each feasible Q gives a lower bound, so a
solution has a certified gap (nats) that does not depend on the solver. A candidate Q is made feasible by scaling its
sums to p and by mixing in a small share of ``diag(p)``, for which ``H (diag p - p) H`` is positive.

**Accuracy.** F is convex: at the minimiser its slope towards any S is non-negative, so F(S) exceeds the minimum by at
least the mean over a of ``KL(Q*(.|a) | Q(.|a))``. By Pinsker's inequality the error of the logarithm of ``Q(b|a)`` is
at most ``-log(1 - sqrt(2 gap/p(a))/Q(b|a))``, and that of an entry of ``H S H`` at most four times this.

The solver uses accelerated projected gradients with restarts (Beck and Teboulle, 2009; O'Donoghue and Candes, 2015).
For a ring the minimiser is circulant, as F is convex and invariant under shifts: the matrix is represented by one row,
its eigenvalues by a Fourier transform.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np

from theory.representation_kernels.ring_world import mutual_information

if TYPE_CHECKING:
    from jaxtyping import Float

# A gap is a difference of numbers of order one, and is accurate to about ten units in the last place.
ENOUGH = 4e-15
MOST_STEPS, STEPS_PER_CHECK = 40_000, 25
# A solution with a larger gap counts as not converged.
LARGEST_GAP = 1e-9


class Solution(NamedTuple):
    """The minimiser of F.

    Attributes:
        scores: S, ``Float[n, n]``, or its row ``Float[n]`` on a ring; up to constants of rows.
        value: F(S), nats: the least InfoNCE of one encoder minus the logarithm of the number of candidates.
        gap: upper bound on F(S) minus its minimum, nats.
        kernel_error: upper bound on the distance of an entry of the centred S from that of the minimiser, nats.
    """

    scores: Float[np.ndarray, ...]
    value: float
    gap: float
    kernel_error: float


class _Program(Protocol):
    """The interface of a program for the solver: start, gradient step, value, projection, and a lower bound."""

    def start(self) -> np.ndarray: ...
    def descend(self, scores: np.ndarray) -> np.ndarray: ...
    def value(self, scores: np.ndarray) -> float: ...
    def project(self, scores: np.ndarray) -> np.ndarray: ...
    def bound(self, scores: np.ndarray) -> float: ...
    def least_odds(self, scores: np.ndarray) -> tuple[float, float]: ...


def solve_table(table: Float[np.ndarray, "n n"]) -> Solution:
    """Return the scores that one encoder learns from a symmetric table of positive probabilities.

    Raises:
        ValueError: the table is not symmetric.
        ArithmeticError: the gap stays above 1e-9 nats.
    """
    check_symmetric(table)
    return _solve(_TableProgram(table))


def check_symmetric(table: Float[np.ndarray, "n m"]) -> None:
    """Raise ValueError unless the table is symmetric up to rounding."""
    if table.shape[0] != table.shape[1] or np.abs(table - table.T).max() > 1e-12 * table.max():
        raise ValueError("table: expected a symmetric one with one encoder, got one that is not")


def solve_ring(row: Float[np.ndarray, " n"]) -> Solution:
    """Return the scores that one encoder learns from a ring, as one row.

    Args:
        row: ``n w(d)``, as :func:`theory.representation_kernels.ring_world.ring_row` returns it.

    Raises:
        ArithmeticError: the gap stays above 1e-9 nats.
    """
    return _solve(_RingProgram(row))


def _solve(program: _Program) -> Solution:
    """Return the minimiser, by accelerated projected gradients until the gap is at rounding."""
    best, least_gap = program.project(program.start()), np.inf
    point, ahead, momentum, n_stale = best, best, 1.0, 0
    for step in range(MOST_STEPS):
        moved = program.project(program.descend(ahead))
        is_overshooting = np.sum((ahead - moved) * (moved - point)) > 0
        grown = 1.0 if is_overshooting else (1 + np.sqrt(1 + 4 * momentum**2)) / 2
        ahead = moved if is_overshooting else moved + (momentum - 1) / grown * (moved - point)
        point, momentum = moved, grown
        if step % STEPS_PER_CHECK == 0:
            gap = program.value(point) - program.bound(point)
            n_stale = n_stale + 1 if gap > 0.9 * least_gap else 0
            if gap < least_gap:
                best, least_gap = point, gap
            if least_gap < ENOUGH or (n_stale > 20 and least_gap < LARGEST_GAP):
                break
    if not least_gap < LARGEST_GAP:
        raise ArithmeticError(f"semidefinite program: the gap is still {least_gap:.2g} nats after {MOST_STEPS} steps")
    gap = max(float(least_gap), ENOUGH)
    return Solution(best, program.value(best), gap, _kernel_error(gap, *program.least_odds(best)))


def _kernel_error(gap: float, anchor: float, odds: float) -> float:
    """Return the error bound of an entry of the centred kernel; infinite if the gap is too large for a bound."""
    share = np.sqrt(2 * gap / anchor) / odds
    return float(-4 * np.log1p(-share)) if share < 1 else np.inf


class _TableProgram:
    """F on symmetric matrices."""

    def __init__(self, table: Float[np.ndarray, "n n"]):
        self.table = table / table.sum()
        self.anchors = self.table.sum(axis=1)
        self.basis = np.linalg.svd(np.ones((1, len(table))))[2][1:]
        self.least_slack = np.linalg.eigvalsh(self._within(np.diag(self.anchors) - self.table))[0]

    def _within(self, matrix: Float[np.ndarray, "n n"]) -> Float[np.ndarray, "n-1 n-1"]:
        """Return a matrix restricted to vectors that sum to zero."""
        return self.basis @ matrix @ self.basis.T

    def _rows(self, scores: Float[np.ndarray, "n n"]) -> tuple[np.ndarray, np.ndarray]:
        """Return ``Q(b|a)`` and the logarithm of its normalising sum."""
        exponents = scores + np.log(self.anchors)
        top = exponents.max(axis=1, keepdims=True)
        weights = np.exp(exponents - top)
        sums = weights.sum(axis=1, keepdims=True)
        return weights / sums, (top + np.log(sums))[:, 0]

    def start(self) -> np.ndarray:
        """Return PMI."""
        return np.log(self.table / np.outer(self.anchors, self.anchors))

    def value(self, scores: np.ndarray) -> float:
        """Return F."""
        return float(self.anchors @ self._rows(scores)[1] - np.sum(self.table * scores))

    def descend(self, scores: np.ndarray) -> np.ndarray:
        """Return the scores after a step along the gradient of F among symmetric matrices.

        The curvature is ``p(a)`` times the covariance of a one-hot draw from ``Q(.|a)``, at most ``max Q(a, b)``.
        """
        table = self.anchors[:, None] * self._rows(scores)[0]
        gradient = table - self.table
        return scores - (gradient + gradient.T) / (2 * table.max())

    def project(self, scores: np.ndarray) -> np.ndarray:
        """Return the nearest symmetric matrix that is positive semidefinite on vectors that sum to zero."""
        scores = scores - scores.mean()
        values, vectors = np.linalg.eigh(self._within(scores))
        negative = self.basis.T @ vectors[:, values < 0]
        return scores - (negative * values[values < 0]) @ negative.T

    def bound(self, scores: np.ndarray) -> float:
        """Return ``-I(Q)`` of a feasible table near ``p(a) Q(b|a)``."""
        table = self._scale(self.anchors[:, None] * self._rows(scores)[0])
        lack = max(0.0, -np.linalg.eigvalsh(self._within(table - self.table))[0])
        share = lack / (lack + self.least_slack)
        table = (1 - share) * table + share * np.diag(self.anchors)
        return -float(np.sum(table * np.log(table / np.outer(self.anchors, self.anchors))))

    def _scale(self, table: np.ndarray) -> np.ndarray:
        """Return a symmetric table with the sums of p: ``D table D`` (Sinkhorn), with the residual on the diagonal."""
        table = (table + table.T) / 2
        factor = np.ones(len(table))
        for _ in range(50):
            factor = np.sqrt(factor * self.anchors / (table @ factor))
        table = table * np.outer(factor, factor)
        return table + np.diag(self.anchors - table.sum(axis=1))

    def least_odds(self, scores: np.ndarray) -> tuple[float, float]:
        """Return the least ``p(a)`` and the least ``Q(b|a)``."""
        return float(self.anchors.min()), float(self._rows(scores)[0].min())


class _RingProgram:
    """F on circulant matrices, given by a row s with non-negative Fourier coefficients except that of the mean."""

    def __init__(self, row: Float[np.ndarray, " n"]):
        self.row = row / row.mean()
        self.least_slack = len(row) - np.fft.rfft(self.row).real[1:].max()

    def _odds(self, scores: np.ndarray) -> tuple[np.ndarray, float]:
        """Return ``Q(b|a)`` and the logarithm of the mean of ``e^s``."""
        weights = np.exp(scores - scores.max())
        return weights / weights.sum(), float(scores.max() + np.log(weights.mean()))

    def start(self) -> np.ndarray:
        """Return PMI."""
        return np.log(self.row)

    def value(self, scores: np.ndarray) -> float:
        """Return F."""
        return self._odds(scores)[1] - float(np.mean(self.row * scores))

    def descend(self, scores: np.ndarray) -> np.ndarray:
        """Return the row after a step along the gradient of F."""
        odds = self._odds(scores)[0]
        return scores - (odds - self.row / len(self.row)) / odds.max()

    def project(self, scores: np.ndarray) -> np.ndarray:
        """Return the nearest row that is positive semidefinite on vectors that sum to zero."""
        spectrum = np.maximum(np.fft.rfft(scores).real, 0)
        spectrum[0] = 0
        return np.fft.irfft(spectrum, len(scores))

    def bound(self, scores: np.ndarray) -> float:
        """Return ``-I(Q)`` of a feasible row near ``n Q(b|a)``."""
        row = len(scores) * self._odds(scores)[0]
        lack = max(0.0, -np.fft.rfft(row - self.row).real[1:].min())
        share = lack / (lack + self.least_slack)
        row = (1 - share) * row
        row[0] += share * len(row)
        return -mutual_information(row)

    def least_odds(self, scores: np.ndarray) -> tuple[float, float]:
        """Return ``p(a)``, which is ``1/n``, and the least ``Q(b|a)``."""
        return 1 / len(scores), float(self._odds(scores)[0].min())
