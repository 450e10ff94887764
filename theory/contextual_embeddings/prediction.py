"""The limit of contrastive training of sentences: every token equals its sentence's class vector, and consequences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from theory.checks import require_integer, require_positive
from theory.contextual_embeddings.class_gram import solve_class_gram
from theory.contextual_embeddings.contrastive_minimum import minimum_loss
from theory.contextual_embeddings.language import SentenceLanguage, one_large_class
from theory.contextual_embeddings.posteriors import (
    CollapsedStatistics,
    LanguageLaw,
    collapsed_statistics,
    cramers_v2,
    simplex_gram,
)

if TYPE_CHECKING:
    from jaxtyping import Float

# "approximation": the class vectors need more dimensions than there are.
BASES = ("theorem", "certified", "numerical", "approximation")
# Eigenvalues of a Gram matrix of K unit vectors above this count towards its rank.
_RANK = 1e-6


@dataclass(frozen=True, kw_only=True, eq=False)
class Prediction:
    """Tokens after training with InfoNCE on dot products of sentence means, token lengths fixed by LayerNorm.

    Args:
        law: the joint law of concept and class.
        class_gram: G, float64 (K, K): inner products of class vectors.
        statistics: of the tokens, in units of Q.
        loss: at the minimum, nats; for unequal priors, that of infinitely many negatives minus the log of their number.
        basis: one of `BASES`.
        note: caveats in one sentence; usually empty.
        task: the arguments of `predict`, as plain JSON values.
    """

    law: LanguageLaw
    class_gram: Float[np.ndarray, "K K"]
    statistics: CollapsedStatistics
    loss: float
    basis: str
    note: str = ""
    task: dict[str, object] = field(default_factory=dict)

    @property
    def self_similarity(self) -> dict[str, float]:
        """Mean cosine of two occurrences of a word, by kind."""
        return self.law.by_kind(self.statistics.self_similarity)

    @property
    def cramers_v2(self) -> float:
        """Cramer's V^2 of the word-by-class table; for equal priors the share of variance between words."""
        return cramers_v2(self.law.joint)

    @property
    def anisotropy(self) -> float:
        """pi^T G pi."""
        return self.statistics.anisotropy

    @property
    def intra_sentence(self) -> float:
        """Mean cosine of a token and its sentence's mean: 1, as tokens of a sentence are equal."""
        return 1.0

    @property
    def variance_shares(self) -> dict[str, float]:
        """Variance between concepts, between the words of one concept, and within words; in units of Q."""
        statistics = self.statistics
        return {
            "between_concepts": statistics.between_concepts,
            "between_words": statistics.between_words,
            "context": statistics.context,
        }

    def __repr__(self) -> str:
        """Return a summary of four lines."""
        kinds = ", ".join(f"{kind} {value:.6g}" for kind, value in self.self_similarity.items())
        return (
            f"token collapse onto {self.law.n_classes} class vectors ({self.basis})\n"
            f"self-similarity: {kinds}\n"
            f"anisotropy: {self.anisotropy:.6g}; intra-sentence: 1; Cramer's V^2: {self.cramers_v2:.6g}\n"
            f"loss: {self.loss:.6g}"
        )

    def to_json(self) -> dict[str, object]:
        """Return the prediction as plain JSON values."""
        return {
            "self_similarity": self.self_similarity,
            "cramers_v2": self.cramers_v2,
            "anisotropy": self.anisotropy,
            "intra_sentence": self.intra_sentence,
            "loss": self.loss,
            "variance_shares": self.variance_shares,
            "basis": self.basis,
            "note": self.note,
        }


