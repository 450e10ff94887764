"""The best orthogonal sum of regular codes, for features of equal importance.

A sum of codes (k, d) with sum k <= n and sum d <= m costs k f for each code and V for each feature that is dropped.
Which sum is the best is a knapsack of two capacities, solved exactly by dynamic programming over the dimensions.

That the minimiser is such a sum is an ansatz. It was held against the whole network, minimised from 16 to 40 random
starts by L-BFGS on quasi-random inputs, whose loss is uncertain by 5e-4. The multiset of D_i and the loss agreed

* for n <= 2m: (n, m) = (3, 2), (4, 2), (4, 3), (5, 3), (5, 4), (6, 3), (6, 4), (7, 4), with p from 0.1 to 0.9;
* for n > 2m and p >= 0.3: (3, 1), (5, 2), (6, 2), (10, 2), (7, 3), (8, 3), (12, 4);
* in the plane below that: (5, 2), (6, 2), (8, 2), (10, 2), with p from 0.05 to 0.2. At p = 0.01 the polygons of (5, 2),
  (6, 2), (7, 2) and (8, 2) are local minima below which no random start came.

It fails

* for (5, 3) and (6, 3) around p = 0.7, where a square pyramid, of two norms and two biases, is better than the
  tetrahedron by 0.5 % and 0.35 %;
* for (3, 1) at p <= 0.1, where the third feature is not dropped but keeps a short column, for 0.7 % of the loss.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from theory.superposition.code_scales import CodeScale, solve_code_scale
from theory.superposition.codes import Code, describe_mixture, regular_codes
from theory.superposition.task import feature_variance

# A code must save more than this share of V to be used.
_LEAST_SAVING = 1e-12


class Mixture(NamedTuple):
    """An orthogonal sum of codes.

    Args:
        codes: each code with its number, those of the largest D_i first.
        scales: scale, bias and loss of each code.
        n_features, n_hidden: n, m.
        active_probability: p.
    """

    codes: dict[Code, int]
    scales: dict[Code, CodeScale]
    n_features: int
    n_hidden: int
    active_probability: float

    @property
    def n_dropped(self) -> int:
        """Features that no code holds."""
        return self.n_features - sum(code.n_vectors * count for code, count in self.codes.items())

    @property
    def loss(self) -> float:
        """The expected loss, for importances of one."""
        losses = [code.n_vectors * count * self.scales[code].loss for code, count in self.codes.items()]
        return sum(losses) + self.n_dropped * feature_variance(self.active_probability)

    @property
    def geometry(self) -> str:
        """The codes in words."""
        return describe_mixture(self.codes, self.n_dropped)

    def network(self) -> tuple[np.ndarray, np.ndarray]:
        """Return W, block diagonal, float64 (m, n), and b (n,): p/2 for the features that are dropped."""
        weights = np.zeros((self.n_hidden, self.n_features))
        bias = np.full(self.n_features, self.active_probability / 2)
        row = column = 0
        for code, count in self.codes.items():
            scale, block = self.scales[code], code.vectors()
            for _ in range(count):
                columns = slice(column, column + code.n_vectors)
                weights[row : row + code.dim, columns] = np.sqrt(scale.square_norm) * block
                bias[columns] = scale.bias
                row, column = row + code.dim, column + code.n_vectors
        return weights, bias


def best_mixture(n_features: int, n_hidden: int, active_probability: float) -> Mixture:
    """Return the orthogonal sum of regular codes of the least loss.

    Args:
        n_features: n.
        n_hidden: m.
        active_probability: p, below 1.

    Source: derived here; an ansatz, see the module's docstring.
    """
    codes = regular_codes(n_features, n_hidden)
    scales = {code: solve_code_scale(code, active_probability) for code in codes}
    variance = feature_variance(active_probability)
    savings = [code.n_vectors * (1 - scales[code].loss / variance) for code in codes]
    counts = fill_dimensions(codes, savings, n_features, n_hidden)
    used = sorted((code for code in codes if counts[code]), key=lambda code: -code.dim / code.n_vectors)
    return Mixture({code: counts[code] for code in used}, scales, n_features, n_hidden, active_probability)


def fill_dimensions(codes: tuple[Code, ...], savings: list[float], n_features: int, n_hidden: int) -> dict[Code, int]:
    """Return how often each code is used where the sum of savings is largest, sum k <= n and sum d <= m.

    Args:
        codes: each takes k features and d >= 1 dimensions.
        savings: of each code, in the loss of a dropped feature.
        n_features: n.
        n_hidden: m.
    """
    best = np.zeros((n_hidden + 1, n_features + 1))
    last = np.full(best.shape, -1, dtype=np.int8)  # the code that was added, none for -1
    for dim in range(1, n_hidden + 1):
        best[dim] = best[dim - 1]
        for index, (code, saving) in enumerate(zip(codes, savings, strict=True)):
            if code.dim > dim:
                continue
            without = best[dim - code.dim, : n_features + 1 - code.n_vectors]
            row, choice = best[dim, code.n_vectors :], last[dim, code.n_vectors :]
            better = without + saving > row + _LEAST_SAVING
            row[better] = (without + saving)[better]
            choice[better] = index
    counts = dict.fromkeys(codes, 0)
    dim, features = n_hidden, n_features
    while dim > 0:
        index = int(last[dim, features])
        if index < 0:
            dim -= 1
            continue
        counts[codes[index]] += 1
        dim, features = dim - codes[index].dim, features - codes[index].n_vectors
    return counts
