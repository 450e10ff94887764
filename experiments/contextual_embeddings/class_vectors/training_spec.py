"""The training specification of free class vectors, built from a configuration."""

from experiments.contextual_embeddings.class_vectors.configuration import ClassConfiguration
from experiments.core.training_choices import training_fields
from simlab.data.sources import FreshExamples, Population
from simlab.losses.class_contrastive import ClassContrastive, DrawnClassContrastive
from simlab.networks.specs.class_vectors import ClassVectors
from simlab.tasks.paired.class_batches import ClassBatches
from simlab.training.spec import TrainingSpec
from simlab.validation import check_count

ClassSpec = TrainingSpec[ClassBatches, ClassVectors]


def make_task(configuration: ClassConfiguration) -> ClassBatches:
    """Return the task: the distribution of classes in a batch."""
    return ClassBatches(
        n_classes=configuration.n_classes,
        batch_size=configuration.batch_size,
        repeats_classes=configuration.repeats_classes,
        class_priors=configuration.class_priors,
    )


def make_training_spec(configuration: ClassConfiguration) -> ClassSpec:
    """Return the static part of the run.

    Raises:
        ValueError: a field is out of range; the message names it.
    """
    configuration.check()
    size, n_batches = configuration.batch_size, check_count("batches_per_step", configuration.batches_per_step)
    is_drawn = configuration.negatives == "batch"
    return TrainingSpec(
        task=make_task(configuration),
        source=FreshExamples(batch_size=size * n_batches) if is_drawn and size is not None else Population(),
        network=ClassVectors(
            dim=configuration.dim,
            initial_angle=configuration.initial_angle,
            has_random_directions=configuration.random_directions,
        ),
        objective=DrawnClassContrastive(batches_per_step=n_batches) if is_drawn else ClassContrastive(),
        n_evaluation=size or 1,
        **training_fields(configuration, check_count("n_steps", configuration.n_steps)),
    )
