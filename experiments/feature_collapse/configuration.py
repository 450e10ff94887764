"""Settings of an experiment on sentences."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar, Self

from experiments.core.configuration import NETWORK, TASK, TRAINING, Configuration, option
from simlab.networks.names import NORMALISATIONS
from simlab.sizes import check_array
from simlab.tasks.sentence_task import LONGEST_SENTENCE
from simlab.validation import check_choice, check_count, invalid


@dataclass(frozen=True, kw_only=True)
class WordConfiguration(Configuration):
    """All settings of a feature-collapse run. Defaults are those of the paper (arXiv 2305.16162, Section 2)."""

    aliases: ClassVar[Mapping[str, tuple[str, ...]]] = MappingProxyType(
        {"weight_decay": ("embedding_weight_decay", "classifier_weight_decay")}
    )

    n_concepts: int = option(3, "number of concepts, n_c", group=TASK)
    n_words: int = option(1200, "number of words, n_w; a multiple of n_c", group=TASK)
    sentence_length: int = option(15, "number of words in a sentence, L", group=TASK)
    n_classes: int | str = option(1000, "number of classes, K, or 'all' for all n_c^L latents", group=TASK)
    word_frequency: str | tuple[float, ...] = option(
        "uniform",
        "uniform, zipf, zipf:EXPONENT, or the frequencies of a concept's words, separated by commas",
        group=TASK,
    )
    embedding_dim: int = option(100, "dimension of the embeddings, d", group=NETWORK)
    layer_norm: bool = option(False, "normalise word vectors (the network h*)", group=NETWORK)
    layer_norm_epsilon: float = option(
        0.0, "LayerNorm: constant added to the variance of a word vector; 1e-5 in the authors' network", group=NETWORK
    )
    normalisation: str = option(
        "none",
        "normalisation of word vectors: none, layer, layer-affine, rms, rms-affine or batch",
        group=NETWORK,
    )
    label_noise: float = option(
        0.0, "probability that a label is replaced by a class drawn uniformly from all", group=TASK
    )
    word_noise: float = option(
        0.0, "probability that a word is replaced by one of a concept drawn uniformly from all", group=TASK
    )
    source: str = option(
        "fixed", "training sentences: fixed (a sample), fresh (new at each step) or population (all)", group=TASK
    )
    per_class: int = option(5, "sentences per class in a fixed sample", group=TASK)
    batch_size: int | str = option(100, "sentences per step, or 'all' for a whole fixed sample", group=TRAINING)
    epochs: int | None = option(None, "passes through a fixed sample; sets the number of steps", group=TRAINING)
    n_evaluation: int = option(5000, "sentences on which loss and accuracy are measured", group=TRAINING)
    initial_scale: float = option(1e-3, "factor on the initial weights", group=TRAINING)
    embedding_weight_decay: float = option(1e-3, "lam_W; the penalty is lam_W/2 |W|^2", unit="nats", group=TRAINING)
    classifier_weight_decay: float = option(1e-3, "lam_U; the penalty is lam_U/2 |U|^2", unit="nats", group=TRAINING)

    @property
    def normalised_by(self) -> str:
        """The normalisation of the word vectors; ``layer_norm`` is a shorthand for ``layer``."""
        if self.layer_norm and self.normalisation not in ("none", "layer"):
            raise invalid("normalisation", "layer or none with layer_norm", self.normalisation)
        return "layer" if self.layer_norm else check_choice("normalisation", self.normalisation, NORMALISATIONS)

    @property
    def has_no_penalty(self) -> bool:
        """Whether norms can grow without bound: there is neither a weight decay nor a normalisation."""
        return self.normalised_by == "none" and self.embedding_weight_decay == self.classifier_weight_decay == 0

    def check_sizes(self) -> None:
        """Raise ``ValueError`` if an array of the run is too large; the message names a field."""
        sizes = {"sentence_length": self.sentence_length, "embedding_dim": self.embedding_dim}
        check_count("sentence_length", self.sentence_length, maximum=LONGEST_SENTENCE)
        check_array("embeddings", n_words=self.n_words, embedding_dim=self.embedding_dim)
        check_array("classifier", n_classes=self.n_classes, **sizes)
        check_array("evaluation set", n_evaluation=self.n_evaluation, sentence_length=self.sentence_length)
        if self.source == "fixed":
            check_array(
                "sample", n_classes=self.n_classes, per_class=self.per_class, sentence_length=self.sentence_length
            )
        if self.source != "population":
            check_array("word vectors of a batch", batch_size=self.batch_size, **sizes)

    def replace(self, **changes) -> Self:
        """Return a copy with some fields changed; setting epochs or steps clears the other."""
        if changes.get("epochs") is not None:
            changes.setdefault("n_steps", None)
        elif changes.get("n_steps") is not None:
            changes["epochs"] = None
        return super().replace(**changes)


PAPER = WordConfiguration()

# A similar task at a hundredth of the cost: larger weight decay and learning rate, so that the escape from the saddle
# at zero and the convergence after it take thousands of steps instead of tens of thousands.
QUICK = WordConfiguration(
    n_words=600,
    n_classes=300,
    embedding_dim=30,
    learning_rate=1.0,
    initial_scale=1e-2,
    embedding_weight_decay=2e-3,
    classifier_weight_decay=2e-3,
)
