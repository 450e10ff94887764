"""Moments of the positive part of a sum of sparse features, in closed form.

For Y = sum_j c_j x_j, with independent x_j that are zero with probability 1 - p and otherwise uniform on [0, 1],

    m_r(t) = E (t + Y)_+^r

follows from one integral, int_0^1 (t + c x)_+^r dx = ((t + c)_+^{r+1} - t_+^{r+1}) / (c (r + 1)), applied once for each
active feature:

    m_r(t) = sum over the 3^q states of  prod_j w_j  r! / (r + a)!  (t + sum of the c_j at their upper end)_+^{r + a}

where feature j is inactive (w_j = 1 - p), at its upper end (w_j = p / c_j) or at its lower end (w_j = -p / c_j), and a
is the number of active features. Features of equal c_j are grouped. The terms alternate in sign, which amplifies
rounding by up to prod_j (2 / |c_j|) r! / (r + q)!: a few tens for the polygons used here, 2e5 for a simplex of twelve.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cached_property
from itertools import product
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from jaxtyping import Float

# Smaller coefficients count as zero: computed cosines of orthogonal vectors are nonzero by rounding.
_NO_INTERFERENCE = 1e-12
_ORDERS = 1, 2, 3


class SparseSum:
    """Y = sum_j c_j x_j of sparse features.

    Args:
        coefficients: c_j; zeros are dropped.
        active_probability: p.
    """

    def __init__(self, coefficients: Sequence[float] | Float[np.ndarray, " q"], active_probability: float):
        self.active_probability = active_probability
        groups: dict[float, int] = {}
        for coefficient in coefficients:
            if abs(coefficient) > _NO_INTERFERENCE:
                key = round(float(coefficient), 12)
                groups[key] = groups.get(key, 0) + 1
        self._groups = groups

    @cached_property
    def _states(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Weight, shift and number of active features of each joint state of the features."""
        states = [self._group_states(coefficient, count) for coefficient, count in self._groups.items()]
        rows = [
            (math.prod(s[0] for s in state), sum(s[1] for s in state), sum(s[2] for s in state))
            for state in product(*states)
        ]
        weights, shifts, n_active = np.array(rows).T
        return weights, shifts, n_active.astype(int)

    def _group_states(self, coefficient: float, count: int) -> list[tuple[float, float, int]]:
        """Return weight, shift and number of active features of each state of `count` features of one coefficient."""
        p = self.active_probability
        states = []
        for upper in range(count + 1):
            for lower in range(count + 1 - upper):
                active = upper + lower
                ways = math.comb(count, active) * math.comb(active, upper)
                weight = ways * (1 - p) ** (count - active) * (p / coefficient) ** active * (-1) ** lower
                states.append((weight, upper * coefficient, active))
        return states

    def positive_moment(self, order: int, threshold: Float[np.ndarray, " ..."]) -> Float[np.ndarray, " ..."]:
        """Return m_r(t) = E (t + Y)_+^r of order r, 1 to 3, at thresholds t of any shape."""
        return self.positive_moments((order,), threshold)[0]

    def positive_moments(
        self, orders: Sequence[int], threshold: Float[np.ndarray, " ..."]
    ) -> Float[np.ndarray, "orders ..."]:
        """Return the moments of several orders; the positive parts are computed once."""
        _, shifts, n_active = self._states
        positive = np.maximum(np.asarray(threshold, float)[..., None] + shifts, 0.0)
        return np.stack([np.sum(self._factors[r] * positive ** (r + n_active), axis=-1) for r in orders])

    @cached_property
    def _factors(self) -> dict[int, Float[np.ndarray, " states"]]:
        """The factor of each state in the moments of each order."""
        weights, _, n_active = self._states
        return {
            r: weights * np.array([math.factorial(r) / math.factorial(r + a) for a in n_active.tolist()])
            for r in _ORDERS
        }
