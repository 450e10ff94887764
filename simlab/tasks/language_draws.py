"""Sentences of a :class:`~simlab.tasks.contextual_language.ContextualLanguage`, drawn on the device."""

from __future__ import annotations

from typing import TYPE_CHECKING

import jax
import jax.numpy as jnp

from simlab.tasks.language_law import LanguageLaw, keep_slots

if TYPE_CHECKING:
    from jaxtyping import Array, Int

    from simlab.tasks.contextual_language import ContextualLanguage


def draw_classes(key: jax.Array, law: LanguageLaw, size: int, *, repeats: bool) -> Int[Array, " B"]:
    """Return the classes of a batch: independent draws from the priors, or uniform draws without replacement."""
    n_classes = len(law.slots)
    if not repeats:
        return jax.random.permutation(key, n_classes)[:size].astype(jnp.int32)
    return _draw_from(key, law.priors, (size,)).astype(jnp.int32)


def draw_sentences(
    key: jax.Array, task: ContextualLanguage, law: LanguageLaw, classes: Int[Array, " B"]
) -> Int[Array, "B L"]:
    """Return one sentence for each entry of ``classes``, padded after its end."""
    rank_key, replace_key, function_key, length_key, slot_key = jax.random.split(key, 5)
    concepts = jnp.asarray(law.slots)[classes]
    words = concepts * task.words_per_concept + _draw_from(rank_key, law.word_law, concepts.shape)
    if task.function_words:
        others = task.n_concepts * task.words_per_concept
        others = others + jax.random.randint(function_key, words.shape, 0, task.function_words)
        words = jnp.where(jax.random.uniform(replace_key, words.shape) < law.replacement, others, words)
    if task.shortest is not None:
        lengths = jax.random.randint(length_key, classes.shape, task.shortest, task.sentence_length + 1)
        words = keep_slots(words, jax.random.uniform(slot_key, words.shape), lengths, task.padding)
    return words.astype(jnp.int32)


def _draw_from(key: jax.Array, law: jax.Array, shape: tuple[int, ...]) -> jax.Array:
    """Draw indices from a law, ``Float[n]``, by inversion of its cumulative distribution."""
    # The last cumulative sum may round to below 1, which must not give an index of n.
    return jnp.searchsorted(jnp.cumsum(jnp.asarray(law))[:-1], jax.random.uniform(key, shape), side="right")
