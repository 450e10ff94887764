"""The derivative G = dF/dM of the cross-entropy with respect to the matrix M = U W^T, which determines all logits.

    M[(k, l), w] = <u_kl, w>,   h(x)_k = sum_l M[(k, l), x_l],   G[(k, l), w] = sum_n omega_n (p_nk - t_nk) [x_nl = w]

Row (k, l) has index k L + l. G has K L n_w entries (144 MB at K = 1000, L = 15, n_w = 1200); each sentence contributes
to K L of them. It is available as an array, as a matrix-free linear operator, or through its Gram matrix G^T G, summed
over blocks of classes.

W (n_w, d) holds the embeddings, U (K L, d) the classifier vectors.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.linalg import LinearOperator

from theory.optimality.logit_blocks import map_threads
from theory.optimality.sentence_logits import SentenceLogits, score_sentences

if TYPE_CHECKING:
    from jaxtyping import Float, Int


@dataclass(frozen=True, eq=False)
class LogitGradient:
    """G = dF/dM at the network of the `scored` sentences, as an array, a Gram matrix or an operator."""

    scored: SentenceLogits

    @property
    def shape(self) -> tuple[int, int]:
        """The shape (K L, n_w)."""
        return self.scored.n_classes * self.length, len(self.scored.embeddings)

    @property
    def length(self) -> int:
        """The sentence length L."""
        return self.scored.sentences.shape[1]

    @cached_property
    def _occurrences(self) -> csr_array:
        """The matrix (n_w, L N) whose entry (w, (l, n)) is 1 where x_nl = w."""
        words = self.scored.sentences.T.ravel()
        return csr_array((np.ones(words.size), (words, np.arange(words.size))), shape=(self.shape[1], words.size))

    @cached_property
    def _stored_errors(self) -> list[Float[np.ndarray, "N K_block"]] | None:
        """The weighted errors of all blocks, if the logits are stored too."""
        if self.scored.stored is None:
            return None
        return [self.scored.weighted_errors(block) for block in self.scored.class_blocks()]

    def _errors(self) -> Iterator[tuple[slice, np.ndarray]]:
        """Yield each block of classes with its weighted errors (N, K_block)."""
        for i, block in enumerate(self.scored.class_blocks()):
            yield block, self.scored.weighted_errors(block) if self._stored_errors is None else self._stored_errors[i]

    def rows(self, block: slice) -> Float[np.ndarray, "K_block*L n_w"]:
        """Return the rows of a block of classes, (K_block L, n_w)."""
        by_position = self.scored.occurrences.T @ self.scored.weighted_errors(block)
        gradient = by_position.reshape(self.length, self.shape[1], -1)
        return gradient.transpose(2, 0, 1).reshape(-1, self.shape[1])

    def array(self) -> Float[np.ndarray, "K*L n_w"]:
        """Return G, float64 (K L, n_w)."""
        return np.concatenate([self.rows(block) for block in self.scored.class_blocks()])

    def gram(self) -> Float[np.ndarray, "n_w n_w"]:
        """Return G^T G, float64 (n_w, n_w), without forming G."""
        blocks, n_threads = list(self.scored.class_blocks()), self.scored.n_threads
        _ = self.scored.occurrences, self.scored.log_normaliser  # once, before threads share them
        return sum(map_threads(self._gram_of, [blocks[i::n_threads] for i in range(n_threads)]), start=np.zeros(()))

    def _gram_of(self, blocks: Sequence[slice]) -> Float[np.ndarray, "n_w n_w"]:
        """Return the contribution of some blocks of classes to G^T G."""
        total = np.zeros((self.shape[1], self.shape[1]))
        for block in blocks:
            rows = self.rows(block)
            total += rows.T @ rows
        return total

    def squared_columns(self) -> Float[np.ndarray, " n_w"]:
        """Return the squared norm of each column of G, (n_w,): exactly zero for a word that never occurs."""
        squares = ((self.rows(block) ** 2).sum(axis=0) for block in self.scored.class_blocks())
        return sum(squares, start=np.zeros(()))

    def matmat(self, vectors: np.ndarray) -> Float[np.ndarray, "K*L m"]:
        """Return G X for X (n_w, m), by gathering the words and multiplying with the errors of each block."""
        gathered = vectors[self.scored.sentences].reshape(len(self.scored.sentences), -1)
        products = [errors.T @ gathered for _, errors in self._errors()]
        return np.concatenate(products).reshape(self.shape[0], -1)

    def rmatmat(self, vectors: np.ndarray) -> Float[np.ndarray, "n_w m"]:
        """Return G^T Y for Y (K L, m), by multiplying with the errors of each block and scattering to the words."""
        n_columns = vectors.shape[1]
        by_class = vectors.reshape(self.scored.n_classes, -1)
        products = (errors @ by_class[block] for block, errors in self._errors())
        gathered = sum(products, start=np.zeros(()))
        by_position = gathered.reshape(-1, self.length, n_columns).transpose(1, 0, 2)
        return self._occurrences @ by_position.reshape(-1, n_columns)

    def operator(self) -> LinearOperator:
        """Return G as a linear operator, K L x n_w; each product costs N K L multiplications."""
        return LinearOperator(
            self.shape,
            matvec=lambda vector: self.matmat(vector.reshape(-1, 1)).ravel(),
            rmatvec=lambda vector: self.rmatmat(vector.reshape(-1, 1)).ravel(),
            matmat=self.matmat,
            rmatmat=self.rmatmat,
            dtype=np.float64,
        )


def logit_gradient(
    sentences: Int[np.ndarray, "N L"],
    classes: Int[np.ndarray, " N"],
    weights: Float[np.ndarray, " N"] | None,
    embeddings: Float[np.ndarray, "n_w d"],
    classifier: Float[np.ndarray, "K L d"],
    *,
    label_noise: float = 0.0,
    memory_limit: int = 2**29,
    as_operator: bool | None = None,
) -> Float[np.ndarray, "K*L n_w"] | LinearOperator:
    """Return G = dF/dM at a network, with F the weighted cross-entropy (nats).

        G[(k, l), w] = sum_n omega_n (p_nk - t_nk) [x_nl = w]

    Args:
        sentences: word indices in [0, n_w), integers (N, L).
        classes: integers in [0, K), (N,).
        weights: omega >= 0 (N,), summing to 1, or None for 1/N.
        embeddings: W (n_w, d).
        classifier: U (K, L, d).
        label_noise: eps in [0, 1).
        memory_limit: bytes.
        as_operator: True for a linear operator, False for an array, None for an array if it takes at most half of
            `memory_limit`.

    Returns: float64 array or operator of shape (K L, n_w); row (k, l) is k L + l.
    Valid: any sentences and any network without biases. With LayerNorm, pass the normalised embeddings.
    Raises: ValueError, `field: expected ..., got ...`.
    Source: derived here.
    """
    scored = score_sentences(
        sentences, classes, weights, embeddings, classifier, label_noise=label_noise, memory_limit=memory_limit
    )
    gradient = LogitGradient(scored)
    if as_operator is None:
        as_operator = 16 * gradient.shape[0] * gradient.shape[1] > memory_limit
    return gradient.operator() if as_operator else gradient.array()
