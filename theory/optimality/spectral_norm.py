"""Upper bounds on the largest singular value of a matrix or operator.

There are three methods: all singular values (small matrices), the top eigenvalue of the Gram matrix (if it fits into
memory; for the largest singular value, squaring loses no precision), and Lanczos (anything larger). The first two are
exact to rounding. Lanczos finds Ritz pairs (theta_i, v_i) of B = G^T G with a residual rho = |B V - V Theta|. In the
basis of V and its complement B has the blocks Theta, C, D with |C| <= rho, and D is positive with trace
tr B - sum theta_i, so that

    lambda_max(B) <= max(theta_1, tr B - sum_i theta_i) + rho.

If the second argument is the smaller one, theta_1 + rho is a *proven* bound on the largest eigenvalue. Otherwise the
residual shows only that there is an eigenvalue within rho of theta_1, and a larger one may have been missed: unlikely
from a random start, but not impossible. The number of pairs is chosen for the least bound.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.linalg import eigh, svdvals
from scipy.sparse.linalg import LinearOperator, aslinearoperator

if TYPE_CHECKING:
    from jaxtyping import Float

# For matrices with up to this many entries all singular values take less than 0.1 s.
SVD_ENTRIES = 200_000
# Block Lanczos: blocks of 8 columns, at most 320 columns in total; a relative residual that counts as rounding.
_BLOCK_SIZE = 8
_BLOCK_STEPS = 40
_RESIDUAL = 1e-13
METHODS = ("auto", "svd", "gram", "lanczos")


@dataclass(frozen=True, kw_only=True)
class SpectralNorm:
    """The largest singular value: an upper bound, the method, and whether the bound is proven."""

    upper: float
    method: str
    proven: bool


def require_method(method: str) -> str:
    """Return `method` if it is one of `METHODS`, or raise ValueError."""
    if method not in METHODS:
        raise ValueError(f"method: expected one of {', '.join(METHODS)}, got {method!r}")
    return method


def sigma_max(
    matrix: Float[np.ndarray, "m n"] | LinearOperator, *, method: str = "auto", squared_norm: float | None = None
) -> SpectralNorm:
    """Return an upper bound on the largest singular value of a matrix.

    Args:
        matrix: an array (m, n), or a linear operator with products from both sides.
        method: "svd" and "gram" for arrays, "lanczos" for both, or "auto": svd for small arrays, gram for other
            arrays, lanczos for operators.
        squared_norm: the squared Frobenius norm, needed to prove the bound for an operator; computed for an array.

    Returns: the bound, exact to rounding for svd and gram; for lanczos the estimate plus its residual.
    Raises: ValueError for an unknown method, or for svd or gram with an operator.
    Source: the block bound is textbook material (Weyl), see the module's docstring.
    """
    method = require_method(method)
    if not isinstance(matrix, np.ndarray):
        return _sigma_max_of_operator(matrix, method, squared_norm)
    if method == "auto":
        method = "svd" if matrix.size <= SVD_ENTRIES else "gram"
    if min(matrix.shape) == 0:
        return SpectralNorm(upper=0.0, method=method, proven=True)
    if method == "svd":
        return SpectralNorm(upper=float(svdvals(matrix)[0]), method="svd", proven=True)
    if method == "gram":
        tall = matrix if matrix.shape[0] >= matrix.shape[1] else matrix.T
        return sigma_max_of_gram(tall.T @ tall)
    return _lanczos(aslinearoperator(matrix), float(np.sum(matrix**2)))


def _sigma_max_of_operator(operator: LinearOperator, method: str, squared_norm: float | None) -> SpectralNorm:
    """Return a bound on the largest singular value of an operator by block Lanczos, the only method for operators."""
    if method not in ("auto", "lanczos"):
        raise ValueError(f'method: expected "lanczos" for an operator, got {method!r}')
    if min(operator.shape) == 0:
        return SpectralNorm(upper=0.0, method="lanczos", proven=True)
    return _lanczos(operator, squared_norm)


def sigma_max_of_gram(gram: Float[np.ndarray, "n n"]) -> SpectralNorm:
    """Return the largest singular value of G, given G^T G (n, n)."""
    last = len(gram) - 1
    top = eigh(gram, eigvals_only=True, subset_by_index=[last, last])[0] if len(gram) else 0.0
    return SpectralNorm(upper=math.sqrt(max(float(top), 0.0)), method="gram", proven=True)


def _lanczos(matrix: LinearOperator, squared_norm: float | None) -> SpectralNorm:
    """Return a bound on sigma_max by Ritz pairs of the smaller of G^T G and G G^T, from a fixed start block."""
    tall = matrix if matrix.shape[0] >= matrix.shape[1] else matrix.H
    values, residuals = _ritz_pairs(tall)
    top, nearest = values[0], values[0] + residuals[0]
    if squared_norm is not None:
        tails = np.maximum(squared_norm - np.cumsum(values), 0.0)
        bounds = np.maximum(top, tails) + np.sqrt(np.cumsum(residuals**2))
        if np.min(bounds) <= top + _RESIDUAL * squared_norm:
            return SpectralNorm(upper=math.sqrt(np.min(bounds)), method="lanczos", proven=True)
    return SpectralNorm(upper=math.sqrt(nearest), method="lanczos", proven=False)


def _ritz_pairs(tall: LinearOperator) -> tuple[Float[np.ndarray, " k"], Float[np.ndarray, " k"]]:
    """Return the Ritz values of G^T G, largest first, and the norm of the residual of each.

    Every block is orthogonalised against all earlier ones, twice. A singular value is found with its multiplicity, up
    to the size of the block. The iteration ends when the residual of the largest value is rounding, when the space is
    exhausted, or after `_BLOCK_STEPS` steps.
    """
    size = tall.shape[1]
    start = np.random.default_rng(0).normal(size=(size, min(_BLOCK_SIZE, size)))
    basis, images = np.empty((size, 0)), np.empty((size, 0))
    block = np.linalg.qr(start)[0]
    for _ in range(_BLOCK_STEPS):
        image = tall.rmatmat(tall.matmat(block))
        basis, images = np.hstack([basis, block]), np.hstack([images, image])
        projected = basis.T @ images
        values, rotation = np.linalg.eigh(0.5 * (projected + projected.T))
        values, rotation = np.maximum(values[::-1], 0.0), rotation[:, ::-1]
        residuals = np.linalg.norm(images @ rotation - basis @ (rotation * values), axis=0)
        block = _next_block(basis, image)
        if residuals[0] <= _RESIDUAL * values[0] or block.shape[1] == 0:
            break
    return values, residuals


def _next_block(basis: Float[np.ndarray, "n m"], image: Float[np.ndarray, "n k"]) -> Float[np.ndarray, "n j"]:
    """Return an orthonormal basis of the part of `image` outside the span of `basis`, without rounding directions."""
    scale = np.linalg.norm(image)
    for _ in range(2):
        image = image - basis @ (basis.T @ image)
    left, values, _ = np.linalg.svd(image, full_matrices=False)
    new = left[:, values > 1e-14 * scale][:, : basis.shape[0] - basis.shape[1]]
    return np.linalg.qr(new - basis @ (basis.T @ new))[0]
