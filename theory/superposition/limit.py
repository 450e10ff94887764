"""The limit p -> 0 for equal importances and m <= n <= 2m: antipodal pairs and dedicated features, a theorem.

The loss is p^2 (n - m)/3 to leading order; `limit.md` contains the proof. In short: the loss on inputs with one active
feature vanishes only for unit vectors with inner products -c_ij <= 0. The loss of two active features is then
phi(c_ij) = c_ij^2 (2 - c_ij) / 3. Such vectors split into orthogonal components, at least n - m of which are linearly
dependent. A dependent component costs at least 1/3, which only an antipodal pair attains.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from theory.checks import require_integer

if TYPE_CHECKING:
    from jaxtyping import Float


class SparseLimit(NamedTuple):
    """The geometry as p -> 0.

    Args:
        n_pairs: n - m antipodal pairs.
        n_dedicated: 2m - n features, each alone in its dimension.
        dimensionalities: D_i, float64 (n,), largest first.
        loss_coefficient: lim loss / p^2 = (n - m)/3, for importances of one.
    """

    n_pairs: int
    n_dedicated: int
    dimensionalities: Float[np.ndarray, " n"]
    loss_coefficient: float


def sparse_limit(n_features: int, n_hidden: int) -> SparseLimit:
    """Return the geometry of the minimiser as p -> 0.

    Args:
        n_features: n, from m to 2m.
        n_hidden: m, at least 1.

    Returns: the limit. Raises: ValueError for n below m, or above 2m, where the loss is of order p.
    Source: derived and proved here, in `limit.md`.
    """
    n_hidden = require_integer("n_hidden", n_hidden, minimum=1)
    n_features = require_integer("n_features", n_features, minimum=n_hidden)
    if n_features > 2 * n_hidden:
        raise ValueError(f"n_features: expected at most 2 n_hidden = {2 * n_hidden}, got {n_features}")
    n_pairs, n_dedicated = n_features - n_hidden, 2 * n_hidden - n_features
    dimensionalities = np.repeat([1.0, 0.5], [n_dedicated, 2 * n_pairs])
    return SparseLimit(n_pairs, n_dedicated, dimensionalities, n_pairs / 3)


def pair_cost(cosine: Float[np.ndarray, " ..."]) -> Float[np.ndarray, " ..."]:
    """Return phi(c) = c^2 (2 - c)/3, the joint loss of two active unit features with inner product -c in [-1, 0]."""
    return cosine**2 * (2 - cosine) / 3