def predict(
    *,
    n_classes: int = 24,
    exclusive: int = 3,
    shared: Sequence[tuple[int, int]] = ((3, 3), (2, 8)),
    function_words: int = 4,
    replacement: float = 0.2,
    largest_prior: float | None = None,
    temperature: float = 0.5,
    batch_size: int | None = None,
    replacement_draws: bool = False,
    embedding_dim: int | None = None,
) -> Prediction:
    """Return the prediction for a language of the balanced design.

    Args:
        n_classes: K.
        exclusive: positions of the concept exclusive to each class.
        shared: pairs (positions, number of classes that share their concept).
        function_words: F, words that no class prefers.
        replacement: r, the probability of a function word at a position.
        largest_prior: prior of one class, the others being equally likely; None for equal priors.
        temperature: tau.
        batch_size: B, pairs in a batch; None for K. Unequal priors allow only None, which means infinitely many pairs.
        replacement_draws: whether the classes of a batch are drawn independently; otherwise they all differ.
        embedding_dim: d, to check that the class vectors fit; None for no check.

    Raises: ValueError, one line that names the field.
    """
    language = SentenceLanguage(
        n_classes=n_classes,
        exclusive=exclusive,
        shared=tuple(shared) if isinstance(shared, list) else shared,  # type: ignore[arg-type]
        function_words=function_words,
        replacement=replacement,
        class_priors=None if largest_prior is None else one_large_class(n_classes, largest_prior),
    )
    prediction = predict_law(
        language.law(),
        temperature=temperature,
        batch_size=batch_size,
        replacement_draws=replacement_draws,
        embedding_dim=embedding_dim,
    )
    if language.unidentified_share:
        uncertain = f"up to {language.unidentified_share:.3g} of the sentences have no word that identifies their class"
        prediction = replace(prediction, note="; ".join(filter(None, (prediction.note, uncertain))))
    task: dict[str, object] = {
        "n_classes": n_classes,
        "exclusive": exclusive,
        "shared": ",".join(f"{positions}:{classes}" for positions, classes in language.shared) or "none",
        "function_words": function_words,
        "replacement": language.replacement,
        "largest_prior": largest_prior,
    }
    return replace(prediction, task=task | prediction.task)


def predict_law(
    law: LanguageLaw,
    *,
    temperature: float,
    batch_size: int | None = None,
    replacement_draws: bool = False,
    embedding_dim: int | None = None,
) -> Prediction:
    """Return the prediction for any language, given by its joint law of concept and class.

    Classes count as equally likely if their shares of the tokens agree. The mean length of sentences is taken to be the
    same in all classes.

    Args:
        law: the joint law.
        temperature: tau.
        batch_size: as in `predict`.
        replacement_draws: as in `predict`.
        embedding_dim: as in `predict`.

    Raises: ValueError, one line that names the field.
    """
    tau = require_positive("temperature", temperature)
    dimension = None if embedding_dim is None else require_integer("embedding_dim", embedding_dim, minimum=2)
    if np.ptp(law.priors) <= 1e-12:
        gram, basis = simplex_gram(law.n_classes), "theorem"
        size = law.n_classes if batch_size is None else batch_size
        loss = minimum_loss(law.n_classes, size, tau, replacement_draws=replacement_draws)
        statistics = collapsed_statistics(law)
    else:
        if batch_size is not None or replacement_draws:
            given = f"batch_size={batch_size}" if batch_size is not None else "replacement_draws"
            raise ValueError(f"batch_size: expected none with unequal priors, where it is infinite, got {given}")
        solution = solve_class_gram(law.priors, tau)
        gram, basis, size = solution.gram, "certified" if solution.is_certified else "numerical", None
        loss, statistics = solution.loss, collapsed_statistics(law, solution.gram)
    note = "" if dimension is None else _room(gram, dimension)
    return Prediction(
        law=law,
        class_gram=gram,
        statistics=statistics,
        loss=loss,
        basis="approximation" if note else basis,
        note=note,
        task={
            "temperature": tau,
            "batch_size": size,
            "replacement_draws": replacement_draws,
            "embedding_dim": dimension,
        },
    )


def _room(gram: Float[np.ndarray, "K K"], embedding_dim: int) -> str:
    """Return a note if the class vectors do not fit into d - 1 dimensions (LayerNorm takes one), otherwise ""."""
    rank = int(np.sum(np.linalg.eigvalsh(gram) > _RANK))
    if rank <= embedding_dim - 1:
        return ""
    return (
        f"the class vectors span {rank} dimensions, more than the {embedding_dim - 1} that LayerNorm leaves of "
        f"embedding_dim={embedding_dim}: the loss is a lower bound, and no number is a theorem"
    )
