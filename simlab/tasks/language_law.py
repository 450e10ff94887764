"""A realised language: what is data to the compiled code, and how sentences are shortened and shared out by class."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from simlab.tasks.batch import AnyArray

if TYPE_CHECKING:
    from jaxtyping import Float, Int


class Sentences(NamedTuple):
    """Sentences of known classes.

    Attributes:
        words: ``Int32[N, L]``, padded behind the end.
        classes: ``Int32[N]``.
    """

    words: AnyArray
    classes: AnyArray


class LanguageLaw(NamedTuple):
    """A realisation of :class:`~simlab.tasks.contextual_language.ContextualLanguage`. A pytree of arrays.

    Attributes:
        slots: ``Int32[K, L]``, the concept that each slot of a class is meant for.
        word_law: ``Float[w]``, the probability of each word within its concept.
        replacement: the probability that a slot holds a function word.
        priors: ``Float[K]``, the probability of each class.
        evaluation: the sentences on which representations are measured, each class as often as its prior says.
    """

    slots: AnyArray
    word_law: AnyArray
    replacement: AnyArray
    priors: AnyArray
    evaluation: Sentences


def keep_slots(words: AnyArray, scores: AnyArray, lengths: AnyArray, padding: int) -> AnyArray:
    """Return sentences of given lengths: the slots of the lowest scores, in their order, and padding behind them.

    Args:
        words: ``Int[N, L]``.
        scores: ``Float[N, L]``, all different within a row.
        lengths: ``Int[N]``.
        padding: what stands behind the end.
    """
    xp = words.__array_namespace__()
    is_kept = xp.argsort(xp.argsort(scores, axis=1), axis=1) < lengths[:, None]
    order = xp.argsort(~is_kept, axis=1, stable=True)
    is_word = xp.arange(words.shape[1])[None, :] < lengths[:, None]
    return xp.where(is_word, xp.take_along_axis(words, order, axis=1), padding)


def allot(priors: Float[np.ndarray, " K"], total: int) -> Int[np.ndarray, " K"]:
    """Return how many of ``total`` each class has: two each, and the rest by largest remainders."""
    wanted = priors * total
    counts = np.maximum(np.floor(wanted).astype(int), 2)
    missing = total - counts.sum()
    if missing > 0:
        counts[np.argsort(counts - wanted, kind="stable")[:missing]] += 1
    return counts
