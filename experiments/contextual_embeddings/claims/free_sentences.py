"""Direct minimisation of InfoNCE over free sentence or token vectors: the oracle for the claims on the minimum.

Every batch is enumerated: an anchor, its positive (another sentence of its class, or the same one) and the negatives.
No formula for class means, Gram matrices or simplices enters.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import permutations, product
from typing import NamedTuple

import numpy as np
from scipy.optimize import minimize
from scipy.special import logsumexp, softmax


class End(NamedTuple):
    """The end point of a descent.

    Attributes:
        loss: nats.
        sentences: sentence vectors, ``Float[K, n, d]``, of unit length where the similarity is the cosine.
        tokens: ``Float[K, n, L, d]``, of unit length; free sentences have L = 1.
    """

    loss: float
    sentences: np.ndarray
    tokens: np.ndarray


@dataclass(frozen=True, kw_only=True)
class FreeSentences:
    """The mean InfoNCE loss over all batches, as a function of free token vectors.

    Args:
        n_classes: number of classes K.
        n_sentences: sentences per class, n.
        n_tokens: tokens per sentence, L; the sentence vector is their mean.
        dim: dimension d.
        batch_size: pairs per batch, B.
        repeats_classes: whether the classes of a batch are drawn independently; otherwise they all differ.
        temperature: tau.
        similarity: "dot" or "cosine" of sentence vectors.
    """

    n_classes: int
    n_sentences: int
    batch_size: int
    temperature: float
    n_tokens: int = 1
    dim: int = 6
    repeats_classes: bool = False
    similarity: str = "dot"

    def batches(self) -> np.ndarray:
        """Return all batches, ``Int[R, 1 + B]``: the sentence indices of anchor, positive and negatives."""
        size = self.batch_size
        classes = range(self.n_classes)
        choose = product(classes, repeat=size) if self.repeats_classes else permutations(classes, size)
        rows = [
            (draw[0], *draw, *picks)
            for draw in choose
            for picks in product(range(self.n_sentences), repeat=size + 1)
        ]  # fmt: skip
        table = np.array(rows)
        return table[:, : size + 1] * self.n_sentences + table[:, size + 1 :]

    def descend(self, seed: int) -> End:
        """Minimise the loss by L-BFGS from random tokens and return the end point."""
        shape = (self.n_classes * self.n_sentences, self.n_tokens, self.dim)
        batches = self.batches()
        start = np.random.default_rng(seed).normal(size=shape).ravel()
        optimum = minimize(
            lambda point: self._value(point.reshape(shape), batches),
            start,
            jac=True,
            method="L-BFGS-B",
            options={"maxiter": 2000, "maxfun": 4000, "ftol": 1e-15, "gtol": 1e-10},
        )
        tokens = _unit(optimum.x.reshape(shape))
        means = tokens.mean(1)
        sentences = _unit(means) if self.similarity == "cosine" else means
        count = (self.n_classes, self.n_sentences)
        return End(float(optimum.fun), sentences.reshape(*count, -1), tokens.reshape(*count, self.n_tokens, -1))

    def _value(self, free: np.ndarray, batches: np.ndarray) -> tuple[float, np.ndarray]:
        tokens = _unit(free)
        means = tokens.mean(1)
        vectors = _unit(means) if self.similarity == "cosine" else means
        anchors, others = vectors[batches[:, 0]], vectors[batches[:, 1:]]
        scores = np.einsum("rd,rbd->rb", anchors, others) / self.temperature
        losses = logsumexp(scores, axis=1) - scores[:, 0]
        slopes = softmax(scores, axis=1)
        slopes[:, 0] -= 1
        slopes /= self.temperature * len(batches)
        gradient = np.zeros_like(vectors)
        np.add.at(gradient, batches[:, 0], np.einsum("rb,rbd->rd", slopes, others))
        np.add.at(gradient, batches[:, 1:], slopes[:, :, None] * anchors[:, None])
        if self.similarity == "cosine":
            gradient = _through_unit(gradient, means)
        return float(losses.mean()), _through_unit(
            np.broadcast_to(gradient[:, None] / self.n_tokens, tokens.shape), free
        ).ravel()


def intra_similarity(end: End) -> float:
    """Return the mean cosine between a token and the mean of its sentence."""
    means = end.tokens.mean(2, keepdims=True)
    return float(np.mean(np.sum(end.tokens * _unit(means), axis=-1)))


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


def _through_unit(gradient: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    """Return the gradient with respect to vectors, given the gradient with respect to their directions."""
    unit = _unit(vectors)
    tangent = gradient - np.sum(gradient * unit, axis=-1, keepdims=True) * unit
    return tangent / np.linalg.norm(vectors, axis=-1, keepdims=True)
