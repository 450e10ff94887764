"""The best orthogonal sum of codes, for features of equal importance.

A sum of codes (k, d) with sum k <= n and sum d <= m costs the loss of each code, plus V for each dropped feature. The
best sum is the solution of a knapsack problem with two capacities, solved exactly by dynamic programming over the
dimensions.

That the minimiser is such a sum is an ansatz. It was compared with the unrestricted network, minimised from 16 to 40
random starts by L-BFGS on quasi-random inputs; the error of that loss is 5e-4. The multiset of D_i and the loss agreed

* for n <= 2m: (n, m) = (3, 2), (4, 2), (4, 3), (5, 3), (5, 4), (6, 3), (6, 4), (7, 4), with p from 0.1 to 0.9;
* for n > 2m and p >= 0.3: (3, 1), (5, 2), (6, 2), (10, 2), (7, 3), (8, 3), (12, 4);
* in the plane for smaller p: (5, 2), (6, 2), (8, 2), (10, 2), with p from 0.05 to 0.2. At p = 0.01 the polygons of
  (5, 2), (6, 2), (7, 2) and (8, 2) are local minima, and no random start reached a lower loss.

The ansatz fails for (3, 1) at p <= 0.1, where the third feature is not dropped but keeps a short column, which changes
the loss by 0.7 %. Simplices of more than twelve features are left out; for p >= 0.5 and n slightly above m > 11 a
larger one would have a slightly smaller loss.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np

from theory.superposition.codes import describe_mixture
from theory.superposition.parts import Part, list_parts
from theory.superposition.task import feature_variance

# A code must save more than this share of V to be used.
_LEAST_SAVING = 1e-12


class _Shape(Protocol):
    """The size of a code in the knapsack problem: its numbers of features and dimensions."""

    @property
    def n_vectors(self) -> int: ...

    @property
    def dim(self) -> int: ...


class Mixture(NamedTuple):
    """An orthogonal sum of codes.

    Args:
        parts: each code with its multiplicity, the largest d / k first.
        n_features, n_hidden: n, m.
        active_probability: p.
    """

    parts: tuple[tuple[Part, int], ...]
    n_features: int
    n_hidden: int
    active_probability: float

    @property
    def n_dropped(self) -> int:
        """The number of features in no code."""
        return self.n_features - sum(part.n_vectors * count for part, count in self.parts)

    @property
    def loss(self) -> float:
        """The expected loss, for importances of one."""
        dropped = self.n_dropped * feature_variance(self.active_probability)
        return sum(part.loss * count for part, count in self.parts) + dropped

    @property
    def geometry(self) -> str:
        """The codes in words."""
        return describe_mixture({part.name: count for part, count in self.parts}, self.n_dropped)

    def network(self) -> tuple[np.ndarray, np.ndarray]:
        """Return W, block diagonal, float64 (m, n), and b (n,), which is p/2 for dropped features."""
        weights = np.zeros((self.n_hidden, self.n_features))
        bias = np.full(self.n_features, self.active_probability / 2)
        row = column = 0
        for part, count in self.parts:
            for _ in range(count):
                end = column + part.n_vectors
                weights[row : row + part.dim, column:end] = part.weights
                bias[column:end] = part.bias
                row, column = row + part.dim, end
        return weights, bias


def best_mixture(n_features: int, n_hidden: int, active_probability: float) -> Mixture:
    """Return the orthogonal sum of codes with the least loss.

    Args:
        n_features: n.
        n_hidden: m.
        active_probability: p.

    Source: derived here; an ansatz, see the module's docstring.
    """
    parts = list_parts(n_features, n_hidden, active_probability)
    variance = feature_variance(active_probability)
    savings = [part.n_vectors - part.loss / variance for part in parts]
    counts = fill_dimensions(parts, savings, n_features, n_hidden)
    used = [(part, count) for part, count in zip(parts, counts, strict=True) if count]
    used.sort(key=lambda pair: -pair[0].dim / pair[0].n_vectors)
    return Mixture(tuple(used), n_features, n_hidden, active_probability)


def fill_dimensions(codes: Sequence[_Shape], savings: Sequence[float], n_features: int, n_hidden: int) -> list[int]:
    """Return the multiplicity of each code that maximises the total saving, given sum k <= n and sum d <= m.

    Args:
        codes: each takes k features and d >= 1 dimensions.
        savings: saving of each code, in units of the loss of a dropped feature.
        n_features: n.
        n_hidden: m.
    """
    best = np.zeros((n_hidden + 1, n_features + 1))
    last = np.full(best.shape, -1, dtype=np.int8)  # index of the last code added; -1 for none
    for dim in range(1, n_hidden + 1):
        best[dim] = best[dim - 1]
        for index, (code, saving) in enumerate(zip(codes, savings, strict=True)):
            if code.dim > dim:
                continue
            with_code = best[dim - code.dim, : n_features + 1 - code.n_vectors] + saving
            row, choice = best[dim, code.n_vectors :], last[dim, code.n_vectors :]
            better = with_code > row + _LEAST_SAVING
            row[better] = with_code[better]
            choice[better] = index
    return _trace_back(codes, last)


def _trace_back(codes: Sequence[_Shape], last: np.ndarray) -> list[int]:
    """Return how often each code was added in the optimum for all features and dimensions."""
    counts = [0] * len(codes)
    dim, features = last.shape[0] - 1, last.shape[1] - 1
    while dim > 0:
        index = int(last[dim, features])
        if index < 0:
            dim -= 1
            continue
        counts[index] += 1
        dim, features = dim - codes[index].dim, features - codes[index].n_vectors
    return counts
