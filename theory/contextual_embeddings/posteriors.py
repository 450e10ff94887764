"""Statistics of words after token collapse, from the posterior of their sentence's class.

If every token equals the class vector of its sentence, ``x = sqrt(Q) z_k`` with unit vectors z_k of Gram matrix G, the
mean of the occurrences of a word t is ``sqrt(Q) sum_k p(k|t) z_k``. So, with ``p = p(.|t)``,

    M_t/Q = p^T G p = self-similarity,     V_t/Q = 1 - M_t/Q,     anisotropy = pi^T G pi.

For the simplex, ``G = (K I - 1 1^T)/(K - 1)``, and equally likely classes, M_t/Q is the *collision probability above
chance*

    C_t = (K sum_k p(k|t)^2 - 1)/(K - 1),      sum_t p_t C_t = Cramer's V^2 of the word-by-class table,

the latter if there are at least as many words as classes. Words of one concept have the same posterior, so there is no
variance between them. Proofs: `contextual_embeddings.md`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from jaxtyping import Float

_ROUNDING = 1e-9


@dataclass(frozen=True, kw_only=True, eq=False)
class LanguageLaw:
    """The joint law of a token's concept and the class of its sentence.

    Args:
        joint: p(c, k), float64 (n_concepts, K), non-negative, summing to 1; each function word counts as a concept.
        kinds: the name of the kind of each concept, n_concepts of them.

    Raises: ValueError, one line that names the field; also for a class without content or a concept that never occurs.
    """

    joint: Float[np.ndarray, "c K"]
    kinds: tuple[str, ...]

    def __post_init__(self):
        joint = np.asarray(self.joint, float)
        if joint.ndim != 2 or joint.shape[1] < 2 or not joint.shape[0]:
            raise ValueError(f"joint: expected a table of concepts and at least 2 classes, got shape {joint.shape}")
        if not np.all(np.isfinite(joint)) or joint.min() < 0:
            raise ValueError(f"joint: expected non-negative finite numbers, got {joint.min():g}")
        if abs(joint.sum() - 1) > _ROUNDING:
            raise ValueError(f"joint: expected probabilities that sum to 1, got a sum of {joint.sum():.9g}")
        if len(self.kinds) != len(joint):
            raise ValueError(f"kinds: expected {len(joint)} names, one for each concept, got {len(self.kinds)}")
        for axis, name in ((0, "class"), (1, "concept")):
            if not np.all(joint.sum(axis) > 0):
                raise ValueError(f"joint: expected content in every {name}, got none in {name} {_empty(joint, axis)}")
        object.__setattr__(self, "joint", joint)
        object.__setattr__(self, "kinds", tuple(self.kinds))

    @property
    def n_classes(self) -> int:
        """K."""
        return self.joint.shape[1]

    @property
    def frequencies(self) -> Float[np.ndarray, " c"]:
        """p_c, the share of each concept among all tokens."""
        return self.joint.sum(1)

    @property
    def priors(self) -> Float[np.ndarray, " K"]:
        """pi_k, the share of each class among all tokens."""
        return self.joint.sum(0)

    @property
    def posteriors(self) -> Float[np.ndarray, "c K"]:
        """p(k|c), the law of the class given one token."""
        return self.joint / self.frequencies[:, None]

    def by_kind(self, values: Float[np.ndarray, " c"]) -> dict[str, float]:
        """Return the mean of the concepts' values over each kind, weighted by their frequencies."""
        kinds, weights = np.array(self.kinds), self.frequencies
        return {
            kind: float(np.average(values[kinds == kind], weights=weights[kinds == kind]))
            for kind in dict.fromkeys(self.kinds)
        }


