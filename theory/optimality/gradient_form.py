"""Representations of dF/dM for bounds on its spectral norm: an array, its Gram matrix, or an operator.

LayerNorm needs the norm of G diag(alpha)^{-1/2} for several alpha, and products with G^T G; all representations provide
both.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import diags_array
from scipy.sparse.linalg import LinearOperator, aslinearoperator

from theory.optimality.logit_gradient import LogitGradient
from theory.optimality.sentence_logits import SentenceLogits
from theory.optimality.spectral_norm import SVD_ENTRIES, SpectralNorm, require_method, sigma_max, sigma_max_of_gram

if TYPE_CHECKING:
    from jaxtyping import Float

# Largest number of multiplications for a Gram matrix: about 20 s on two cores.
_GRAM_PRODUCTS = 1e12


@dataclass(frozen=True, kw_only=True, eq=False)
class GradientForm:
    """G = dF/dM (K L, n_w) in one of three representations; created by `gradient_form`.

    Args:
        data: G ("svd"), G^T G ("gram") or a linear operator for G ("lanczos").
        method: which of the three.
        squared_columns: squared norms of the columns of G (n_w,).
    """

    data: np.ndarray | LinearOperator
    method: str
    squared_columns: Float[np.ndarray, " n_w"]

    def sigma_max(self, alpha: Float[np.ndarray, " n_w"] | None = None) -> SpectralNorm:
        """Return a bound on the norm of G, or of G diag(alpha)^{-1/2} without the words for which alpha is zero."""
        scale = np.ones(len(self.squared_columns)) if alpha is None else _inverse_root(alpha)
        if self.method == "svd":
            return sigma_max(self.data * scale, method="svd")
        if self.method == "gram":
            return sigma_max_of_gram(self.data * scale * scale[:, None])
        scaled = self.data @ aslinearoperator(diags_array(scale))
        return sigma_max(scaled, method="lanczos", squared_norm=float(self.squared_columns @ scale**2))

    def gram_product(self, vectors: Float[np.ndarray, "n_w d"]) -> Float[np.ndarray, "n_w d"]:
        """Return G^T G V for V (n_w, d)."""
        if self.method == "gram":
            return self.data @ vectors
        return self.data.T @ (self.data @ vectors)

    def multipliers(self, vectors: Float[np.ndarray, "n_w d"], weight_decay: float) -> Float[np.ndarray, " n_w"]:
        """Return alpha_w = |(G^T G V)_w| / (lam sqrt(d)), but at least |G_w|^2 / lam, as is every feasible alpha.

        Args:
            vectors: V (n_w, d) with rows of norm sqrt(d).
            weight_decay: lam > 0.

        Returns: alpha (n_w,), zero only where G_w is.
        """
        lengths = np.linalg.norm(self.gram_product(vectors), axis=1) / np.sqrt(vectors.shape[1])
        return np.maximum(lengths, self.squared_columns) / weight_decay

    def ascend(self, vectors: Float[np.ndarray, "n_w d"]) -> Float[np.ndarray, "n_w d"]:
        """Return G^T G V with rows rescaled to sqrt(d), which never lowers |G V|; zero rows keep those of V."""
        product = self.gram_product(vectors)
        lengths = np.linalg.norm(product, axis=1, keepdims=True)
        scaled = np.divide(product, lengths, out=np.zeros_like(product), where=lengths > 0) * np.sqrt(vectors.shape[1])
        return np.where(lengths > 0, scaled, vectors)


def gradient_form(scored: SentenceLogits, method: str, memory_limit: int) -> GradientForm:
    """Return the representation that the method needs; "auto" takes the first affordable of svd, gram and lanczos."""
    gradient = LogitGradient(scored)
    method = require_method(method)
    if method == "auto":
        method = _affordable(gradient.shape, memory_limit)
    if method == "svd":
        array = gradient.array()
        return GradientForm(data=array, method=method, squared_columns=(array**2).sum(axis=0))
    if method == "gram":
        gram = gradient.gram()
        return GradientForm(data=gram, method=method, squared_columns=np.diag(gram).copy())
    return GradientForm(data=gradient.operator(), method=method, squared_columns=gradient.squared_columns())


def _affordable(shape: tuple[int, int], memory_limit: int) -> str:
    """Return the first of the three methods within the limits of memory and time."""
    n_rows, n_words = shape
    if n_rows * n_words <= min(SVD_ENTRIES, memory_limit / 16):
        return "svd"
    fits = 32 * n_words**2 <= memory_limit and n_rows * n_words**2 <= _GRAM_PRODUCTS
    return "gram" if fits else "lanczos"


def _inverse_root(alpha: Float[np.ndarray, " n_w"]) -> Float[np.ndarray, " n_w"]:
    """Return alpha^{-1/2}, and 0 where alpha is 0."""
    return np.divide(1.0, np.sqrt(alpha), out=np.zeros_like(alpha), where=alpha > 0)
