"""What tokens and sentences explain together: at most ``1 + rho`` of the variance.

Let T and S be the projections of a function of an occurrence, centred, on the functions of its token and on those of
its sentence. The variances between tokens and between sentences of a vector x are |T x|^2 and |S x|^2, and

    |T x|^2 + |S x|^2 = <x, (T + S) x> <= |T + S| |x|^2 = (1 + |T S|) |x|^2.

The last step holds for any two orthogonal projections that are not zero. |T S| = rho is the maximal correlation of
token and sentence (Hirschfeld, Gebelein): the second singular value of ``p(t, s)/sqrt(p(t) p(s))``. It is attained by
the optimal functions. Independent tokens and sentences have rho = 0, and together explain no more than all; a token
that occurs in one sentence only, with nothing else, gives rho = 1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from jaxtyping import Float


def maximal_correlation(counts: Float[np.ndarray, "T S"]) -> float:
    """Return rho, the largest correlation of a function of the row and one of the column.

    Args:
        counts: how often each token occurs in each sentence, or the probability; rows and columns of zeros do not
            count.

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
    """Return the most that V_between-tokens/V and V_between-sentences/V can be together, ``1 + rho``."""
    return 1 + maximal_correlation(counts)
