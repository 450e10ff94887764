"""Convert a configuration to the specification of a training run of a deep network."""

import dataclasses

from experiments.feature_collapse.training_spec import make_training_spec as make_word_spec
from experiments.layer_collapse.configuration import LayerConfiguration
from simlab.networks.specs import DeepClassifier
from simlab.sizes import check_array
from simlab.tasks.sentence_task import SentenceTask
from simlab.training.spec import TrainingSpec

LayerSpec = TrainingSpec[SentenceTask, DeepClassifier]


def make_training_spec(configuration: LayerConfiguration) -> LayerSpec:
    """Return the static part of the run: that of the two-layer network on the same sentences, with the deep network.

    Raises:
        ValueError: a field is out of range; the message names it.
    """
    check_array(
        "first layer",
        hidden_width=configuration.hidden_width,
        sentence_length=configuration.sentence_length,
        embedding_dim=configuration.embedding_dim,
    )
    network = DeepClassifier(
        kind=configuration.network,
        embedding_dim=configuration.embedding_dim,
        depth=configuration.depth,
        hidden_width=configuration.hidden_width,
        n_heads=configuration.n_heads,
    )
    spec: TrainingSpec = make_word_spec(configuration.words)
    return dataclasses.replace(spec, network=network)
