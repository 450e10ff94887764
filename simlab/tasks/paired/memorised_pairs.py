"""One pair of sentences of each class, drawn once: the task of a network with a free vector for each occurrence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from simlab.tasks.contextual_language import ContextualLanguage
from simlab.tasks.language_law import LanguageLaw
from simlab.tasks.pairs import ViewPair
from simlab.validation import invalid


@dataclass(frozen=True, kw_only=True)
class MemorisedPairs(ContextualLanguage):
    """The pairs are the evaluation sentences of a language, two of each class; examples are their numbers.

    Raises:
        ValueError: ``shortest`` or ``class_priors`` is set, or there are not exactly two sentences of each class.
    """

    n_evaluation: int = 48
    can_draw: ClassVar[bool] = False

    def __post_init__(self):
        super().__post_init__()
        if self.n_evaluation != 2 * self.n_classes:
            raise invalid("n_evaluation", f"two sentences of each of n_classes={self.n_classes}", self.n_evaluation)
        if self.shortest is not None:
            raise invalid("shortest", "none, where each occurrence is free", self.shortest)
        if self.class_priors is not None:
            raise invalid("class_priors", "none, where each class has one pair", self.class_priors)

    @property
    def n_pairs(self) -> int:
        """One pair of each class."""
        return self.n_classes

    @property
    def n_examples(self) -> int:
        """One pair of each class."""
        return self.n_classes

    def population(self, data: LanguageLaw) -> ViewPair:
        """Return the numbers of the sentences of each pair; evaluation sentences are sorted by class."""
        numbers = np.arange(2 * self.n_classes, dtype=np.int32)
        return ViewPair(numbers[::2], numbers[1::2], np.arange(self.n_classes, dtype=np.int32))
