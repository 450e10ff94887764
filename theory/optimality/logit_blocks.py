"""Logits of weighted sentences in blocks of classes, stored in memory or recomputed at each use.

A block of classes is processed in chunks of sentences, whose arrays fit into the cache of a core.

W (n_w, d) holds the embeddings, U (K, L, d) the classifier vectors.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from scipy.sparse import csr_array

if TYPE_CHECKING:
    from jaxtyping import Float, Int

# Entries of a block of classes, and of a block of word vectors (64 MB).
_BLOCK_ENTRIES = 2**23
_CHUNK_ENTRIES = 2**16  # entries of a chunk of sentences (512 KB)
# With this many logits or more, a pass takes longer than starting threads; each thread has its own block in memory.
_THREADED_ENTRIES = 2**24
_MOST_THREADS = 4

PartT = TypeVar("PartT")
ResultT = TypeVar("ResultT")


@dataclass(frozen=True, kw_only=True, eq=False)
class LogitBlocks:
    """Sentences with the logits of a network h(x)_k = sum_l <u_kl, w_{x_l}>, in blocks of classes.

    Args:
        sentences, classes, weights: word indices (N, L), classes (N,), and omega > 0 (N,), which sums to 1.
        embeddings, classifier: float64 (n_w, d) and (K, L, d).
        label_noise: eps.
        stored: the logits (N, K), or None if they are recomputed at each use.
    """

    sentences: Int[np.ndarray, "N L"]
    classes: Int[np.ndarray, " N"]
    weights: Float[np.ndarray, " N"]
    embeddings: Float[np.ndarray, "n_w d"]
    classifier: Float[np.ndarray, "K L d"]
    label_noise: float
    stored: Float[np.ndarray, "N K"] | None

    @property
    def n_classes(self) -> int:
        """The number K of classes."""
        return len(self.classifier)

    @cached_property
    def occurrences(self) -> csr_array:
        """The matrix (N, L n_w) whose entry (n, (l, w)) is 1 where x_nl = w."""
        n_sentences, length = self.sentences.shape
        n_columns = length * len(self.embeddings)
        index = np.int32 if max(self.sentences.size, n_columns) < 2**31 else np.int64
        offsets = len(self.embeddings) * np.arange(length)
        columns = np.add(self.sentences, offsets, dtype=index, casting="same_kind").ravel()
        starts = np.arange(0, columns.size + 1, length, dtype=index)
        return csr_array((np.ones(columns.size), columns, starts), shape=(n_sentences, n_columns))

    def _occurrences_in(self, rows: slice) -> csr_array:
        """Return a slice of rows of `occurrences` without a copy."""
        every, length = self.occurrences, self.sentences.shape[1]
        entries, count = slice(rows.start * length, rows.stop * length), rows.stop - rows.start
        parts = every.data[entries], every.indices[entries], every.indptr[: count + 1]
        return csr_array(parts, shape=(count, every.shape[1]))

    @property
    def n_threads(self) -> int:
        """The number of threads that share a pass over all logits."""
        large = len(self.sentences) * self.n_classes >= _THREADED_ENTRIES
        return min(os.cpu_count() or 1, _MOST_THREADS) if large else 1

    def split(self) -> list[LogitBlocks]:
        """Return the sentences split into one part per thread."""
        ends = np.linspace(0, len(self.sentences), self.n_threads + 1).astype(int).tolist()
        return [self._part(slice(*pair)) for pair in pairwise(ends)]

    def _part(self, rows: slice) -> LogitBlocks:
        stored = None if self.stored is None else self.stored[rows]
        return replace(
            self,
            sentences=self.sentences[rows],
            classes=self.classes[rows],
            weights=self.weights[rows],
            stored=stored,
        )

    def class_blocks(self) -> Iterator[slice]:
        """Yield slices of classes, so small that their logits and their rows of dF/dM fit into one block."""
        widest = max(len(self.sentences), self.sentences.shape[1] * len(self.embeddings))
        size = max(1, _BLOCK_ENTRIES // widest)
        for start in range(0, self.n_classes, size):
            yield slice(start, min(start + size, self.n_classes))

    def chunks(self, block: slice) -> Iterator[tuple[slice, Float[np.ndarray, "n K_block"]]]:
        """Yield slices of sentences with their logits (n, K_block) for a block of classes, which may be overwritten.

        If there are more sentences than words, the scores of each word at each position (L n_w, K_block) are computed
        once and summed by a product with the sparse occurrences.
        """
        n_sentences, n_columns = len(self.sentences), block.stop - block.start
        weights = self.classifier[block].reshape(n_columns, -1)
        size = max(1, min(_CHUNK_ENTRIES // n_columns, _BLOCK_ENTRIES // weights.shape[1]))
        rows = [slice(start, min(start + size, n_sentences)) for start in range(0, n_sentences, size)]
        if self.stored is not None:
            yield from ((part, self.stored[part, block].copy()) for part in rows)
        elif n_sentences > len(self.embeddings):
            scores = np.matmul(self.embeddings, self.classifier[block].transpose(1, 2, 0)).reshape(-1, n_columns)
            yield from ((part, self._occurrences_in(part) @ scores) for part in rows)
        else:
            yield from (
                (part, self.embeddings[self.sentences[part]].reshape(-1, weights.shape[1]) @ weights.T) for part in rows
            )

    def logits(self) -> Float[np.ndarray, "N K"]:
        """Return all logits (N, K)."""
        logits = np.empty((len(self.sentences), self.n_classes))
        for block in self.class_blocks():
            for rows, part in self.chunks(block):
                logits[rows, block] = part
        return logits

    def own_entries(self, rows: slice, block: slice) -> tuple[Int[np.ndarray, " n"], Int[np.ndarray, " n"]]:
        """Return row and column, within a chunk, of the true classes that are in the block."""
        columns = self.classes[rows] - block.start
        inside = np.flatnonzero((columns >= 0) & (columns < block.stop - block.start))
        return inside, columns[inside]


def map_threads(function: Callable[[PartT], ResultT], parts: Sequence[PartT]) -> list[ResultT]:
    """Return the value of a function at each part, with one thread per part; NumPy and SciPy release the GIL."""
    if len(parts) == 1:
        return [function(parts[0])]
    with ThreadPoolExecutor(len(parts)) as pool:
        return list(pool.map(function, parts))
