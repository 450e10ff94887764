"""The task of *Feature Collapse* (Laurent, von Brecht, Bresson, arXiv 2305.16162): classify sentences of words.

``n_c`` concepts have ``s_c = n_w / n_c`` words each; word ``(a, b)``, the ``b``-th of concept ``a``, is number
``a s_c + b``. Class ``k`` is a latent, a sequence ``z_k1 .. z_kL`` of concepts. A sentence of class ``k`` holds at
position ``l`` a word of concept ``z_kl``, its rank ``b`` drawn from the word frequencies ``mu``.

This module is the specification and imports only NumPy; :mod:`simlab.tasks.sentences` draws sentences on the device.
"""

from dataclasses import dataclass, replace
from functools import lru_cache
from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np

from simlab.sizes import check_array, check_int32
from simlab.tasks.batch import Batch
from simlab.tasks.enumeration import digits
from simlab.tasks.task import Task
from simlab.tasks.word_law import WordFrequency, word_frequencies
from simlab.validation import check_count, check_real, invalid

if TYPE_CHECKING:
    import jax

    from simlab.tasks.sentences import Noise, SentenceDistribution

# The number of latents, n_c^L, is computed as an exact integer, which bounds L.
LONGEST_SENTENCE = 100_000


@dataclass(frozen=True, kw_only=True)
class SentenceTask(Task):
    """The static part of the task: its sizes and its law of word frequencies.

    Args:
        n_concepts: ``n_c``, at least 2.
        n_words: ``n_w``, a multiple of ``n_concepts``.
        sentence_length: ``L``, at least 1.
        n_classes: ``K``, between 2 and ``n_c^L``; or ``"all"``, which becomes ``n_c^L`` (a saturated task).
        word_frequency: ``"uniform"``, ``"zipf"`` (``mu_b ~ 1/b``), ``"zipf:s"`` (``mu_b ~ b^-s``), or ``s_c`` positive
            numbers that sum to 1.
        label_noise: the probability that a label is replaced by one drawn uniformly from all classes.
        word_noise: the probability, independently at each position, that a word is replaced by one of a concept drawn
            uniformly from all, its rank drawn from ``mu``.

    Raises:
        ValueError: a field is out of range; the message names it.
    """

    n_concepts: int = 3
    n_words: int = 1200
    sentence_length: int = 15
    n_classes: Any = 1000  # an int or "all" is accepted, an int is stored
    word_frequency: WordFrequency = "uniform"
    label_noise: float = 0.0
    word_noise: float = 0.0

    def __post_init__(self):
        check_count("n_concepts", self.n_concepts, 2)
        check_count("n_words", self.n_words)
        check_count("sentence_length", self.sentence_length, maximum=LONGEST_SENTENCE)
        check_int32("n_words", self.n_words, "words")
        check_array("word frequencies", 8, n_words=self.n_words)
        if self.n_words % self.n_concepts:
            raise invalid("n_words", f"a multiple of n_concepts={self.n_concepts}", self.n_words)
        if self.n_classes == "all":
            object.__setattr__(self, "n_classes", self.n_latents)
        if isinstance(self.n_classes, str):
            raise invalid("n_classes", "a whole number or 'all'", self.n_classes)
        check_count("n_classes", self.n_classes, 2)
        if self.n_classes > self.n_latents:
            limit = f"at most n_concepts^sentence_length={self.n_latents}"
            raise invalid("n_classes", limit, self.n_classes)
        check_int32("n_classes", self.n_classes, "classes")
        check_array("latents", 8, n_classes=self.n_classes, sentence_length=self.sentence_length)
        if isinstance(self.word_frequency, Real):
            raise invalid("word_frequency", "a name or a list of numbers", self.word_frequency)
        if not isinstance(self.word_frequency, str):
            object.__setattr__(self, "word_frequency", tuple(float(f) for f in self.word_frequency))
        word_frequencies(self.word_frequency, self.words_per_concept)
        for name in ("label_noise", "word_noise"):
            if check_real(name, getattr(self, name)) >= 1:
                raise invalid(name, "a probability below 1", getattr(self, name))

    @property
    def words_per_concept(self) -> int:
        """``s_c``, the number of words of each concept."""
        return self.n_words // self.n_concepts

    @property
    def n_latents(self) -> int:
        """``n_c^L``, the number of possible latents."""
        return self.n_concepts**self.sentence_length

    @property
    def is_saturated(self) -> bool:
        """Whether every possible latent is a class."""
        return self.n_classes == self.n_latents

    @property
    def has_equal_words(self) -> bool:
        """Whether all words of a concept are equally frequent, up to rounding."""
        mu = word_frequencies(self.word_frequency, self.words_per_concept)
        return bool(np.ptp(mu) <= 1e-12 * mu.max())

    @property
    def n_examples(self) -> int:
        """The number of labelled sentences: ``K s_c^L``, or ``K n_w^L`` with noise."""
        words = self.n_words if self.is_noisy else self.words_per_concept
        return self.n_classes * words**self.sentence_length

    @property
    def is_noisy(self) -> bool:
        """Whether labels or words are replaced at random."""
        return self.label_noise > 0 or self.word_noise > 0

    @property
    def example_size(self) -> int:
        """Numbers per example: the words and the label of a sentence."""
        return self.sentence_length + 1

    @property
    def compile_key(self) -> "SentenceTask":
        """The task without the values that are data to the compiled code."""
        noise = 0.5 if self.is_noisy else 0.0
        return replace(self, word_frequency="uniform", label_noise=noise, word_noise=noise)

    @property
    def group_key(self) -> "SentenceTask":
        """The compile key without noise: a program with noise also runs members without it."""
        return replace(self, word_frequency="uniform", label_noise=0.0, word_noise=0.0)

    def covering(self, other: "SentenceTask") -> "SentenceTask":
        """Return the compile key that serves two tasks: that of the noisy one, if any."""
        return self.compile_key if self.is_noisy else other.compile_key

    def sample(self, seed: int) -> "SentenceDistribution":
        """Return a realisation, NumPy arrays; latents are drawn with ``seed``, independently of word frequencies."""
        from simlab.tasks.sentences import SentenceDistribution

        noise = self._noise(self.label_noise, self.word_noise) if self.is_noisy else None
        return SentenceDistribution(
            _cached_latents(self.compile_key, seed),
            word_frequencies(self.word_frequency, self.words_per_concept),
            noise,
        )

    def admit(self, data: "SentenceDistribution") -> "SentenceDistribution":
        """Convert a realisation of the same group to the form of this task's program, which may need zero noise."""
        lacks_noise = self.is_noisy and data.noise is None
        return data._replace(noise=self._noise(0.0, 0.0)) if lacks_noise else data

    def abstract(self) -> "SentenceDistribution":
        """Return arrays with the shapes and types of a realisation, without allocating them."""
        from simlab.tasks.sentences import SentenceDistribution

        latents = np.broadcast_to(np.int32(0), (self.n_classes, self.sentence_length))
        noise = self._noise(0.0, 0.0) if self.is_noisy else None
        return SentenceDistribution(latents, np.broadcast_to(1.0, self.words_per_concept), noise)

    def draw(self, key: "jax.Array", data: "SentenceDistribution", size: int) -> Batch:
        """Draw ``size`` labelled sentences, classes uniform."""
        from simlab.tasks.sentences import draw_batch

        return draw_batch(key, data, size)

    def draw_sample(self, key: "jax.Array", data: "SentenceDistribution", size: int) -> Batch:
        """Draw ``size / K`` sentences of each class, or raise ``ValueError`` if ``size`` is not a multiple of ``K``."""
        from simlab.tasks.sentences import draw_sample

        if size % self.n_classes:
            raise invalid("n_examples", f"a multiple of n_classes={self.n_classes}", size)
        return draw_sample(key, data, size // self.n_classes)

    def population(self, data: "SentenceDistribution") -> Batch:
        """Return every labelled sentence with its probability."""
        return data.population()

    def _noise(self, label: float, word: float) -> "Noise":
        """Return noise with these two probabilities; the concept of a replaced word is uniform."""
        from simlab.tasks.sentences import Noise

        return Noise(np.asarray(label), np.asarray(word), np.full(self.n_concepts, 1 / self.n_concepts))

    def groups(self, data: "SentenceDistribution") -> tuple:
        """Return the concepts of words and of classifier vectors, ``Int[n_w]`` and ``Int[K L]``, and ``n_c``."""
        xp = data.latents.__array_namespace__()
        return xp.arange(self.n_words) // self.words_per_concept, data.latents.reshape(-1), self.n_concepts


def draw_latents(task: SentenceTask, seed: int) -> np.ndarray:
    """Return ``K`` different latents, ``Int32[K, L]``, drawn uniformly at random; every latent if saturated."""
    n_concepts, length, n_classes = task.n_concepts, task.sentence_length, task.n_classes
    rng = np.random.default_rng(seed)
    if task.n_latents >= 2**62:
        return _draw_rows(rng, n_concepts, length, n_classes)
    codes = (
        np.arange(task.n_latents) if task.is_saturated else rng.choice(task.n_latents, size=n_classes, replace=False)
    )
    return digits(codes, n_concepts, length)


@lru_cache(maxsize=256)
def _cached_latents(task: SentenceTask, seed: int) -> np.ndarray:
    """Return the latents of a seed, cached: a sweep needs the same latents for every value of a varied option."""
    return draw_latents(task, seed)


def _draw_rows(rng: np.random.Generator, n_concepts: int, length: int, n_rows: int) -> np.ndarray:
    """Draw rows and reject repetitions, for spaces so large that repetitions are rare."""
    rows = np.empty((0, length), np.int32)
    while len(rows) < n_rows:
        fresh = rng.integers(n_concepts, size=(n_rows - len(rows), length), dtype=np.int32)
        rows = np.concatenate([rows, fresh])
        rows = rows[np.sort(np.unique(rows, axis=0, return_index=True)[1])]
    return rows
