"""The kernel that one or two encoders learn of a table of co-occurrence, and the least loss."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from theory.representation_kernels.ring_world import is_semidefinite, mutual_information
from theory.representation_kernels.semidefinite import Solution, check_symmetric, solve_ring, solve_table
from theory.representation_kernels.tables import (
    check_table,
    gram_constant,
    pmi_kernel,
    score_rank,
    table_information,
)

if TYPE_CHECKING:
    from jaxtyping import Float

ENCODERS = (1, 2)


class LearnedKernel(NamedTuple):
    """What is learned at the minimum of population InfoNCE.

    Attributes:
        kernel: scores up to a constant of each row, nats: ``Float[n, m]``, or a row ``Float[n]`` of a ring.
        information: I of a pair, nats.
        excess: of the least loss above the log-count less I, nats; 0 where PMI is reached.
        gap: how far ``excess`` may lie above the true one, nats.
        kernel_error: how far an entry of the centred kernel may be off, nats.
        rank: the fewest dimensions of an embedding that reach it; 0 where it was not computed.
        is_attained: whether finite embeddings reach the least loss. Else they approach it as their mean grows.
        basis: "theorem" where the kernel is PMI, else "certified".
    """

    kernel: Float[np.ndarray, ...]
    information: float
    excess: float = 0.0
    gap: float = 0.0
    kernel_error: float = 0.0
    rank: int = 0
    is_attained: bool = True
    basis: str = "theorem"


def learn_table(table: Float[np.ndarray, "n m"], encoders: int = 2) -> LearnedKernel:
    """Return the kernel of any table.

    Args:
        table: probabilities of pairs, all positive.
        encoders: 1, which needs a symmetric table, or 2.

    Raises:
        ValueError: an argument is out of range; one line that names it.
        ArithmeticError: the convex program does not converge.
    """
    table = check_table(table)
    check_encoders(encoders)
    kernel, information = pmi_kernel(table), table_information(table)
    if encoders == 2:
        return LearnedKernel(kernel, information, rank=score_rank(kernel))
    check_symmetric(table)
    if np.isfinite(gram_constant(kernel)):
        return LearnedKernel(kernel, information, rank=score_rank(kernel))
    solution = solve_table(table)
    is_attained = bool(np.isfinite(gram_constant(solution.scores)))
    return _certified(solution, information)._replace(rank=score_rank(solution.scores), is_attained=is_attained)


def learn_ring(row: Float[np.ndarray, " n"], encoders: int = 2) -> LearnedKernel:
    """Return the kernel of a ring, a row; nothing of size n^2 is built.

    Args:
        row: ``n w(d)`` of :func:`theory.representation_kernels.ring_world.ring_row`.
        encoders: 1 or 2.
    """
    check_encoders(encoders)
    kernel, information = np.log(row), mutual_information(row)
    if encoders == 2 or is_semidefinite(kernel):
        return LearnedKernel(kernel, information)
    return _certified(solve_ring(row), information)


def check_encoders(encoders: int) -> None:
    """Raise ValueError unless there are one or two."""
    if encoders not in ENCODERS or isinstance(encoders, bool):
        raise ValueError(f"encoders: expected 1 or 2, got {encoders!r}")


def _certified(solution: Solution, information: float) -> LearnedKernel:
    """Return what a solution of the convex program says."""
    return LearnedKernel(
        solution.scores,
        information,
        excess=solution.value + information,
        gap=solution.gap,
        kernel_error=solution.kernel_error,
        basis="certified",
    )
