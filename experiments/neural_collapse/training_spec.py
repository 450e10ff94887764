"""Convert a configuration to the specification of a training run on classes."""

from experiments.core import training_choices
from experiments.core.training_choices import training_fields
from experiments.neural_collapse.configuration import ClassConfiguration
from simlab.data.sources import Population
from simlab.losses.classification import CrossEntropy, Hyperparameters
from simlab.networks.specs import FeatureMLP, FreeFeatures
from simlab.tasks.labelled_samples import LabelledTask
from simlab.training.spec import TrainingSpec
from simlab.validation import check_choice, check_count

ClassSpec = TrainingSpec[LabelledTask, FreeFeatures | FeatureMLP]


def make_training_spec(configuration: ClassConfiguration) -> ClassSpec:
    """Return the static part of the run.

    Raises:
        ValueError: a field is out of range; the message names it.
    """
    check_choice("features", configuration.features, ("free", "mlp"))
    free = configuration.features == "free"
    # Training uses the population, so the task need not draw examples.
    task = LabelledTask(  # pyright: ignore[reportAbstractUsage]
        factor_sizes=configuration.sizes,
        samples_per_cell=configuration.counts,
        input_dim=None if free else configuration.input_dim,
    )
    dim = check_count("feature_dim", configuration.feature_dim)
    mlp = {"hidden_width": configuration.hidden_width, "depth": configuration.depth}
    return TrainingSpec(
        task=task,
        source=Population(),
        network=FreeFeatures(feature_dim=dim) if free else FeatureMLP(embedding_dim=dim, **mlp),
        objective=CrossEntropy(penalises_features=not free),
        n_evaluation=task.n_examples,
        **training_fields(configuration, check_count("n_steps", configuration.n_steps)),
    )


def make_hyperparameters(configuration: ClassConfiguration) -> Hyperparameters:
    """Return the checked traced part of the run."""
    return training_choices.make_hyperparameters(
        configuration,
        CrossEntropy(),
        initial_scale=configuration.initial_scale,
        embedding_weight_decay=configuration.feature_weight_decay,
        classifier_weight_decay=configuration.classifier_weight_decay,
    )
