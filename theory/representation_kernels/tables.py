"""Any co-occurrence table: its pointwise mutual information, coarser views, and the scores one encoder can attain.

A table contains the probability ``p(a, b)`` that a in the first modality and b in the second are a positive pair. Its
*kernel* is ``PMI(a, b) = log(p(a, b)/(p(a) p(b)))``, its information ``I = sum p PMI`` (nats).

Population InfoNCE over all negatives of scores S is

    L(S) = sum_a p(a) log(N sum_b p(b) e^{S(a, b)}) - sum_ab p(a, b) S(a, b),     N candidates b,

which equals ``log N - I`` plus the mean Kullback-Leibler divergence of the softmax of each row from ``p(b|a)``. It is
least, ``log N - I``, iff S is PMI plus a constant for each row (van den Oord et al., 2018).

*Two encoders* of m dimensions attain every S of rank m: PMI up to constants iff m is at least the rank of PMI with its
columns centred. *One encoder* attains Gram matrices: ``PMI + c 11^T`` is one, for some c, iff (i) PMI is positive
semidefinite on vectors that sum to zero, and (ii) its null vectors x there have ``1^T PMI x = 0``. (This is the Schur
complement of the block of such vectors; without (ii) no finite c suffices, though every loss above ``log N - I`` is
attained. If all events are equivalent, as on a ring, (ii) holds.)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from theory.checks import require_integer

if TYPE_CHECKING:
    from jaxtyping import Float

# Tolerance for the sum of a table.
_SUM_ERROR = 1e-9


def check_table(table: Float[np.ndarray, "n m"]) -> Float[np.ndarray, "n m"]:
    """Return a table as float64, or raise ValueError if it is not a distribution of pairs with finite PMI."""
    table = np.asarray(table, float)
    if table.ndim != 2 or min(table.shape) < 2:
        raise ValueError(f"table: expected at least two rows and columns, got an array of shape {table.shape}")
    if not np.all(np.isfinite(table)) or table.min() < 0 or abs(table.sum() - 1) > _SUM_ERROR:
        raise ValueError(f"table: expected probabilities that sum to 1, got a sum of {table.sum():g}")
    for axis, name in ((1, "row"), (0, "column")):
        lonely = np.flatnonzero(table.sum(axis=axis) == 0)
        if len(lonely):
            raise ValueError(f"table: expected a partner for each event, got none for {name} {lonely[0]}")
    if table.min() < np.finfo(float).tiny:
        row, column = np.unravel_index(np.argmin(table), table.shape)
        raise ValueError(f"table: expected positive probabilities, got {table.min():g} for ({row}, {column})")
    return table


def pmi_kernel(table: Float[np.ndarray, "n m"]) -> Float[np.ndarray, "n m"]:
    """Return ``log(p(a, b)/(p(a) p(b)))`` in nats."""
    table = check_table(table)
    return np.log(table) - np.log(table.sum(axis=1))[:, None] - np.log(table.sum(axis=0))[None, :]


def table_information(table: Float[np.ndarray, "n m"]) -> float:
    """Return I of a pair in nats."""
    return float(np.sum(table * pmi_kernel(table)))


def coarsen(table: Float[np.ndarray, "n m"], rows: int, columns: int) -> Float[np.ndarray, "n_blocks m_blocks"]:
    """Return the table of blocks of `rows` neighbouring rows and `columns` neighbouring columns.

    Raises: ValueError if a block size does not divide the number of events or leaves fewer than two blocks.
    """
    n_rows, n_columns = np.shape(table)
    for count, block in ((n_rows, rows), (n_columns, columns)):
        require_integer("blocks", block, minimum=1)
        if count % block or count == block:
            raise ValueError(f"blocks: expected a divisor of events={count} below it, got {block}")
    return np.reshape(table, (n_rows // rows, rows, n_columns // columns, columns)).sum(axis=(1, 3))


def on_events(kernel: Float[np.ndarray, "n m"], n_rows: int, n_columns: int) -> Float[np.ndarray, "n_rows n_columns"]:
    """Return a kernel of blocks on the events: equal for all events of a block."""
    return np.repeat(np.repeat(kernel, n_rows // len(kernel), axis=0), n_columns // kernel.shape[1], axis=1)


def centre(kernel: Float[np.ndarray, "n m"]) -> Float[np.ndarray, "n m"]:
    """Return a kernel minus the means of its rows and columns, which constants of rows and columns do not change."""
    return kernel - kernel.mean(axis=1, keepdims=True) - kernel.mean(axis=0, keepdims=True) + kernel.mean()


def alignment(first: Float[np.ndarray, "n m"], second: Float[np.ndarray, "n m"]) -> float:
    """Return the linear CKA of two kernels (Kornblith et al., 2019), the cosine after centring; NaN for a constant."""
    first, second = centre(first), centre(second)
    sizes = np.linalg.norm(first) * np.linalg.norm(second)
    return float(np.sum(first * second) / sizes) if sizes > 0 else float("nan")


def score_rank(kernel: Float[np.ndarray, "n m"]) -> int:
    """Return the least dimension in which two encoders attain a kernel up to a constant of each row."""
    return int(np.linalg.matrix_rank(kernel - kernel.mean(axis=1, keepdims=True)))


def gram_constant(kernel: Float[np.ndarray, "n n"]) -> float:
    """Return the least c for which ``kernel + c 11^T`` is positive semidefinite; infinite if there is none.

    Args:
        kernel: symmetric, nats.

    Eigenvalues within rounding of zero count as zero: 64 n units in the last place of the largest entry.
    """
    n = len(kernel)
    basis = np.linalg.svd(np.ones((1, n)))[2]
    rotated = basis @ kernel @ basis.T
    values, vectors = np.linalg.eigh(rotated[1:, 1:])
    coupling = vectors.T @ rotated[1:, 0]
    zero = 64 * n * np.finfo(float).eps * np.abs(kernel).max()
    if values[0] < -zero or np.any(np.abs(coupling[values <= zero]) > np.sqrt(n) * zero):
        return float("inf")
    positive = values > zero
    return float((np.sum(coupling[positive] ** 2 / values[positive]) - rotated[0, 0]) / n)
