"""The training specification of a sentence encoder, built from a configuration."""

from experiments.contextual_embeddings.configuration import LanguageConfiguration
from experiments.contextual_embeddings.predict_options import parse_shared
from experiments.core.training_choices import training_fields
from simlab.data.sources import FreshExamples, Population
from simlab.losses.sentences import MaskedWords, SentenceClassification, SentenceContrastive
from simlab.networks.specs.free_tokens import FreeTokens
from simlab.networks.specs.sentence_encoder import SentenceEncoder
from simlab.tasks.contextual_language import ContextualLanguage
from simlab.tasks.paired.memorised_pairs import MemorisedPairs
from simlab.training.spec import Stage, TrainingSpec
from simlab.validation import check_count, invalid

SentenceSpec = TrainingSpec[ContextualLanguage, SentenceEncoder | FreeTokens]


def make_task(configuration: LanguageConfiguration) -> ContextualLanguage:
    """Return the task: the language, or one pair of its sentences per class for free tokens."""
    language = {
        "n_classes": configuration.n_classes,
        "exclusive": configuration.exclusive,
        "shared": parse_shared(configuration.shared),
        "function_words": configuration.function_words,
        "replacement": configuration.replacement,
        "words_per_concept": configuration.words_per_concept,
        "word_frequency": configuration.word_frequency,
        "class_priors": configuration.class_priors,
        "shortest": configuration.shortest,
        "repeats_classes": configuration.repeats_classes,
        "evaluation_seed": configuration.evaluation_seed,
    }
    if configuration.network == "free":
        return MemorisedPairs(**language, n_evaluation=2 * configuration.n_classes)
    return ContextualLanguage(  # pyright: ignore[reportAbstractUsage] - its population is not enumerated
        **language, n_evaluation=configuration.n_evaluation
    )


def make_training_spec(configuration: LanguageConfiguration) -> SentenceSpec:
    """Return the static part of the run.

    Raises:
        ValueError: a field is out of range; the message names it.
    """
    batch_size = check_count("batch_size", configuration.batch_size)
    source = Population() if configuration.network == "free" else FreshExamples(batch_size=batch_size)
    n_steps = check_count("n_steps", configuration.n_steps, 0)
    fields = training_fields(configuration, n_steps)
    return TrainingSpec(
        task=make_task(configuration),
        source=source,
        network=_make_network(configuration),
        objective=_make_objective(configuration),
        pretraining=_make_stages(configuration, fields["steps_per_record"]),
        n_evaluation=batch_size,
        **fields,
    )


def _make_network(configuration: LanguageConfiguration) -> SentenceEncoder | FreeTokens:
    if configuration.network == "free":
        return FreeTokens(
            embedding_dim=configuration.embedding_dim,
            pooling=configuration.pooling,
            norm=configuration.free_norm,
            initial_anisotropy=configuration.initial_anisotropy,
        )
    readout = "words" if configuration.masked_steps else "none"
    return SentenceEncoder(
        embedding_dim=configuration.embedding_dim,
        depth=configuration.depth,
        n_heads=configuration.n_heads,
        norm=configuration.norm,
        affine=configuration.affine,
        activation=configuration.activation,
        zero_queries=configuration.zero_queries,
        has_positions=configuration.positions,
        pooling=configuration.pooling,
        readout="classes" if configuration.objective == "classification" else readout,
    )


def _make_objective(configuration: LanguageConfiguration) -> SentenceContrastive | SentenceClassification:
    if configuration.objective == "classification":
        return SentenceClassification()
    return SentenceContrastive(similarity=configuration.similarity)


def _make_stages(configuration: LanguageConfiguration, steps_per_record: int) -> tuple[Stage, ...]:
    """Return the stage of masked-word pre-training, or no stage."""
    n_steps = check_count("masked_steps", configuration.masked_steps, 0)
    if not n_steps:
        return ()
    if n_steps % steps_per_record:
        wanted = f"a multiple of the {steps_per_record} steps between two records"
        raise invalid("masked_steps", wanted, n_steps)
    return (
        Stage(
            objective=MaskedWords(rate=configuration.masked_rate),
            source=FreshExamples(batch_size=configuration.batch_size),
            optimizer=configuration.optimizer,
            n_steps=n_steps,
            schedule=configuration.schedule,
            warmup_steps=configuration.warmup_steps,
            learning_rate="pretraining_rate",
        ),
    )
