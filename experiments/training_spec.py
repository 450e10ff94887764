"""From a user's configuration to the specification of a training run."""

from experiments.configuration import Configuration
from simlab.sources import FixedSample, FreshSentences, Population, Source
from simlab.spec import Hyperparameters, TrainingSpec
from simlab.tasks import SentenceTask
from simlab.validation import check_choice, check_count, invalid, is_number


def make_training_spec(configuration: Configuration) -> TrainingSpec:
    """Return the static part of the run.

    Raises:
        ValueError: a field is out of range; the message names it.
    """
    task = SentenceTask(
        n_concepts=configuration.n_concepts,
        n_words=configuration.n_words,
        sentence_length=configuration.sentence_length,
        n_classes=configuration.n_classes,
        word_frequency=configuration.word_frequency,
    )
    source = _source(configuration)
    n_steps = _n_steps(configuration, source, task)
    return TrainingSpec(
        task=task,
        source=source,
        embedding_dim=configuration.embedding_dim,
        layer_norm=configuration.layer_norm,
        optimizer=configuration.optimizer,
        n_steps=n_steps,
        steps_per_record=_steps_per_record(n_steps, configuration.n_records),
        n_evaluation=configuration.n_evaluation,
        until_gradient_norm=_gradient_norm(configuration.until),
        precision=configuration.precision,
    )


def make_hyperparameters(configuration: Configuration) -> Hyperparameters:
    """Return the traced part of the run, checked."""
    return Hyperparameters(
        learning_rate=configuration.learning_rate,
        initial_scale=configuration.initial_scale,
        embedding_weight_decay=configuration.embedding_weight_decay,
        classifier_weight_decay=configuration.classifier_weight_decay,
    ).check()


def _gradient_norm(until: str | None) -> float | None:
    """Return the gradient norm at which a member stops, from ``gradient-norm=X``."""
    if until is None:
        return None
    name, _, value = until.partition("=")
    if name.replace("_", "-") != "gradient-norm" or not is_number(value):
        raise invalid("until", "gradient-norm=X", until)
    return float(value)


def _source(configuration: Configuration) -> Source:
    check_choice("source", configuration.source, ("fixed", "fresh", "population"))
    if configuration.source == "population":
        return Population()
    if configuration.source == "fresh":
        return FreshSentences(batch_size=configuration.batch_size)
    return FixedSample(per_class=configuration.per_class, batch_size=configuration.batch_size)


def _n_steps(configuration: Configuration, source: Source, task: SentenceTask) -> int:
    """Return the number of training steps, from epochs or steps."""
    if (configuration.epochs is None) == (configuration.n_steps is None):
        raise invalid("epochs", "either epochs or n_steps", configuration.epochs)
    if configuration.epochs is None:
        return check_count("n_steps", configuration.n_steps)
    if not isinstance(source, FixedSample):
        raise invalid("epochs", f"n_steps instead, as source={configuration.source} has none", configuration.epochs)
    return check_count("epochs", configuration.epochs) * source.steps_per_epoch(task)


def _steps_per_record(n_steps: int, n_records: int) -> int:
    """Return the steps between records: at most ``n_records`` of them, equally far apart."""
    wanted = min(check_count("n_records", n_records), n_steps)
    return n_steps // max(n for n in range(1, wanted + 1) if n_steps % n == 0)
