"""The training specification of a run with hierarchical labels, built from a configuration."""

from experiments.core import training_choices
from experiments.core.training_choices import training_fields
from experiments.hierarchy.labels_configuration import LabelConfiguration
from simlab.data.sources import Population
from simlab.losses.classification import Hyperparameters
from simlab.losses.soft_cross_entropy import SoftCrossEntropy
from simlab.networks.specs import FeatureMLP, FreeFeatures
from simlab.tasks.soft_labels import SoftLabelTask, as_rows, cyclic_targets, tree_targets
from simlab.training.spec import TrainingSpec
from simlab.validation import check_choice, check_count

LabelSpec = TrainingSpec[SoftLabelTask, FreeFeatures | FeatureMLP]


def make_training_spec(configuration: LabelConfiguration) -> LabelSpec:
    """Return the static part of the run.

    Raises:
        ValueError: a field is out of range; the message names it.
    """
    check_choice("features", configuration.features, ("free", "mlp"))
    free = configuration.features == "free"
    targets = tree_targets(configuration.branching, configuration.depth, configuration.level_eigenvalues)
    if configuration.cyclic_confusion is not None:
        targets = cyclic_targets(len(targets), configuration.cyclic_confusion)
    # Training uses the population, so the task needs no sampling.
    task = SoftLabelTask(  # pyright: ignore[reportAbstractUsage]
        factor_sizes=len(targets),
        samples_per_cell=check_count("samples_per_leaf", configuration.samples_per_leaf),
        input_dim=None if free else configuration.input_dim,
        targets=as_rows(targets),
    )
    dim = check_count("feature_dim", configuration.feature_dim)
    mlp = {
        "hidden_width": configuration.hidden_width,
        "depth": check_count("hidden_layers", configuration.hidden_layers),
    }
    return TrainingSpec(
        task=task,
        source=Population(),
        network=FreeFeatures(feature_dim=dim) if free else FeatureMLP(embedding_dim=dim, **mlp),
        objective=SoftCrossEntropy(penalises_features=not free),
        n_evaluation=task.n_examples,
        **training_fields(configuration, check_count("n_steps", configuration.n_steps)),
    )


def make_hyperparameters(configuration: LabelConfiguration) -> Hyperparameters:
    """Return the traced part of the run, checked."""
    return training_choices.make_hyperparameters(
        configuration,
        SoftCrossEntropy(),
        initial_scale=configuration.initial_scale,
        embedding_weight_decay=configuration.feature_weight_decay,
        classifier_weight_decay=configuration.classifier_weight_decay,
    )
