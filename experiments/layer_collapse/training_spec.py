"""From a user's configuration to the specification of a training run of a deep network."""

import dataclasses

from experiments.core import training_choices
from experiments.feature_collapse.training_spec import make_training_spec as make_word_spec
from experiments.layer_collapse.configuration import LayerConfiguration
from simlab.losses.classification import CrossEntropy, Hyperparameters
from simlab.networks.specs import DeepClassifier
from simlab.training.spec import TrainingSpec


def make_training_spec(configuration: LayerConfiguration) -> TrainingSpec:
    """Return the static part of the run: that of the two-layer network on the same sentences, with another network.

    Raises:
        ValueError: a field is out of range; the message names it.
    """
    network = DeepClassifier(
        kind=configuration.network,
        embedding_dim=configuration.embedding_dim,
        depth=configuration.depth,
        hidden_width=configuration.hidden_width,
        n_heads=configuration.n_heads,
    )
    return dataclasses.replace(make_word_spec(configuration.words), network=network)


def make_hyperparameters(configuration: LayerConfiguration) -> Hyperparameters:
    """Return the traced part of the run, checked."""
    return training_choices.make_hyperparameters(
        configuration,
        CrossEntropy(),
        initial_scale=configuration.initial_scale,
        embedding_weight_decay=configuration.embedding_weight_decay,
        classifier_weight_decay=configuration.classifier_weight_decay,
    )
