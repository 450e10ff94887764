"""Similarity of two representations of the same examples: CKA, its angle, its null, and alignment of neighbourhoods.

A *kernel* is a matrix of similarities of examples, ``Float[n, n]``; of features X it is ``X X^T``. All measures are
computed in float64 on centred kernels and do not depend on additive constants. A measure is NaN where it is undefined:
for a constant kernel (collapsed features), and for fewer examples than its formula needs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from simlab.validation import check_count, invalid

if TYPE_CHECKING:
    from jaxtyping import Float

# A centred kernel below this share of the kernel is rounding: the features have collapsed.
_ROUNDING = 1e-13
# Similarities that differ by less, relative to the largest, are equal: neighbours of equal rank.
TIE = 1e-9
LEAST_SAMPLES, LEAST_UNBIASED = 3, 4


class Null(NamedTuple):
    """A measure of similarity under random pairings of the examples.

    Attributes:
        observed: the measure of the given pairing.
        mean, deviation: mean and standard deviation over random pairings.
        p_value: share of pairings, the given one included, whose measure is at least the observed one.
    """

    observed: float
    mean: float
    deviation: float
    p_value: float


def cka(first: Float[np.ndarray, "n n"], second: Float[np.ndarray, "n n"], *, unbiased: bool = False) -> float:
    """Return the centred kernel alignment of two kernels, 1 for kernels that agree up to scale and constants.

    The biased estimate is ``<HKH, HLH>/(|HKH| |HLH|)`` (Kornblith et al., 2019). For independent features of d
    dimensions it is about ``d/(n + d)``, far from 0 for few examples. The unbiased estimate replaces each product by
    the U-statistic of Song et al. (2012), which omits the diagonal and has mean 0 over independent data.

    Args:
        first: K, symmetric for the unbiased estimate.
        second: L, of the same examples.
        unbiased: whether to use the U-statistic.

    Returns:
        NaN for a constant kernel, for fewer than 3 examples (biased) or 4 (unbiased), and where the U-statistic of a
        kernel with itself is not positive.
    """
    first, second = _check_kernels(first, second)
    if len(first) < (LEAST_UNBIASED if unbiased else LEAST_SAMPLES) or _is_constant(first) or _is_constant(second):
        return np.nan
    product = _unbiased_product if unbiased else _biased_product
    squares = product(first, first), product(second, second)
    if not min(squares) > 0:
        return np.nan
    return float(product(first, second) / np.sqrt(squares[0]) / np.sqrt(squares[1]))


def linear_cka(first: Float[np.ndarray, "n d"], second: Float[np.ndarray, "n e"]) -> float:
    """Return the biased CKA of ``X X^T`` and ``Y Y^T``, as :func:`cka`, without an n x n matrix.

    It uses ``<HXX^TH, HYY^TH> = |X^T H Y|^2``.
    """
    if len(first) != len(second):
        raise invalid("features", f"those of the same {len(first)} examples", len(second))
    if len(first) < LEAST_SAMPLES:
        return np.nan
    sizes = [np.abs(side).max(initial=0.0) for side in (first, second)]
    first, second = (np.asarray(side, float) - np.mean(side, axis=0, dtype=float) for side in (first, second))
    if any(
        not np.abs(side).max(initial=0) > _ROUNDING * size for side, size in zip((first, second), sizes, strict=True)
    ):
        return np.nan
    inner, left, right = (np.linalg.norm(a.T @ b) for a, b in ((first, second), (first, first), (second, second)))
    return float(inner / left * (inner / right))


def kernel_angle(first: Float[np.ndarray, "n n"], second: Float[np.ndarray, "n n"]) -> float:
    """Return ``arccos`` of the biased CKA, radians: a distance on kernels up to scale and constants.

    It is the angle between centred kernels and satisfies the triangle inequality (Williams et al., 2021), unlike
    ``1 - CKA``. It is NaN where CKA is. It is computed from the difference of unit kernels, which is precise at small
    angles.
    """
    first, second = _check_kernels(first, second)
    if len(first) < LEAST_SAMPLES or _is_constant(first) or _is_constant(second):
        return np.nan
    units = [kernel / np.linalg.norm(kernel) for kernel in (centre(first), centre(second))]
    return float(2 * np.arctan2(np.linalg.norm(units[0] - units[1]), np.linalg.norm(units[0] + units[1])))


def permuted_null(
    measure: Callable[[np.ndarray, np.ndarray], float],
    first: Float[np.ndarray, "n n"],
    second: Float[np.ndarray, "n n"],
    *,
    n_permutations: int = 200,
    seed: int = 0,
) -> Null:
    """Return the null distribution of a measure of two kernels under random pairings of the examples.

    Args:
        measure: a function of two kernels, such as :func:`cka`.
        first: K.
        second: L, whose examples are permuted.
        n_permutations: number of random pairings.
        seed: seed of the pairings.

    Returns:
        The observed value and its null distribution; all NaN if the observed value is NaN.
    """
    first, second = _check_kernels(first, second)
    rng, observed = np.random.default_rng(seed), measure(first, second)
    orders = [rng.permutation(len(second)) for _ in range(check_count("n_permutations", n_permutations))]
    values = np.array([measure(first, second[np.ix_(order, order)]) for order in orders])
    if not np.isfinite(observed):
        return Null(np.nan, np.nan, np.nan, np.nan)
    p_value = (1 + np.sum(values >= observed)) / (1 + n_permutations)
    return Null(observed, float(values.mean()), float(values.std()), float(p_value))


def cknna(first: Float[np.ndarray, "n n"], second: Float[np.ndarray, "n n"], k: int) -> float:
    """Return the alignment of two kernels on mutual nearest neighbours (Huh et al., 2024), between -1 and 1.

    ``A(K, L)/sqrt(A(K, K) A(L, L))`` with ``A(K, L) = sum_ij HKH_ij HLH_ij`` over the pairs ``i != j`` that are
    neighbours in both kernels: j is among the k examples most similar to i. Ties with the k-th neighbour are included,
    so that the measure does not depend on the order of the examples.

    Args:
        first: K.
        second: L.
        k: number of neighbours, from 1 to n - 1.

    Returns:
        The alignment; NaN for a constant kernel and for fewer than 3 examples, where neighbours are undefined.

    Raises:
        ValueError: k is out of range.
    """
    first, second = _check_kernels(first, second)
    if len(first) < LEAST_SAMPLES or _is_constant(first) or _is_constant(second):
        return np.nan
    check_count("k", k, 1, len(first) - 1)
    near = [_neighbours(kernel, k) for kernel in (first, second)]
    first, second = centre(first), centre(second)
    products = [
        np.sum(a * b, where=near_a & near_b)
        for a, near_a, b, near_b in (
            (first, near[0], second, near[1]),
            (first, near[0], first, near[0]),
            (second, near[1], second, near[1]),
        )
    ]
    return float(products[0] / np.sqrt(products[1]) / np.sqrt(products[2])) if min(products[1:]) > 0 else np.nan


def centre(kernel: Float[np.ndarray, "n m"]) -> Float[np.ndarray, "n m"]:
    """Return a doubly centred kernel: rows and columns have mean 0."""
    kernel = np.asarray(kernel, float)
    return kernel - kernel.mean(axis=1, keepdims=True) - kernel.mean(axis=0, keepdims=True) + kernel.mean()


def _neighbours(kernel: Float[np.ndarray, "n n"], k: int) -> np.ndarray:
    """Return whether j is at least as similar to i as the k-th of the others, ``Bool[n, n]``."""
    others = np.where(np.eye(len(kernel), dtype=bool), -np.inf, kernel)
    least = -np.partition(-others, k - 1, axis=1)[:, k - 1 : k]
    return others >= least - TIE * np.abs(kernel).max()


def _biased_product(first: Float[np.ndarray, "n n"], second: Float[np.ndarray, "n n"]) -> float:
    """Return ``<HKH, HLH>``."""
    return float(np.sum(centre(first) * centre(second)))


def _unbiased_product(first: Float[np.ndarray, "n n"], second: Float[np.ndarray, "n n"]) -> float:
    """Return ``n(n-3)`` times the U-statistic of Song et al. (2012, equation 5); means are subtracted first."""
    first, second = (kernel - kernel.mean() for kernel in (first, second))
    first, second = (kernel - np.diag(np.diag(kernel)) for kernel in (first, second))
    n, rows, columns = len(first), first.sum(axis=0), second.sum(axis=0)
    return float(
        np.sum(first * second)
        + rows.sum() * columns.sum() / ((n - 1) * (n - 2))
        - 2 * rows @ columns / (n - 2)
    )  # fmt: skip


def _is_constant(kernel: Float[np.ndarray, "n n"]) -> bool:
    """Return whether a centred kernel is zero up to rounding."""
    return not np.abs(centre(kernel)).max() > _ROUNDING * np.abs(kernel).max()


def _check_kernels(first, second) -> tuple[np.ndarray, np.ndarray]:
    """Return two kernels as float64, or raise ``ValueError`` unless they are square and of the same size."""
    first, second = np.asarray(first, float), np.asarray(second, float)
    for kernel in (first, second):
        if kernel.ndim != 2 or kernel.shape[0] != kernel.shape[1] or kernel.shape != first.shape or not kernel.size:
            raise invalid("kernel", "square matrices of the same examples", [first.shape, second.shape])
    return first, second
