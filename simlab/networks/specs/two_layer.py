"""The specification of the two-layer classifier of sentences."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from simlab.networks.names import NORMALISATIONS
from simlab.networks.specs.architecture import Architecture, SplitAxis, check_sentences
from simlab.networks.specs.vector_measures import VectorMeasures
from simlab.tasks.sentence_task import SentenceTask
from simlab.validation import check_choice, check_count, check_real, invalid

if TYPE_CHECKING:
    from flax import nnx

    from simlab.data.sources import Source
    from simlab.tasks.task import Task


@dataclass(frozen=True, kw_only=True)
class TwoLayer(VectorMeasures, Architecture[SentenceTask]):
    """A vector for each word, optionally normalised, and a linear classifier.

    The network is :class:`simlab.networks.two_layer.SentenceClassifier`, and with normalisations other than LayerNorm
    :class:`simlab.networks.normalised_classifier.NormalisedClassifier`.

    Args:
        embedding_dim: ``d``; at least 3 with LayerNorm, whose output has only two values in two dimensions.
        normalisation: normalisation of the vectors, a name in :mod:`simlab.networks.normalisation`; with ``layer`` the
            network is ``h*``.
        layer_norm_epsilon: added to the variance in ``layer``; the theory assumes 0.
    """

    embedding_dim: int = 100
    normalisation: str = "none"
    layer_norm_epsilon: float = 0.0

    def __post_init__(self):
        check_choice("normalisation", self.normalisation, NORMALISATIONS)
        check_count("embedding_dim", self.embedding_dim, 3 if self.normalisation.startswith("layer") else 1)
        if check_real("layer_norm_epsilon", self.layer_norm_epsilon) and not self.layer_norm:
            raise invalid("layer_norm_epsilon", "0 without LayerNorm", self.layer_norm_epsilon)

    @property
    def layer_norm(self) -> bool:
        """Whether vectors pass through a LayerNorm without parameters."""
        return self.normalisation == "layer"

    def check(self, task: "Task", source: "Source") -> None:
        """Raise ``ValueError`` unless the task is made of sentences; ``batch`` also needs sampled batches."""
        check_sentences(task)
        if self.normalisation == "batch" and source.is_population:
            wanted = "another one with the population, where a batch ignores the probabilities of sentences"
            raise invalid("normalisation", wanted, "batch")

    def width(self, task: SentenceTask) -> int:
        """Return ``L d``."""
        return task.sentence_length * self.embedding_dim

    def split_axes(self, task: SentenceTask) -> Mapping[str, SplitAxis]:
        """Return the class axis of the classifier, ``Float[K, L, d]``."""
        return {"classifier": SplitAxis("n_classes", (task.n_classes, task.sentence_length, self.embedding_dim))}

    def build(self, task: SentenceTask, hyper, *, dtype, rngs: "nnx.Rngs") -> "nnx.Module":
        """Return the network with its initial weights."""
        settings = {"initial_scale": hyper.initial_scale, "dtype": dtype, "rngs": rngs}
        sizes = {
            "n_words": task.n_words,
            "sentence_length": task.sentence_length,
            "n_classes": task.n_classes,
            "embedding_dim": self.embedding_dim,
        }
        if self.normalisation in ("none", "layer"):
            from simlab.networks.two_layer import SentenceClassifier

            layer_norm = {"layer_norm": self.layer_norm, "layer_norm_epsilon": self.layer_norm_epsilon}
            return SentenceClassifier(**sizes, **layer_norm, **settings)
        from simlab.networks.normalised_classifier import NormalisedClassifier

        return NormalisedClassifier(**sizes, normalisation=self.normalisation, **settings)
