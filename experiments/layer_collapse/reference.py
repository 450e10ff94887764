"""The prediction of two-layer theory for the first layer of a deep network: a theorem for two layers, else a reference.

For any network on top of the embeddings, and words of equal frequency, some minimiser has collapsed words if no concept
occurs twice in a sentence. Proof: draw a word of each concept, independently and uniformly, and assign its vector to
all words of the concept. In a sentence with each concept at most once, the words then have the same law as before, so
the mean over the draws of the cross-entropy is unchanged, and so is that of the penalty. Some draw has at most the
mean. Without a penalty on embeddings, the same holds for any word frequencies if words are drawn with them. The
argument does not determine angles between concepts or their norms, and it fails where a concept recurs, because the
words at two positions are then not independent. A deep network is therefore compared with the theory of two layers.
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
    """The reference prediction for a configuration.

    Attributes:
        network: name of the network that is compared with it.
        theory: the :class:`theory.feature_collapse.Prediction` of the two-layer network on the same task; None without
            weight decay, where the risk has no minimiser.
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
        """The basis of the prediction, in a few words."""
        if self.theory is None:
            return "no prediction"
        if self.network != TWO_LAYERS:
            return "theory of two layers"
        return "theorem" if self.theory.is_theorem else "approximation for random latents"

    @property
    def concept_ratio(self) -> float:
        """Variance of the embeddings within over between concepts, ``E_mu r^2 / (E_mu r)^2 - 1``.

        It is exact if all concepts are equally frequent at each position. NaN for a zero network.
        """
        if self.theory is None or self.theory.is_zero:
            return np.nan
        mu, norms = self.theory.word_frequencies, self.theory.embedding_norms
        mean = mu @ norms
        return float(mu @ (norms - mean) ** 2 / mean**2)


def check_theory(configuration: LayerConfiguration) -> None:
    """Raise ``ValueError`` for a configuration outside the theory, without solving."""
    words = configuration.words
    if _has_no_decay(configuration):
        words = words.replace(embedding_weight_decay=1.0, classifier_weight_decay=1.0)
    theory_arguments(words)


def predict(configuration: LayerConfiguration) -> Reference:
    """Return the prediction of the two-layer theory for a configuration, as a reference."""
    free = _has_no_decay(configuration)
    return Reference(configuration.network, None if free else predict_words(configuration.words))


def _has_no_decay(configuration: LayerConfiguration) -> bool:
    """Return whether there is no weight decay; raise ``ValueError`` if only the embeddings have none.

    Theory does not cover a penalty on the other weights alone.
    """
    words, others = configuration.embedding_weight_decay, configuration.classifier_weight_decay
    if words == 0 and others > 0:
        raise invalid("embedding_weight_decay", "a positive finite number, or no weight decay at all", words)
    return words == 0 and others == 0


def caveats(reference: Reference) -> list[str]:
    """Return the reasons why the prediction is not a theorem, one line each."""
    if reference.theory is None:
        return ["no weight decay: the risk has no minimiser, nothing is predicted"]
    if reference.network != TWO_LAYERS:
        return [f"{reference.network}: the prediction is for the two-layer network, not a theorem here"]
    unmet = [assumption for assumption in reference.theory.assumptions if not assumption.holds]
    return [f"assumption not met: {assumption.name}: {assumption.reason}" for assumption in unmet]
