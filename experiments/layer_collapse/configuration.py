"""Settings of an experiment on deep networks."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from experiments.core.configuration import NETWORK, TASK, TRAINING, Configuration, option
from experiments.feature_collapse.configuration import WordConfiguration


@dataclass(frozen=True, kw_only=True)
class LayerConfiguration(Configuration):
    """All settings of a run of a deep network on sentences."""

    aliases: ClassVar[Mapping[str, tuple[str, ...]]] = WordConfiguration.aliases

    network: str = option("mlp", "two-layer, mlp, transformer-pre, transformer-post or mixer", group=NETWORK)
    depth: int = option(2, "number of hidden layers or blocks between embeddings and readout", group=NETWORK)
    hidden_width: int = option(64, "mlp: width of the hidden layers", group=NETWORK)
    n_heads: int = option(2, "transformers: number of attention heads, a divisor of d", group=NETWORK)
    n_concepts: int = option(3, "number of concepts, n_c", group=TASK)
    n_words: int = option(12, "number of words, n_w; a multiple of n_c", group=TASK)
    sentence_length: int = option(2, "number of words in a sentence, L", group=TASK)
    n_classes: int | str = option("all", "number of classes, K, or 'all' for all n_c^L latents", group=TASK)
    word_frequency: str | tuple[float, ...] = option(
        "uniform",
        "uniform, zipf, zipf:EXPONENT, or the frequencies of a concept's words, separated by commas",
        group=TASK,
    )
    embedding_dim: int = option(8, "dimension of the embeddings, d", group=NETWORK)
    source: str = option(
        "population", "training sentences: fixed (a sample), fresh (new at each step) or population", group=TASK
    )
    per_class: int = option(5, "sentences per class in a fixed sample", group=TASK)
    batch_size: int | str = option(64, "sentences per step, or 'all' for a whole fixed sample", group=TRAINING)
    n_evaluation: int = option(2000, "sentences on which loss and accuracy are measured", group=TRAINING)
    embedding_weight_decay: float = option(2e-3, "lam_W; the penalty is lam_W/2 |W|^2", unit="nats", group=TRAINING)
    classifier_weight_decay: float = option(
        2e-3, "lam_U, of the classifier and the hidden layers", unit="nats", group=TRAINING
    )
    optimizer: str = option("adam", "optax optimiser: adam, lbfgs, sgd, ...", group=TRAINING)
    learning_rate: float = option(5e-3, "learning rate", group=TRAINING)
    initial_scale: float = option(0.1, "standard deviation of the initial embeddings only", group=TRAINING)
    n_steps: int = option(2000, "training steps", group=TRAINING)

    @property
    def words(self) -> WordConfiguration:
        """The same task, data and training with the two-layer network, which theory covers."""
        shared = {field.name for field in dataclasses.fields(WordConfiguration)}
        return WordConfiguration(
            **{field.name: getattr(self, field.name) for field in dataclasses.fields(self) if field.name in shared}
        )
