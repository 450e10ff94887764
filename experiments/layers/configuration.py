"""What a user may set in an experiment on deep networks."""

import dataclasses
from dataclasses import dataclass

from experiments.configuration import Configuration, option
from experiments.words.configuration import WordConfiguration


@dataclass(frozen=True, kw_only=True)
class LayerConfiguration(Configuration):
    """All choices of a run of a deep network on sentences."""

    network: str = option("mlp", "two-layer, mlp, transformer-pre, transformer-post or mixer")
    depth: int = option(2, "hidden layers or blocks between embeddings and readout")
    hidden_width: int = option(64, "mlp: width of the hidden layers")
    n_heads: int = option(2, "transformers: heads of each attention, a divisor of d")
    n_concepts: int = option(3, "concepts, n_c")
    n_words: int = option(12, "words, n_w; a multiple of the concepts")
    sentence_length: int = option(2, "words in a sentence, L")
    n_classes: int | str = option("all", "classes, K, or 'all' for every latent, n_c^L")
    word_frequency: str | tuple[float, ...] = option(
        "uniform", "uniform, zipf, zipf:EXPONENT, or the frequencies of a concept's words, separated by commas"
    )
    embedding_dim: int = option(8, "dimension of the embeddings, d")
    source: str = option("population", "training sentences: fixed (a sample), fresh (new at each step) or population")
    per_class: int = option(5, "sentences per class in a fixed sample")
    batch_size: int | str = option(64, "sentences per step, or 'all' of a fixed sample")
    n_evaluation: int = option(2000, "sentences on which loss and accuracy are measured")
    embedding_weight_decay: float = option(2e-3, "lam_W, nats; the penalty is lam_W/2 |W|^2")
    classifier_weight_decay: float = option(2e-3, "lam_U, nats: of the classifier and of every layer before it")
    optimizer: str = option("adam", "an optax optimiser: adam, lbfgs, sgd, ...")
    learning_rate: float = option(5e-3, "learning rate")
    initial_scale: float = option(0.1, "standard deviation of the initial embeddings; other layers have their own")
    n_steps: int = option(2000, "training steps")

    @property
    def words(self) -> WordConfiguration:
        """The same task, data and training with the two-layer network, for which there is a theory."""
        shared = {field.name for field in dataclasses.fields(WordConfiguration)}
        return WordConfiguration(
            **{field.name: getattr(self, field.name) for field in dataclasses.fields(self) if field.name in shared}
        )
