"""Collapsed tokens of a finite sample: similarities from counts of pairs, without sampling error.

For N tokens with words t_i, classes k_i and sentences s_i the cosine of two collapsed tokens is ``G[k_i, k_j]``. With
n_tk the number of tokens of word t in class k, and G of unit diagonal,

    sum of the cosines over all i, j of word t  =  n_t^T G n_t,     of which the terms i = j give  n_t,

and likewise over all tokens, over sentences, and over words within sentences. The values of metrics on these tokens
(self-similarity over different occurrences, anisotropy over different words in different sentences) follow exactly.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from theory.contextual_embeddings.posteriors import simplex_gram

if TYPE_CHECKING:
    from jaxtyping import Float, Int


@dataclass(frozen=True, kw_only=True, eq=False)
class SampleStatistics:
    """Statistics of collapsed tokens of a sample, in units of Q.

    Args:
        counts: n_t, occurrences of each word, float64 (n_words,).
        mean_share: M_t/Q = |mean of the occurrences|^2/Q, float64 (n_words,); NaN for a word that does not occur.
        self_similarity: mean cosine of two different occurrences, float64 (n_words,); NaN below two occurrences.
        anisotropy: mean cosine of tokens of different words in different sentences; NaN if there are none.
        whole_share: M/Q of all tokens.
        between_words: variance between words over Q, ``sum_t (n_t/N) M_t/Q - M/Q``.
        between_sentences: variance between sentences over Q, ``1 - M/Q``: tokens of a sentence are equal.
        cramers_v2: mean of `self_similarity` over tokens of words that occur at least twice: no sampling bias.
    """

    counts: Float[np.ndarray, " t"]
    mean_share: Float[np.ndarray, " t"]
    self_similarity: Float[np.ndarray, " t"]
    anisotropy: float
    whole_share: float
    between_words: float
    between_sentences: float
    cramers_v2: float


def sample_statistics(
    words: Int[np.ndarray, " N"],
    classes: Int[np.ndarray, " N"],
    sentences: Int[np.ndarray, " N"],
    *,
    n_words: int,
    n_classes: int,
    class_gram: Float[np.ndarray, "K K"] | None = None,
) -> SampleStatistics:
    """Return the statistics of N collapsed tokens; the arrays exclude masked positions.

    Args:
        words: t_i, the word of each token.
        classes: k_i, the class of its sentence.
        sentences: s_i, any integer label of its sentence.
        n_words: size of the vocabulary.
        n_classes: K.
        class_gram: G, unit diagonal; None for the simplex.

    Raises: ValueError, one line that names the field.
    """
    words, classes, sentences = (np.asarray(labels) for labels in (words, classes, sentences))
    _check("words", words, len(words), n_words)
    _check("classes", classes, len(words), n_classes)
    _check("sentences", sentences, len(words), None)
    gram = simplex_gram(n_classes) if class_gram is None else np.asarray(class_gram, float)
    table = np.zeros((n_words, n_classes))
    np.add.at(table, (words, classes), 1.0)
    counts, size = table.sum(1), float(len(words))
    same_word = np.einsum("tk,kl,tl->t", table, gram, table)
    whole = table.sum(0) @ gram @ table.sum(0)
    repeated = np.where(counts >= 2, counts, 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        similarity = np.where(counts >= 2, (same_word - counts) / (counts * (counts - 1)), np.nan)
        mean_share = np.where(counts > 0, same_word / counts**2, np.nan)
        cramer = np.sum(repeated * np.nan_to_num(similarity)) / np.sum(repeated)  # words with one occurrence weigh 0
    occurring = counts > 0
    return SampleStatistics(
        counts=counts,
        mean_share=mean_share,
        self_similarity=similarity,
        anisotropy=_anisotropy(words, sentences, whole, same_word.sum(), counts),
        whole_share=float(whole / size**2),
        between_words=float(counts[occurring] @ mean_share[occurring] / size - whole / size**2),
        between_sentences=float(1 - whole / size**2),
        cramers_v2=float(cramer),
    )


def _anisotropy(words, sentences, whole: float, same_word: float, counts) -> float:
    """Return the mean cosine over pairs of different words in different sentences, by inclusion and exclusion."""
    _, index = np.unique(sentences, return_inverse=True)
    lengths = np.bincount(index).astype(float)
    _, cells = np.unique(index.astype(np.int64) * (int(words.max()) + 1) + words, return_counts=True)
    within_sentence, within_both = np.sum(lengths**2), np.sum(cells.astype(float) ** 2)  # cosines there are 1
    n_pairs = len(words) ** 2 - np.sum(counts**2) - within_sentence + within_both
    return float((whole - same_word - within_sentence + within_both) / n_pairs) if n_pairs else float("nan")


def _check(field: str, labels: np.ndarray, size: int, bound: int | None) -> None:
    if labels.ndim != 1 or not len(labels) or len(labels) != size or not np.issubdtype(labels.dtype, np.integer):
        raise ValueError(f"{field}: expected {size or 'some'} integers, one for each token, got shape {labels.shape}")
    if bound is not None and not 0 <= labels.min() <= labels.max() < bound:
        raise ValueError(f"{field}: expected numbers from 0 to {bound - 1}, got {labels.min()} to {labels.max()}")
