"""The prediction of two-layer theory for the first layer of a deep network: a theorem for two layers, else a reference.

For any network upon the embeddings, and words of equal frequency, some minimiser has collapsed words if no concept
stands twice in a sentence. Proof: draw a word for each concept, independently and evenly, and give its vector to all
words of the concept. Where a sentence names each concept at most once, its words are then drawn as before, so that the
mean over the draws of the cross-entropy is what it was, and so is that of the penalty; one draw is at most the mean.
Without a penalty on embeddings words of any frequencies may be drawn by these. It says nothing of the angles between
concepts, nor of their norms, and where a concept recurs the words of two positions are no longer independent. So a deep
network is held against the theory of two layers and not against a theory of its own.
"""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from experiments.feature_collapse.phenomenon import predict as predict_words
from experiments.feature_collapse.phenomenon import theory_arguments
from experiments.layer_collapse.configuration import LayerConfiguration
from simlab.validation import invalid
from theory.short_text import short_repr

if TYPE_CHECKING:
    from theory.feature_collapse.prediction import Prediction

TWO_LAYERS = "two-layer"


class Reference(NamedTuple):
    """What is known of a configuration.

    Attributes:
        network: which network is held against it.
        theory: the :class:`theory.feature_collapse.Prediction` of the two-layer network on the same task; None without
            weight decay, where no risk has a minimiser.
    """

    network: str
    theory: "Prediction | None"

    __repr__ = short_repr

    @property
    def is_theorem(self) -> bool:
        """Whether the prediction is proved for this network and task."""
        return self.theory is not None and self.network == TWO_LAYERS and self.theory.is_theorem

    @property
    def basis(self) -> str:
        """What the prediction rests on, in a word or two."""
        if self.theory is None:
            return "no prediction"
        if self.network != TWO_LAYERS:
            return "theory of two layers"
        return "theorem" if self.theory.is_theorem else "approximation for random latents"

    @property
    def concept_ratio(self) -> float:
        """Variance within over between concepts of the embeddings, ``E_mu r^2 / (E_mu r)^2 - 1``.

        Exact where every concept is as frequent as any other at each position. NaN where all is zero.
        """
        if self.theory is None or self.theory.is_zero:
            return np.nan
        mu, norms = self.theory.word_frequencies, self.theory.embedding_norms
        mean = mu @ norms
        return float(mu @ (norms - mean) ** 2 / mean**2)


def check_theory(configuration: LayerConfiguration) -> None:
    """Raise ``ValueError`` for a configuration that theory cannot take; nothing is solved."""
    words = configuration.words
    if _has_no_decay(configuration):
        words = words.replace(embedding_weight_decay=1.0, classifier_weight_decay=1.0)
    theory_arguments(words)


def predict(configuration: LayerConfiguration) -> Reference:
    """Return the prediction for two layers."""
    free = _has_no_decay(configuration)
    return Reference(configuration.network, None if free else predict_words(configuration.words))


def _has_no_decay(configuration: LayerConfiguration) -> bool:
    """Return whether there is no penalty at all; a penalty on some weights alone is not covered by theory."""
    words, others = configuration.embedding_weight_decay, configuration.classifier_weight_decay
    if words == 0 and others > 0:
        raise invalid("embedding_weight_decay", "a positive finite number, or no weight decay at all", words)
    return words == 0 and others == 0


def caveats(reference: Reference) -> list[str]:
    """Return what keeps the prediction from being a theorem, in words."""
    if reference.theory is None:
        return ["no weight decay: no risk has a minimiser, nothing is predicted"]
    if reference.network != TWO_LAYERS:
        return [f"{reference.network}: predicted for the embeddings of two layers, not a theorem here"]
    unmet = [assumption for assumption in reference.theory.assumptions if not assumption.holds]
    return [f"assumption not met: {assumption.name}: {assumption.reason}" for assumption in unmet]
