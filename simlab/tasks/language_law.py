"""A realised language: the arrays that are data to compiled code, shortened sentences, and sentences per class."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from simlab.tasks.batch import AnyArray

if TYPE_CHECKING:
    from jaxtyping import Float, Int


class Sentences(NamedTuple):
    """Sentences of known classes.

    Attributes:
        words: ``Int32[N, L]``, padded after the end.
        classes: ``Int32[N]``.
    """

    words: AnyArray
    classes: AnyArray


class LanguageLaw(NamedTuple):
    """A realisation of :class:`~simlab.tasks.contextual_language.ContextualLanguage`. A pytree of arrays.

    Attributes:
        slots: ``Int32[K, L]``, the concept of each slot of each class.
        word_law: ``Float[w]``, the probability of each word within its concept.
        replacement: the probability that a slot holds a function word.
        priors: ``Float[K]``, the probability of each class.
        evaluation: the sentences on which representations are measured, classes in proportion to their priors.
    """

    slots: AnyArray
    word_law: AnyArray
    replacement: AnyArray
    priors: AnyArray
    evaluation: Sentences


def keep_slots(words: AnyArray, scores: AnyArray, lengths: AnyArray, padding: int) -> AnyArray:
    """Return sentences of given lengths: the slots with the lowest scores, in their original order, then padding.

    Args:
        words: ``Int[N, L]``.
        scores: ``Float[N, L]``, all different within a row.
        lengths: ``Int[N]``.
        padding: the token number after the end.

    Returns:
        ``Int[N, L]``.
    """
    xp = words.__array_namespace__()
    is_kept = xp.argsort(xp.argsort(scores, axis=1), axis=1) < lengths[:, None]
    order = xp.argsort(~is_kept, axis=1, stable=True)
    is_word = xp.arange(words.shape[1])[None, :] < lengths[:, None]
    return xp.where(is_word, xp.take_along_axis(words, order, axis=1), padding)


def allot(priors: Float[np.ndarray, " K"], total: int) -> Int[np.ndarray, " K"]:
    """Return the share of ``total`` of each class by largest remainders, at least two each."""
    wanted = priors * total
    counts = np.maximum(np.floor(wanted).astype(int), 2)
    missing = total - counts.sum()
    if missing > 0:
        counts[np.argsort(counts - wanted, kind="stable")[:missing]] += 1
    return counts