@dataclass(frozen=True, kw_only=True, eq=False)
class CollapsedStatistics:
    """Statistics of token embeddings that equal their sentence's class vector, in units of Q = mean |x|^2.

    Args:
        self_similarity: M_c/Q of each concept, and of each of its words, float64 (n_concepts,).
        concept_gram: inner products of the means of concepts over Q, float64 (n_concepts, n_concepts).
        anisotropy: M/Q, the mean inner product of tokens of independent sentences.
        between_concepts: variance between concepts over Q.
        between_words: variance between the words of one concept over Q: zero.
        context: variance within words over Q; the three shares sum to 1 - M/Q.
    """

    self_similarity: Float[np.ndarray, " c"]
    concept_gram: Float[np.ndarray, "c c"]
    anisotropy: float
    between_concepts: float
    between_words: float
    context: float

    @property
    def adjusted(self) -> Float[np.ndarray, " c"]:
        """Self-similarity minus the anisotropy."""
        return self.self_similarity - self.anisotropy


def collapsed_statistics(law: LanguageLaw, class_gram: Float[np.ndarray, "K K"] | None = None) -> CollapsedStatistics:
    """Return the statistics of collapsed tokens.

    Args:
        law: the joint law of concept and class.
        class_gram: G, unit diagonal; None for the simplex.
    """
    posteriors, frequencies, priors = law.posteriors, law.frequencies, law.priors
    if class_gram is None:  # G 1 = 0: after subtracting 1/K, a word that no class prefers has exactly zero
        gram = simplex_gram(law.n_classes)
        posteriors, priors = posteriors - 1 / law.n_classes, priors - 1 / law.n_classes
    else:
        gram = np.asarray(class_gram, float)
    concepts = posteriors @ gram @ posteriors.T
    shares = np.diag(concepts).copy()
    whole, mean = float(priors @ gram @ priors), float(frequencies @ shares)
    return CollapsedStatistics(
        self_similarity=shares,
        concept_gram=concepts,
        anisotropy=whole,
        between_concepts=mean - whole,
        between_words=0.0,
        context=1 - mean,
    )


def simplex_gram(n_classes: int) -> Float[np.ndarray, "K K"]:
    """Return ``(K I - 1 1^T)/(K - 1)``."""
    return (n_classes * np.eye(n_classes) - 1) / (n_classes - 1)


def collision_shares(posteriors: Float[np.ndarray, "t K"]) -> Float[np.ndarray, " t"]:
    """Return C_t, which is 0 for a word that no class prefers and 1 for a word of a single class."""
    n_classes = posteriors.shape[-1]
    return n_classes / (n_classes - 1) * np.sum((posteriors - 1 / n_classes) ** 2, axis=-1)


def cramers_v2(joint: Float[np.ndarray, "t K"]) -> float:
    """Return ``phi^2/(K - 1)``, Cramer's V^2 of a table with at least as many words as classes.

    For equally likely classes on a simplex it is the share of the variance that is between words.
    """
    expected = np.outer(joint.sum(1), joint.sum(0))
    return float(np.sum((joint - expected) ** 2 / expected)) / (joint.shape[1] - 1)


def maximal_correlation(joint: Float[np.ndarray, "a b"]) -> float:
    """Return rho, the largest correlation of a function of the row with a function of the column.

    For any embedding, the shares of the variance between rows and between columns sum to at most 1 + rho.
    """
    rows, columns = joint.sum(1), joint.sum(0)
    correlation = joint / np.sqrt(np.outer(rows, columns)) - np.sqrt(np.outer(rows, columns))
    return float(np.linalg.norm(correlation, 2))


def self_similarity_change(
    after: Float[np.ndarray, " t"],
    after_anisotropy: float,
    before: Float[np.ndarray, " t"],
    before_anisotropy: float,
) -> Float[np.ndarray, " t"]:
    """Return SSC_t, the adjusted self-similarity after training minus before; positive means less contextual."""
    return (after - after_anisotropy) - (before - before_anisotropy)


def _empty(joint: Float[np.ndarray, "c K"], axis: int) -> int:
    """Return the first class (axis 0) or concept (axis 1) without probability."""
    return int(np.argmin(joint.sum(axis) > 0))
