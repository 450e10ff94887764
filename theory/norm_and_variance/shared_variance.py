"""The variance explained by tokens plus that explained by sentences: at most ``1 + rho`` times the total.

Let T and S be the projections of centred functions of an occurrence onto the functions of its token and onto those of
its sentence. The variances between tokens and between sentences of a vector x are |T x|^2 and |S x|^2, and

    |T x|^2 + |S x|^2 = <x, (T + S) x> <= |T + S| |x|^2 = (1 + |T S|) |x|^2.

The last step holds for any two nonzero orthogonal projections. |T S| = rho is the maximal correlation of token and
sentence (Hirschfeld, Gebelein): the second singular value of ``p(t, s)/sqrt(p(t) p(s))``. The bound is attained by the
optimal functions. For independent tokens and sentences rho = 0, and together they explain at most the total variance. A
sentence whose only token occurs nowhere else gives rho = 1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from jaxtyping import Float


def maximal_correlation(counts: Float[np.ndarray, "T S"]) -> float:
    """Return rho, the largest correlation of a function of the row with a function of the column.

    Args:
        counts: number of occurrences of each token in each sentence, or its probability; rows and columns of zeros are
            ignored.

    Raises:
        ValueError: an entry is negative or not finite, or all are zero.
    """
    table = np.asarray(counts, float)
    if table.ndim != 2 or not np.all(np.isfinite(table)) or table.min(initial=0) < 0 or not table.sum() > 0:
        raise ValueError(f"counts: expected a table of non-negative numbers, some above zero, got {counts!r}")
    table = table[table.sum(1) > 0][:, table.sum(0) > 0] / table.sum()
    rows, columns = np.sqrt(table.sum(1)), np.sqrt(table.sum(0))
    centred = table / np.outer(rows, columns) - np.outer(rows, columns)
    return float(min(np.linalg.norm(centred, 2), 1.0))


def explained_limit(counts: Float[np.ndarray, "T S"]) -> float:
    """Return the upper bound on V_between-tokens/V + V_between-sentences/V, ``1 + rho``."""
    return 1 + maximal_correlation(counts)
