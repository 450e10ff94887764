"""The predicted representation, and its assumptions."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from theory.short_text import number_range

if TYPE_CHECKING:
    from jaxtyping import Float, Int

_LONG = 10**18  # numbers of classes from here on are shown in words


@dataclass(frozen=True, kw_only=True)
class Assumption:
    """One condition of the theorem behind a prediction: `name`, whether it `holds`, and the `reason`, in one line."""

    name: str
    holds: bool
    reason: str


@dataclass(frozen=True, kw_only=True, eq=False)
class Prediction:
    """A collapsed network: w_(a,b) = r_b f_a (for Type II LN(w) = sqrt(d) f_a) and u_kl = c f_{z_kl}, up to a rotation.

    Args:
        collapse_type: "I", "II" or "III".
        embedding_norms: r, float64 (s_c,): norm of the b-th word of every concept; for Type II that of LN(w), sqrt(d).
        classifier_norm: c.
        cross_entropy: nats, over the noisy population if there is noise.
        risk: nats, cross-entropy plus penalty.
        zero_threshold: the zero network is the minimiser for sqrt(lam_W lam_U) at or above this; None for Type II.
        is_zero: whether the predicted network gives zero logits.
        is_theorem: whether the prediction is a theorem for this task; otherwise it is the approximation by kappa.
        assumptions: the assumptions of the theorem; `is_theorem` iff all of them hold.
        residual: relative residual of the stationarity equations.
        frame: f, float64 (n_c, d).
        word_frequency: mu as given: a name, or s_c numbers.
        word_frequencies: mu, float64 (s_c,).
        n_concepts, n_words, sentence_length, n_classes: n_c, n_w, L, K.
        weight_decay, classifier_weight_decay: lam_W and lam_U (for Type II lam_U alone enters the risk R*).
        label_noise, word_noise: eps and delta of `noise`.
    """

    collapse_type: str
    embedding_norms: Float[np.ndarray, " s_c"]
    classifier_norm: float
    cross_entropy: float
    risk: float
    zero_threshold: float | None
    is_zero: bool
    is_theorem: bool
    assumptions: tuple[Assumption, ...]
    residual: float
    frame: Float[np.ndarray, "n_c d"]
    word_frequency: str | tuple[float, ...]
    word_frequencies: Float[np.ndarray, " s_c"]
    n_concepts: int
    n_words: int
    sentence_length: int
    n_classes: int
    weight_decay: float
    classifier_weight_decay: float
    label_noise: float
    word_noise: float

    def __repr__(self) -> str:
        """Return a summary of five lines."""
        norms, threshold = self.embedding_norms, self.zero_threshold
        kind = "zero network" if self.is_zero else f"Type {self.collapse_type}"
        lines = (
            f"{kind}, {'theorem' if self.is_theorem else 'approximation'}",
            f"task: {self.n_words} words, {self.n_concepts} concepts, {self._classes} classes of "
            f"{self.sentence_length} words, {self.embedding_dim} dimensions",
            f"norms: words {number_range(norms)}, classifier {self.classifier_norm:.6g}",
            f"risk: {self.risk:.6g} nats, cross-entropy {self.cross_entropy:.6g} nats",
            f"zero threshold: {'none' if threshold is None else f'{threshold:.6g}'}; "
            f"weight decays {self.weight_decay:g}, {self.classifier_weight_decay:g}",
        )
        return "\n".join(lines)

    @property
    def embedding_dim(self) -> int:
        """The dimension d."""
        return self.frame.shape[1]

    @property
    def _classes(self) -> int | str:
        """The number of classes, in words if it has too many digits to read."""
        if self.n_classes < _LONG:
            return self.n_classes
        saturated = self.n_classes == self.n_concepts**self.sentence_length
        return "all" if saturated else f"about 10**{math.log10(self.n_classes):.4g}"

    @property
    def kappa(self) -> float:
        """The share K / n_c^L of all latents that are classes (zero if it underflows)."""
        return self.n_classes / self.n_concepts**self.sentence_length

    def embeddings(self) -> Float[np.ndarray, "n_w d"]:
        """Return r_b f_a, for Type II the vectors LN(w): float64 (n_w, d), word (a, b) in row a * s_c + b."""
        return (self.frame[:, None, :] * self.embedding_norms[:, None]).reshape(self.n_words, self.embedding_dim)

    def classifier(self, latents: Int[np.ndarray, "K L"]) -> Float[np.ndarray, "K L d"]:
        """Return the classifier c f_{z_kl} of given latents.

        Args:
            latents: integers in [0, n_c), (K, L) of any K.

        Returns: float64 (K, L, d).
        Raises: ValueError for another length, or an entry that is not a concept.
        """
        latents = require_latents(latents, n_concepts=self.n_concepts, sentence_length=self.sentence_length)
        return self.classifier_norm * self.frame[latents]

    @property
    def task(self) -> dict[str, object]:
        """The arguments of `predict` as plain JSON values."""
        frequency = self.word_frequency
        return {
            "n_concepts": self.n_concepts,
            "n_words": self.n_words,
            "sentence_length": self.sentence_length,
            "n_classes": self._classes,
            "word_frequency": frequency if isinstance(frequency, str) else [*frequency],
            "embedding_dim": self.embedding_dim,
            "layer_norm": self.collapse_type == "II",
            "weight_decay": self.weight_decay,
            "classifier_weight_decay": self.classifier_weight_decay,
            "label_noise": self.label_noise,
            "word_noise": self.word_noise,
        }

    def to_json(self) -> dict[str, object]:
        """Return the prediction as plain JSON values; norms are a single number if all words agree."""
        norms = self.embedding_norms
        same = bool(np.all(norms == norms[0]))
        return {
            "collapse_type": self.collapse_type,
            "embedding_norms": [float(norms[0])] if same else norms.tolist(),
            "classifier_norm": self.classifier_norm,
            "cross_entropy": self.cross_entropy,
            "risk": self.risk,
            "zero_threshold": self.zero_threshold,
            "exact": self.is_theorem,
        }


def require_latents(latents: object, *, n_concepts: int, sentence_length: int) -> Int[np.ndarray, "K L"]:
    """Return `latents` as an integer array (K, L) with entries in [0, n_c).

    Raises: ValueError for another shape, another kind of number, or an entry that is not a concept.
    """
    array = np.asarray(latents)
    if array.ndim != 2 or array.shape[1] != sentence_length or array.shape[0] < 1:
        raise ValueError(f"latents: expected an array of shape (K, {sentence_length}), got {array.shape}")
    if not np.issubdtype(array.dtype, np.integer):
        raise ValueError(f"latents: expected integers, got {array.dtype}")
    if array.min() < 0 or array.max() >= n_concepts:
        raise ValueError(f"latents: expected concepts from 0 to {n_concepts - 1}, got {array.min()} to {array.max()}")
    return array
