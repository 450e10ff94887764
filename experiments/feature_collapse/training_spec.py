"""Convert a configuration to the specification of a training run on sentences."""

from experiments.core.training_choices import training_fields
from experiments.feature_collapse.configuration import WordConfiguration
from simlab.data.sources import FixedSample, FreshExamples, Population, Source
from simlab.losses.classification import CrossEntropy
from simlab.networks.specs import TwoLayer
from simlab.sizes import check_int32
from simlab.tasks.sentence_task import SentenceTask
from simlab.training.spec import TrainingSpec
from simlab.validation import check_choice, check_count, invalid

WordSpec = TrainingSpec[SentenceTask, TwoLayer]


def make_training_spec(configuration: WordConfiguration) -> WordSpec:
    """Return the static part of the run.

    Raises:
        ValueError: a field is out of range; the message names it.
    """
    configuration.check_sizes()
    task = SentenceTask(
        n_concepts=configuration.n_concepts,
        n_words=configuration.n_words,
        sentence_length=configuration.sentence_length,
        n_classes=configuration.n_classes,
        word_frequency=configuration.word_frequency,
        label_noise=configuration.label_noise,
        word_noise=configuration.word_noise,
    )
    source = _source(configuration, task)
    return TrainingSpec(
        task=task,
        source=source,
        network=TwoLayer(
            embedding_dim=configuration.embedding_dim,
            normalisation=configuration.normalised_by,
            layer_norm_epsilon=configuration.layer_norm_epsilon,
        ),
        objective=CrossEntropy(),
        n_evaluation=configuration.n_evaluation,
        **training_fields(configuration, _n_steps(configuration, source, task)),
    )


def _source(configuration: WordConfiguration, task: SentenceTask) -> Source:
    check_choice("source", configuration.source, ("fixed", "fresh", "population"))
    if configuration.source == "population":
        return Population()
    if configuration.source == "fresh":
        return FreshExamples(batch_size=check_count("batch_size", configuration.batch_size))
    per_class = check_count("per_class", configuration.per_class)
    n_examples = check_int32("per_class", per_class * task.n_classes, "the sentences of all classes")
    return FixedSample(n_examples=n_examples, batch_size=configuration.batch_size)


def _n_steps(configuration: WordConfiguration, source: Source, task: SentenceTask) -> int:
    """Return the number of training steps, from epochs or steps."""
    if (configuration.epochs is None) == (configuration.n_steps is None):
        raise invalid("epochs", "either epochs or n_steps", configuration.epochs)
    if configuration.epochs is None:
        return check_count("n_steps", configuration.n_steps)
    if not isinstance(source, FixedSample):
        wanted = f"n_steps instead, as source={configuration.source} has no epochs"
        raise invalid("epochs", wanted, configuration.epochs)
    return check_count("epochs", configuration.epochs) * source.steps_per_epoch(task)
