"""What a user may set in an experiment: one flat, typed record, whose fields are also the command's options."""

import dataclasses
from dataclasses import dataclass, field


def option(default, text: str):
    """Return a dataclass field with its help text."""
    return field(default=default, metadata={"help": text})


@dataclass(frozen=True, kw_only=True)
class Configuration:
    """All choices of a feature-collapse run. Defaults are those of the paper (arXiv 2305.16162, Section 2)."""

    n_concepts: int = option(3, "concepts, n_c")
    n_words: int = option(1200, "words, n_w; a multiple of the concepts")
    sentence_length: int = option(15, "words in a sentence, L")
    n_classes: int | str = option(1000, "classes, K, or 'all' for every latent, n_c^L")
    word_frequency: str | tuple[float, ...] = option(
        "uniform", "uniform, zipf, zipf:EXPONENT, or the frequencies of a concept's words, separated by commas"
    )
    embedding_dim: int = option(100, "dimension of the embeddings, d")
    layer_norm: bool = option(False, "normalise word vectors (the network h*)")
    source: str = option("fixed", "training sentences: fixed (a sample), fresh (new at each step) or population (all)")
    per_class: int = option(5, "sentences per class in a fixed sample")
    batch_size: int | str = option(100, "sentences per step, or 'all' of a fixed sample")
    epochs: int | None = option(None, "passes through a fixed sample; sets the number of steps")
    n_steps: int | None = option(None, "training steps, where epochs are not given")
    n_records: int = option(100, "points of a training curve, at most (a divisor of the steps is taken)")
    n_evaluation: int = option(5000, "sentences on which loss and accuracy are measured")
    optimizer: str = option("sgd", "an optax optimiser: sgd, adam, ...; lbfgs needs all sentences in each step")
    learning_rate: float = option(0.1, "learning rate")
    initial_scale: float = option(1e-3, "scale of the initial weights: N(0,1) and U(+-1/sqrt(L d)) times this")
    embedding_weight_decay: float = option(1e-3, "lam_W, nats; the penalty is lam_W/2 |W|^2")
    classifier_weight_decay: float = option(1e-3, "lam_U, nats; the penalty is lam_U/2 |U|^2")
    until: str | None = option(None, "stop a member early: gradient-norm=X, over its whole training set")
    precision: str = option("highest", "of matrix products: highest, high or default")

    def replace(self, **changes) -> "Configuration":
        """Return a copy with some fields changed; setting epochs or steps clears the other."""
        if changes.get("epochs") is not None:
            changes.setdefault("n_steps", None)
        elif changes.get("n_steps") is not None:
            changes["epochs"] = None
        return dataclasses.replace(self, **changes)

    def with_weight_decay(self, value: float) -> "Configuration":
        """Return a copy with ``value`` for each weight decay that is not zero."""
        fields = ("embedding_weight_decay", "classifier_weight_decay")
        return dataclasses.replace(self, **{name: value for name in fields if getattr(self, name) != 0})


PAPER = Configuration()

# A task of the same character, a hundredth of the work: weight decay and learning rate are raised so that the escape
# from the saddle at zero and the convergence after it take thousands of steps instead of tens of thousands.
QUICK = Configuration(
    n_words=600,
    n_classes=300,
    embedding_dim=30,
    learning_rate=1.0,
    initial_scale=1e-2,
    embedding_weight_decay=2e-3,
    classifier_weight_decay=2e-3,
)
