"""The tasks on which claims are checked, with their prediction, exact risk and exact minimum."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from simlab.exact.minimise import Minima, minimise
from simlab.exact.risk import ExactRisk, WeightedSentences, enumerate_population
from simlab.tasks.sentence_task import SentenceTask, draw_latents
from simlab.tasks.word_law import word_frequencies
from theory import feature_collapse
from theory.feature_collapse import Prediction


@dataclass(frozen=True, kw_only=True)
class Setting:
    """A task small enough to enumerate, with the weight decay of its risk.

    Args:
        n_concepts, ranks, length: ``n_c``, ``s_c``, ``L``.
        weight_decay: ``lam``.
        law: ``uniform``, ``zipf`` or ``skewed`` (each word eight times as rare as the one before it).
        layer_norm: whether the network is ``h*``.
        n_classes: ``K`` latents drawn at random, or None for all latents.
    """

    n_concepts: int
    ranks: int
    length: int
    weight_decay: float
    law: str = "uniform"
    layer_norm: bool = False
    n_classes: int | None = None

    def __str__(self) -> str:
        size = f"n_c={self.n_concepts} s_c={self.ranks} L={self.length} lam={self.weight_decay:g} {self.law}"
        classes = "" if self.n_classes is None else f" K={self.n_classes}"
        return size + classes + (" LayerNorm" if self.layer_norm else "")

    @property
    def embedding_dim(self) -> int:
        """``d``, one more than the number of concepts; with it, no restart ends in a spurious minimum."""
        return self.n_concepts + 1

    @cached_property
    def task(self) -> SentenceTask:
        """The specification of the task."""
        law = self.law if self.law != "skewed" else _skewed(self.ranks)
        return SentenceTask(
            n_concepts=self.n_concepts,
            n_words=self.n_concepts * self.ranks,
            sentence_length=self.length,
            n_classes="all" if self.n_classes is None else self.n_classes,
            word_frequency=law,
        )

    @cached_property
    def frequencies(self) -> np.ndarray:
        """The word frequencies ``mu``, ``Float64[s_c]``."""
        return word_frequencies(self.task.word_frequency, self.task.words_per_concept)

    @cached_property
    def latents(self) -> np.ndarray:
        """The concept at each position of each class, ``Int[K, L]``."""
        return draw_latents(self.task, 0)

    @cached_property
    def population(self) -> WeightedSentences:
        """Every sentence with its probability."""
        return enumerate_population(self.latents, self.frequencies, self.n_concepts)

    @cached_property
    def prediction(self) -> Prediction:
        """The prediction of theory, in float64."""
        return feature_collapse.predict(
            n_concepts=self.n_concepts,
            n_words=self.task.n_words,
            sentence_length=self.length,
            n_classes=self.task.n_classes,
            word_frequency=self.frequencies,
            weight_decay=self.weight_decay,
            layer_norm=self.layer_norm,
            embedding_dim=self.embedding_dim,
        )

    @cached_property
    def risk(self) -> ExactRisk:
        """The population risk."""
        return ExactRisk(
            population=self.population,
            n_words=self.task.n_words,
            n_classes=self.task.n_classes,
            embedding_dim=self.embedding_dim,
            weight_decay=(0.0, self.weight_decay) if self.layer_norm else self.weight_decay,
            layer_norm=self.layer_norm,
        )

    @cached_property
    def minimum(self) -> Minima:
        """The minimiser of the population risk, found from random starts."""
        return minimise(self.risk)


def _skewed(ranks: int) -> tuple[float, ...]:
    weights = 8.0 ** -np.arange(ranks)
    return tuple(weights / weights.sum())
