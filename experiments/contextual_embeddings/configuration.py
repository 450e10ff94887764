"""Options of the experiments on sentences of a language: the language, the encoder, the training."""

from dataclasses import dataclass

from experiments.contextual_embeddings.predict_options import LanguageOptions
from experiments.core.configuration import NETWORK, TASK, TRAINING, Configuration, option, option_of
from simlab.validation import check_choice, check_real, invalid

NETWORKS = ("encoder", "free")
OBJECTIVES = ("contrastive", "classification")


@dataclass(frozen=True, kw_only=True)
class LanguageConfiguration(Configuration):
    """The options of a run on sentences whose class is a latent variable."""

    n_classes: int = option_of(LanguageOptions, "n_classes")
    exclusive: int = option_of(LanguageOptions, "exclusive")
    shared: str = option_of(LanguageOptions, "shared")
    function_words: int = option_of(LanguageOptions, "function_words")
    replacement: float = option_of(LanguageOptions, "replacement")
    largest_prior: float | None = option_of(LanguageOptions, "largest_prior")
    words_per_concept: int = option(8, "words per concept", group=TASK)
    word_frequency: str = option(
        "zipf", "frequencies of the words of a concept: uniform, zipf or zipf:EXPONENT", group=TASK
    )
    shortest: int | None = option(
        None, "minimum sentence length; none: all sentences have the same length", unit="words", group=TASK
    )
    n_evaluation: int = option(480, "sentences on which tokens are measured", group=TASK)
    evaluation_seed: int = option(0, "seed of the evaluation sentences", group=TASK)
    network: str = option(
        "encoder", "encoder (a transformer) or free (one vector per word occurrence, two sentences per class)",
        group=NETWORK,
    )  # fmt: skip
    embedding_dim: int = option(48, "embedding dimension, d", group=NETWORK)
    depth: int = option(2, "transformer blocks", group=NETWORK)
    n_heads: int = option(4, "attention heads, a divisor of d", group=NETWORK)
    norm: str = option("post", "LayerNorm after each residual branch (post) or before it (pre)", group=NETWORK)
    affine: bool = option(False, "whether LayerNorms have a trainable scale and offset", group=NETWORK)
    activation: str = option("gelu", "activation of the feed-forward networks: relu or gelu", group=NETWORK)
    zero_queries: bool = option(
        False, "whether query weights are initialised to zero, for uniform attention", group=NETWORK
    )
    positions: bool = option(True, "whether the encoder has position embeddings", group=NETWORK)
    pooling: str = option("mean", "pooling of tokens into a sentence vector: mean, cls or max", group=NETWORK)
    initial_anisotropy: float = option(0.3, "approximate initial mean cosine of free tokens", group=NETWORK)
    free_norm: str = option("layer", "normalisation of free tokens: layer, or rms (without centring)", group=NETWORK)
    initial_scale: float = option(0.3, "standard deviation of initial embeddings and positions", group=TRAINING)
    objective: str = option("contrastive", "contrastive (InfoNCE) or classification of sentences", group=TRAINING)
    similarity: str = option("dot", "similarity of sentence vectors: dot or cosine", group=TRAINING)
    temperature: float = option(0.5, "temperature, tau", group=TRAINING)
    batch_size: int = option(24, "pairs per batch", group=TRAINING)
    repeats_classes: bool = option(
        False, "whether the classes of a batch are drawn independently; otherwise they all differ", group=TRAINING
    )
    masked_steps: int = option(0, "steps of masked-word pre-training", group=TRAINING)
    masked_rate: float = option(0.15, "probability that a word is masked in pre-training", group=TRAINING)
    pretraining_rate: float = option(5e-3, "learning rate of pre-training", group=TRAINING)
    decoupled_weight_decay: float = option(1e-3, "decoupled weight decay of AdamW", group=TRAINING)
    optimizer: str = option("adamw", "an optax optimiser with decoupled weight decay", group=TRAINING)
    learning_rate: float = option(5e-3, "peak learning rate", group=TRAINING)
    schedule: str = option(
        "warmup-cosine", "schedule of the learning rate: constant, cosine (to zero) or warmup-cosine", group=TRAINING
    )
    warmup_steps: int = option(100, "steps over which the learning rate rises from zero", unit="steps", group=TRAINING)
    n_steps: int = option(4000, "training steps, not counting pre-training", group=TRAINING)
    n_records: int = option(
        10, "maximal number of points of a training curve (lowered to a divisor of the steps)", group=TRAINING
    )

    def check(self) -> None:
        """Raise ``ValueError`` for options that are inconsistent."""
        check_choice("network", self.network, NETWORKS)
        check_choice("objective", self.objective, OBJECTIVES)
        check_real("temperature", self.temperature, positive=True)
        if self.largest_prior is not None and not self.repeats_classes:
            raise invalid(
                "largest_prior",
                "none without repeats_classes, where each class occurs once in a batch",
                self.largest_prior,
            )
        if self.network == "free" and self.objective != "contrastive":
            raise invalid("objective", "contrastive with network=free", self.objective)
        if self.network == "free" and self.masked_steps:
            raise invalid("masked_steps", "0 with network=free, which has no word input", self.masked_steps)
        if self.objective == "classification" and self.masked_steps:
            raise invalid(
                "masked_steps", "0 with objective=classification, which uses the only readout", self.masked_steps
            )

    @property
    def class_priors(self) -> tuple[float, ...] | None:
        """``K`` priors; None for equal ones."""
        from theory.contextual_embeddings import one_large_class

        return None if self.largest_prior is None else one_large_class(self.n_classes, self.largest_prior)

    @property
    def pins_sentences(self) -> bool:
        """Whether a simplex of sentence vectors minimises the loss: with cosines, or with vectors of length at most 1.

        With dot products LayerNorm bounds the mean and the first token, but not the vector of largest entries.
        """
        is_pinned = not (self.affine and self.network == "encoder") and self.pooling != "max"
        return self.objective == "contrastive" and (self.similarity == "cosine" or is_pinned)

    @property
    def sets_tokens(self) -> bool:
        """Whether the loss also determines every token.

        It does under mean pooling with dot products, as a mean of unit length requires equal tokens; and under max
        pooling with cosines where LayerNorm centres the tokens: ``sum_i z_i >= sum_i x_li = 0`` for each token ``x_l``
        of a sentence ``z``; the vectors of a simplex sum to zero, so equality holds, and ``x_l <= z`` implies
        ``x_l = z``.
        """
        is_free = self.network == "free"
        is_centred = self.free_norm == "layer" if is_free else not self.affine
        by_mean = self.pooling == "mean" and self.similarity == "dot"
        by_max = self.pooling == "max" and self.similarity == "cosine" and is_centred
        return self.pins_sentences and (by_mean or by_max)
