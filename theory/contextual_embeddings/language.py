"""A language of classes: the concepts in sentences of each class, and the rate at which function words replace them.

A sentence has a latent class k and L positions. In class k each position belongs to a concept. At each position a word
of its concept is drawn; with probability r it is replaced by a function word, with the same law for all classes.

    p(concept c, class k) = pi_k (1 - r) n_ck / L,       p(function word f, class k) = pi_k r / F

with n_ck the number of positions of concept c in class k. In the balanced design each class has n positions of a
concept exclusive to it and, for each pair (n, s) of `shared`, n positions of a concept that s classes share.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from theory.checks import require_fraction, require_integer, require_positive
from theory.contextual_embeddings.posteriors import LanguageLaw

if TYPE_CHECKING:
    from jaxtyping import Float

# Entries of the concept-by-class table.
_LARGEST_TABLE = 4_000_000
_ROUNDING = 1e-9


@dataclass(frozen=True, kw_only=True)
class SentenceLanguage:
    """The balanced design, checked.

    Args:
        n_classes: K, at least 2.
        exclusive: positions of the concept exclusive to each class.
        shared: for each further concept of a class, the pair ``(positions, classes that share it)``.
        function_words: F, words that no class prefers.
        replacement: r, the probability that a position holds a function word.
        class_priors: K positive numbers that sum to 1; None for equal ones.

    Raises: ValueError, one line that names the field.
    """

    n_classes: int
    exclusive: int = 3
    shared: tuple[tuple[int, int], ...] = ((3, 3), (2, 8))
    function_words: int = 4
    replacement: float = 0.2
    class_priors: tuple[float, ...] | None = None

    def __post_init__(self):
        require_integer("n_classes", self.n_classes, minimum=2)
        require_integer("exclusive", self.exclusive, minimum=0)
        object.__setattr__(self, "shared", _check_shared(self.shared, self.n_classes))
        require_integer("function_words", self.function_words, minimum=0)
        object.__setattr__(self, "replacement", require_fraction("replacement", self.replacement))
        if not self.exclusive and not self.shared:
            raise ValueError("shared: expected at least one pair with exclusive=0, got none")
        if not self.exclusive and all(classes > 1 for _, classes in self.shared):
            raise ValueError("exclusive: expected at least 1, as classes that share all concepts are alike, got 0")
        if self.replacement and not self.function_words:
            raise ValueError(f"function_words: expected at least 1 with replacement={self.replacement:g}, got 0")
        if self.class_priors is not None:
            object.__setattr__(self, "class_priors", tuple(check_priors(self.class_priors, self.n_classes).tolist()))
        if (self.n_concepts + self.function_words) * self.n_classes > _LARGEST_TABLE:
            raise ValueError(
                f"n_classes: expected a table of concepts and classes of at most {_LARGEST_TABLE} entries, "
                f"got {self.n_concepts + self.function_words} x {self.n_classes}"
            )

    @property
    def sentence_length(self) -> int:
        """L, the positions of a sentence."""
        return self.exclusive + sum(positions for positions, _ in self.shared)

    @property
    def n_concepts(self) -> int:
        """The number of concepts, without function words."""
        return self.n_classes * bool(self.exclusive) + sum(self.n_classes // classes for _, classes in self.shared)

    @property
    def priors(self) -> Float[np.ndarray, " K"]:
        """pi, the probability of each class."""
        return np.full(self.n_classes, 1 / self.n_classes) if self.class_priors is None else np.array(self.class_priors)

    @property
    def is_balanced(self) -> bool:
        """Whether all classes have the same prior."""
        return self.class_priors is None or float(np.ptp(self.class_priors)) <= _ROUNDING / self.n_classes

    @property
    def unidentified_share(self) -> float:
        """An upper bound on the share of sentences without a word of an exclusive concept, whose class is uncertain."""
        own = self.exclusive + sum(positions for positions, classes in self.shared if classes == 1)
        return self.replacement**own if self.replacement else 0.0

    def position_counts(self) -> Float[np.ndarray, "c K"]:
        """Return n_ck, the positions of each concept in a sentence of each class: exclusive, then `shared` in order."""
        identity = np.eye(self.n_classes)
        blocks = [self.exclusive * identity] if self.exclusive else []
        for positions, classes in self.shared:
            blocks.append(positions * identity.reshape(-1, classes, self.n_classes).sum(1))
        return np.concatenate(blocks)

    def kinds(self) -> tuple[str, ...]:
        """Return the kind of each concept, then of each function word."""
        names = ["exclusive"] * (self.n_classes * bool(self.exclusive))
        for _, classes in self.shared:
            names += [f"shared_by_{classes}"] * (self.n_classes // classes)
        return tuple(names + ["function"] * self.function_words)

    def law(self) -> LanguageLaw:
        """Return the joint law of concept and class; each function word counts as a concept, after the others."""
        content = (1 - self.replacement) / self.sentence_length * self.position_counts() * self.priors
        function = np.zeros((self.function_words, self.n_classes))
        if self.function_words:
            function += self.replacement / self.function_words * self.priors
        return LanguageLaw(joint=np.concatenate([content, function]), kinds=self.kinds())


def _check_shared(shared: object, n_classes: int) -> tuple[tuple[int, int], ...]:
    """Return the pairs of `shared` as integers, or raise ValueError."""
    if isinstance(shared, str) or not isinstance(shared, Sequence):
        raise ValueError(f"shared: expected pairs positions:classes, got {shared!r}")
    pairs = []
    for pair in shared:
        if isinstance(pair, str) or not isinstance(pair, Sequence) or len(pair) != 2:
            raise ValueError(f"shared: expected pairs positions:classes, got {pair!r}")
        positions = require_integer("shared", pair[0], minimum=1)
        classes = require_integer("shared", pair[1], minimum=1)
        if n_classes % classes:
            raise ValueError(
                f"shared: expected numbers of classes that divide n_classes={n_classes}, got {classes}: "
                "some class would be left without that content"
            )
        pairs.append((positions, classes))
    return tuple(pairs)


def check_priors(priors: object, n_classes: int | None = None) -> Float[np.ndarray, " K"]:
    """Return class priors as an array, or raise ValueError unless they are positive and sum to 1."""
    if isinstance(priors, str) or not isinstance(priors, Sequence | np.ndarray):
        raise ValueError(f"class_priors: expected numbers, one for each class, got {priors!r}")
    values = np.array([require_positive("class_priors", value) for value in priors])
    if len(values) < 2 or (n_classes is not None and len(values) != n_classes):
        expected = "at least 2" if n_classes is None else n_classes
        raise ValueError(f"class_priors: expected {expected} numbers, one for each class, got {len(values)}")
    if abs(values.sum() - 1) > _ROUNDING:
        raise ValueError(f"class_priors: expected numbers that sum to 1, got a sum of {values.sum():.9g}")
    return values / values.sum()


def one_large_class(n_classes: int, largest_prior: float) -> tuple[float, ...]:
    """Return the priors of one class of probability P and K - 1 equally likely others.

    Args:
        n_classes: K, at least 2.
        largest_prior: P, in [1/K, 1).

    Raises: ValueError, one line that names the field.
    """
    count = require_integer("n_classes", n_classes, minimum=2)
    largest = require_positive("largest_prior", largest_prior)
    if not 1 / count - _ROUNDING <= largest < 1:
        raise ValueError(f"largest_prior: expected a number from 1/n_classes={1 / count:g} to below 1, got {largest:g}")
    return (largest, *[(1 - largest) / (count - 1)] * (count - 1))
