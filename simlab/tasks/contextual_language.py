"""A language in which the class of a sentence is latent, and a word has its meaning from its distribution over classes.

A sentence of class ``k`` has ``L`` slots. Each slot has a concept: the class's own (*exclusive*), or one that ``s``
neighbouring classes share; classes ``k`` and ``k'`` share if ``floor(k/s) = floor(k'/s)``. A slot holds a word of its
concept, drawn from the word frequencies, or with probability ``r`` one of a few *function words*, which all classes use
alike. In a shorter sentence random slots are left out; the others keep their order.

The exact joint distribution of word and class follows, :meth:`ContextualLanguage.word_joint`, and with it
``p(k | word)``.

Words are numbered concept by concept, function words last. After them come three special tokens: ``padding`` after the
end of a short sentence, ``masked`` in place of a word to be predicted, and ``leading``, the first token of an encoder
that reads the sentence from it (CLS).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from simlab.sizes import check_array
from simlab.tasks.language_law import LanguageLaw, Sentences, allot, keep_slots
from simlab.tasks.pairs import PairTask, ViewPair
from simlab.tasks.word_law import WordFrequency, word_frequencies
from simlab.validation import check_count, check_real, invalid

if TYPE_CHECKING:
    import jax
    from jaxtyping import Float, Int

FUNCTION = "function"  # the kind of function words


@dataclass(frozen=True, kw_only=True)
class ContextualLanguage(PairTask):
    """The static part of the task.

    Args:
        n_classes: ``K``, at least 2.
        exclusive: number of slots with the class's own concept.
        shared: pairs ``(n, s)``: ``n`` slots with a concept that ``s`` classes share; ``s`` divides ``K``.
        function_words: number of function words, drawn uniformly; at least 1 unless ``replacement`` is 0.
        replacement: ``r``, the probability that a slot holds a function word.
        words_per_concept: ``w``.
        word_frequency: the law of word frequencies within a concept, as in :mod:`simlab.tasks.word_law`.
        class_priors: ``K`` positive numbers that sum to 1; None for equal priors.
        shortest: the smallest length of a sentence, which is uniform from there to ``L``; None for always ``L``.
        repeats_classes: whether the classes of a batch are independent draws; otherwise they all differ.
        n_evaluation: number of sentences on which representations are measured.
        evaluation_seed: seed of these sentences, so that all seeds of a run are measured on the same ones.

    Raises:
        ValueError: a field is out of range, or two classes have the same content; the message names the field.
    """

    n_classes: int = 24
    exclusive: int = 3
    shared: tuple[tuple[int, int], ...] = ((3, 3), (2, 8))
    function_words: int = 4
    replacement: float = 0.2
    words_per_concept: int = 8
    word_frequency: WordFrequency = "zipf"
    class_priors: tuple[float, ...] | None = None
    shortest: int | None = None
    repeats_classes: bool = False
    n_evaluation: int = 384
    evaluation_seed: int = 0
    evaluations: ClassVar[tuple[str, ...]] = ()

    def __post_init__(self):
        check_count("n_classes", self.n_classes, 2)
        check_count("exclusive", self.exclusive, 0)
        check_count("words_per_concept", self.words_per_concept)
        word_frequencies(self.word_frequency, self.words_per_concept)
        self._check_shared()
        if not self.sentence_length:
            raise invalid("exclusive", "at least 1 where nothing is shared, as a class needs content", self.exclusive)
        if len({tuple(row) for row in self.slots().tolist()}) < self.n_classes:
            raise invalid("exclusive", "at least 1 where some classes share all other concepts", 0)
        if check_real("replacement", self.replacement) >= 1:
            raise invalid("replacement", "a probability below 1, as a class needs content", self.replacement)
        check_count("function_words", self.function_words, 1 if self.replacement else 0)
        if self.class_priors is not None:
            self._check_priors(self.class_priors)
        if self.shortest is not None:
            check_count("shortest", self.shortest, 1, self.sentence_length)
        check_count("n_evaluation", self.n_evaluation, 2 * self.n_classes)
        check_count("evaluation_seed", self.evaluation_seed, 0)
        check_array("evaluation", 4, n_evaluation=self.n_evaluation, sentence_length=self.sentence_length)
        check_array("word law", 8, n_words=self.n_words, n_classes=self.n_classes)

    def _check_shared(self) -> None:
        for share in self.shared:
            if len(share) != 2:
                raise invalid("shared", "pairs of slots and classes, such as 3:3", share)
            check_count("shared", share[0])
            if self.n_classes % check_count("shared", share[1], 2):
                raise invalid("shared", f"classes that divide n_classes={self.n_classes}", share[1])

    def _check_priors(self, priors: tuple[float, ...]) -> None:
        if len(priors) != self.n_classes:
            raise invalid("class_priors", f"{self.n_classes} numbers, one for each class", len(priors))
        for prior in priors:
            check_real("class_priors", prior, positive=True)
        if abs(sum(priors) - 1) > 1e-6:
            raise invalid("class_priors", "numbers that sum to 1", sum(priors))
        if not self.repeats_classes and max(priors) - min(priors) > 1e-9:
            raise invalid("class_priors", "equal ones where each class of a batch differs", max(priors))

    @property
    def sentence_length(self) -> int:
        """``L``, the number of slots of a sentence."""
        return self.exclusive + sum(n_slots for n_slots, _ in self.shared)

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of words, in the order of their numbers; function words last."""
        own = ("exclusive",) if self.exclusive else ()
        last = (FUNCTION,) if self.function_words else ()
        return (*own, *(f"shared_by_{n_sharing}" for _, n_sharing in self.shared), *last)

    @property
    def concepts_by_kind(self) -> tuple[int, ...]:
        """The number of concepts of each kind of content words."""
        own = (self.n_classes,) if self.exclusive else ()
        return (*own, *(self.n_classes // n_sharing for _, n_sharing in self.shared))

    @property
    def n_concepts(self) -> int:
        """The number of concepts of content words."""
        return sum(self.concepts_by_kind)

    @property
    def n_words(self) -> int:
        """The number of words, content and function words together."""
        return self.n_concepts * self.words_per_concept + self.function_words

    @property
    def padding(self) -> int:
        """The token number after the end of a sentence."""
        return self.n_words

    @property
    def masked(self) -> int:
        """The token number in place of a word to be predicted."""
        return self.n_words + 1

    @property
    def leading(self) -> int:
        """The number of the first token, which is not a word (CLS)."""
        return self.n_words + 2

    @property
    def example_size(self) -> int:
        """Numbers per example: two sentences and a class."""
        return 2 * self.sentence_length + 1

    @property
    def compile_key(self) -> ContextualLanguage:
        """The task without the values that are data to the compiled code: word frequencies, priors, replacement."""
        replacement = 0.5 if self.function_words else 0.0
        return replace(self, word_frequency="uniform", replacement=replacement, class_priors=None, evaluation_seed=0)

    def slots(self) -> Int[np.ndarray, "K L"]:
        """Return the concept of each slot of each class."""
        classes, columns, first = np.arange(self.n_classes), [], 0
        shares = ((self.exclusive, 1), *self.shared) if self.exclusive else self.shared
        for (n_slots, n_sharing), n_concepts in zip(shares, self.concepts_by_kind, strict=True):
            columns += [first + classes // n_sharing] * n_slots
            first += n_concepts
        return np.stack(columns, axis=1).astype(np.int32)

    def word_concepts(self) -> Int[np.ndarray, " n_words"]:
        """Return the concept of each word, ``n_concepts`` for function words."""
        content = np.repeat(np.arange(self.n_concepts), self.words_per_concept)
        return np.append(content, np.full(self.function_words, self.n_concepts))

    def word_kinds(self) -> Int[np.ndarray, " n_words"]:
        """Return the index in :attr:`kinds` of the kind of each word."""
        counts = [n_concepts * self.words_per_concept for n_concepts in self.concepts_by_kind]
        return np.repeat(np.arange(len(self.kinds)), [*counts, self.function_words][: len(self.kinds)])

    def priors(self) -> Float[np.ndarray, " K"]:
        """Return the probability of each class."""
        given = self.class_priors or (1 / self.n_classes,) * self.n_classes
        return np.asarray(given) / np.sum(given)

    def word_joint(self) -> Float[np.ndarray, "n_words K"]:
        """Return the joint probability of word and class at a random slot; it sums to 1.

        It does not depend on the lengths of sentences, as all slots are equally likely to be left out.
        """
        joint, priors, slots = np.zeros((self.n_words, self.n_classes)), self.priors(), self.slots()
        law = word_frequencies(self.word_frequency, self.words_per_concept)
        content = joint[: self.n_concepts * self.words_per_concept].reshape(self.n_concepts, -1, self.n_classes)
        for concepts in slots.T:
            content[concepts, :, np.arange(self.n_classes)] += priors[:, None] * law
        content *= (1 - self.replacement) / self.sentence_length
        if self.function_words:
            joint[-self.function_words :] = self.replacement * priors / self.function_words
        return joint

    def concept_joint(self) -> Float[np.ndarray, "n_concepts K"]:
        """Return the joint probability of concept and class; the function words, if any, are one last concept."""
        joint, n_content = self.word_joint(), self.n_concepts * self.words_per_concept
        content = joint[:n_content].reshape(self.n_concepts, self.words_per_concept, self.n_classes).sum(axis=1)
        return np.vstack([content, *([joint[n_content:].sum(axis=0)] if self.function_words else [])])

    def sample(self, seed: int) -> LanguageLaw:
        """Return a realisation, which does not depend on the seed of a run."""
        law = word_frequencies(self.word_frequency, self.words_per_concept)
        slots, priors = self.slots(), self.priors()
        return LanguageLaw(slots, law, np.asarray(self.replacement), priors, _evaluation(self))

    def draw(self, key: jax.Array, data: LanguageLaw, size: int) -> ViewPair:
        """Return ``size`` pairs, each of two sentences of one class; the classes all differ unless they may repeat.

        Raises:
            ValueError: there are fewer classes than pairs whose classes must differ.
        """
        from simlab.tasks.language_draws import draw_classes, draw_sentences

        self.check_batch(size)
        class_key, first_key, second_key = _split(key)
        classes = draw_classes(class_key, data, size, repeats=self.repeats_classes)
        first, second = (draw_sentences(side, self, data, classes) for side in (first_key, second_key))
        return ViewPair(first, second, classes)

    def check_batch(self, size: int) -> None:
        """Raise ``ValueError`` unless a batch can have ``size`` pairs."""
        if not self.repeats_classes and size > self.n_classes:
            raise invalid("batch_size", f"at most n_classes={self.n_classes}, as no class is drawn twice", size)


def _split(key: jax.Array):
    import jax

    return jax.random.split(key, 3)


@lru_cache(maxsize=64)
def _evaluation(task: ContextualLanguage) -> Sentences:
    """Return the evaluation sentences, shared out by the priors (largest remainders), at least two of each class."""
    rng = np.random.default_rng(task.evaluation_seed)
    classes = np.repeat(np.arange(task.n_classes, dtype=np.int32), allot(task.priors(), task.n_evaluation))
    law = word_frequencies(task.word_frequency, task.words_per_concept)
    shape = (len(classes), task.sentence_length)
    words = task.slots()[classes] * task.words_per_concept + rng.choice(len(law), shape, p=law)
    if task.function_words:
        others = task.n_concepts * task.words_per_concept + rng.integers(task.function_words, size=shape)
        words = np.where(rng.random(shape) < task.replacement, others, words)
    if task.shortest is not None:
        lengths = rng.integers(task.shortest, task.sentence_length, size=len(classes), endpoint=True)
        words = keep_slots(words, rng.random(shape), lengths, task.padding)
    for array in (words := words.astype(np.int32), classes):
        array.flags.writeable = False
    return Sentences(words, classes)
