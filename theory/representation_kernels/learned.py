"""The kernel that one or two encoders learn from a co-occurrence table, and the least loss."""

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
    """The kernel learned at the minimum of population InfoNCE.

    Attributes:
        kernel: scores up to a constant of each row, nats: ``Float[n, m]``, or one row ``Float[n]`` for a ring.
        information: I of a pair, nats.
        excess: the least loss minus (log number of candidates - I), nats; 0 if PMI is attained.
        gap: upper bound on ``excess`` minus its true value, nats.
        kernel_error: upper bound on the error of an entry of the centred kernel, nats.
        rank: the least embedding dimension that attains the kernel; 0 if it was not computed.
        is_attained: whether finite embeddings attain the least loss. Otherwise they approach it as their mean grows.
        basis: "theorem" if the kernel is PMI, otherwise "certified".
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
    """Return the learned kernel for any table.

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
    """Return the learned kernel for a ring, as one row, without building n x n matrices.

    Args:
        row: ``n w(d)`` of :func:`theory.representation_kernels.ring_world.ring_row`.
        encoders: 1 or 2.

    Raises:
        ValueError: `encoders` is not 1 or 2.
        ArithmeticError: the convex program does not converge.
    """
    check_encoders(encoders)
    kernel, information = np.log(row), mutual_information(row)
    if encoders == 2 or is_semidefinite(kernel):
        return LearnedKernel(kernel, information)
    return _certified(solve_ring(row), information)


def check_encoders(encoders: int) -> None:
    """Raise ValueError unless the number of encoders is 1 or 2."""
    if encoders not in ENCODERS or isinstance(encoders, bool):
        raise ValueError(f"encoders: expected 1 or 2, got {encoders!r}")


def _certified(solution: Solution, information: float) -> LearnedKernel:
    """Return the learned kernel for a solution of the convex program."""
    return LearnedKernel(
        solution.scores,
        information,
        excess=solution.value + information,
        gap=solution.gap,
        kernel_error=solution.kernel_error,
        basis="certified",
    )
