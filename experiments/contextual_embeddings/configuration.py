"""What a user may set in an experiment on sentences of a language: the language, the encoder, the training."""

from dataclasses import dataclass

from experiments.contextual_embeddings.predict_options import LanguageOptions
from experiments.core.configuration import NETWORK, TASK, TRAINING, Configuration, option, option_of
from simlab.validation import check_choice, check_real, invalid

NETWORKS = ("encoder", "free")
OBJECTIVES = ("contrastive", "classification")


@dataclass(frozen=True, kw_only=True)
class LanguageConfiguration(Configuration):
    """All choices of a run on sentences whose class is a latent."""

    n_classes: int = option_of(LanguageOptions, "n_classes")
    exclusive: int = option_of(LanguageOptions, "exclusive")
    shared: str = option_of(LanguageOptions, "shared")
    function_words: int = option_of(LanguageOptions, "function_words")
    replacement: float = option_of(LanguageOptions, "replacement")
    largest_prior: float | None = option_of(LanguageOptions, "largest_prior")
    words_per_concept: int = option(8, "words of each concept", group=TASK)
    word_frequency: str = option("zipf", "of the words of a concept: uniform, zipf or zipf:EXPONENT", group=TASK)
    shortest: int | None = option(
        None, "fewest words of a sentence; all have one length, if not given", unit="words", group=TASK
    )
    n_evaluation: int = option(480, "sentences on which tokens are measured", group=TASK)
    evaluation_seed: int = option(0, "draws them", group=TASK)
    network: str = option(
        "encoder", "encoder (a transformer), or free (a vector for each occurrence in two sentences of each class)",
        group=NETWORK,
    )  # fmt: skip
    embedding_dim: int = option(48, "d", group=NETWORK)
    depth: int = option(2, "blocks of the encoder", group=NETWORK)
    n_heads: int = option(4, "of each attention, a divisor of d", group=NETWORK)
    norm: str = option("post", "LayerNorm behind each branch (post) or before it (pre)", group=NETWORK)
    affine: bool = option(False, "whether LayerNorms have scale and offset", group=NETWORK)
    activation: str = option("gelu", "of the feed-forward networks: relu or gelu", group=NETWORK)
    zero_queries: bool = option(False, "whether query weights are zero at first", group=NETWORK)
    positions: bool = option(True, "whether the encoder tells positions apart", group=NETWORK)
    pooling: str = option("mean", "of the tokens to a sentence's vector: mean, cls or max", group=NETWORK)
    initial_anisotropy: float = option(0.3, "of free tokens, about their mean cosine", group=NETWORK)
    free_norm: str = option("layer", "of free tokens: layer, or rms, which does not centre them", group=NETWORK)
    initial_scale: float = option(0.3, "standard deviation of initial embeddings and positions", group=TRAINING)
    objective: str = option("contrastive", "contrastive (InfoNCE), or classification of sentences", group=TRAINING)
    similarity: str = option("dot", "of sentences' vectors: dot or cosine", group=TRAINING)
    temperature: float = option(0.5, "tau", group=TRAINING)
    batch_size: int = option(24, "pairs of a batch", group=TRAINING)
    repeats_classes: bool = option(
        False, "whether the classes of a batch are drawn independently; else they all differ", group=TRAINING
    )
    masked_steps: int = option(0, "steps of a first stage, on words that are hidden", group=TRAINING)
    masked_rate: float = option(0.15, "probability that a word is hidden in that stage", group=TRAINING)
    pretraining_rate: float = option(5e-3, "learning rate of that stage", group=TRAINING)
    decoupled_weight_decay: float = option(1e-3, "of AdamW", group=TRAINING)
    optimizer: str = option("adamw", "an optax optimiser with a weight decay of its own", group=TRAINING)
    learning_rate: float = option(5e-3, "learning rate, at its highest", group=TRAINING)
    schedule: str = option(
        "warmup-cosine", "of the learning rate: constant, cosine (to zero) or warmup-cosine", group=TRAINING
    )
    warmup_steps: int = option(100, "over which the learning rate rises from zero", unit="steps", group=TRAINING)
    n_steps: int = option(4000, "training steps, without those of the first stage", group=TRAINING)
    n_records: int = option(10, "points of a training curve, at most (a divisor of the steps is taken)", group=TRAINING)

    def check(self) -> None:
        """Raise ``ValueError`` for choices that do not fit each other."""
        check_choice("network", self.network, NETWORKS)
        check_choice("objective", self.objective, OBJECTIVES)
        check_real("temperature", self.temperature, positive=True)
        if self.largest_prior is not None and not self.repeats_classes:
            raise invalid(
                "largest_prior", "none, or repeats_classes, as else all classes are alike", self.largest_prior
            )
        if self.network == "free" and self.objective != "contrastive":
            raise invalid("objective", "contrastive with network=free", self.objective)
        if self.network == "free" and self.masked_steps:
            raise invalid("masked_steps", "0 with network=free, which reads no words", self.masked_steps)
        if self.objective == "classification" and self.masked_steps:
            raise invalid("masked_steps", "0 with objective=classification: there is one readout", self.masked_steps)

    @property
    def class_priors(self) -> tuple[float, ...] | None:
        """``K`` priors; None for equal ones."""
        from theory.contextual_embeddings import one_large_class

        return None if self.largest_prior is None else one_large_class(self.n_classes, self.largest_prior)

    @property
    def pins_sentences(self) -> bool:
        """Whether the loss has its minimum at a simplex of sentences: by cosine, or as no vector is longer than 1.

        Of dot products the mean or the first of tokens that LayerNorm pins; the largest entries may be longer.
        """
        is_pinned = not (self.affine and self.network == "encoder") and self.pooling != "max"
        return self.objective == "contrastive" and (self.similarity == "cosine" or is_pinned)

    @property
    def sets_tokens(self) -> bool:
        """Whether the loss decides every token too.

        Under mean pooling with dot products, as a mean of unit length needs equal tokens. Under max pooling with
        cosines where LayerNorm centres the tokens: ``sum_i z_i >= sum_i x_li = 0`` for each token ``x_l`` of a sentence
        ``z``; the vectors of a simplex sum to zero, so equality holds for each, and ``x_l <= z`` makes ``x_l = z``.
        """
        is_free = self.network == "free"
        is_centred = self.free_norm == "layer" if is_free else not self.affine
        by_mean = self.pooling == "mean" and self.similarity == "dot"
        by_max = self.pooling == "max" and self.similarity == "cosine" and is_centred
        return self.pins_sentences and (by_mean or by_max)
