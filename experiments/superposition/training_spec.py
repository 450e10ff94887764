"""The training specification of an autoencoder of sparse features, built from a configuration."""

from experiments.core.training_choices import training_fields
from experiments.superposition.configuration import FeatureConfiguration
from simlab.data.sources import FreshExamples
from simlab.losses.reconstruction import Reconstruction
from simlab.networks.specs.autoencoder import Autoencoder
from simlab.tasks.sparse_features import SparseFeatures
from simlab.training.spec import TrainingSpec
from simlab.validation import check_count

FeatureSpec = TrainingSpec[SparseFeatures, Autoencoder]


def make_training_spec(configuration: FeatureConfiguration) -> FeatureSpec:
    """Return the static part of the run.

    Raises:
        ValueError: a field is out of range; the message names it.
    """
    return TrainingSpec(
        task=SparseFeatures(  # pyright: ignore[reportAbstractUsage]
            n_features=configuration.n_features,
            active_probability=configuration.active_probability,
            importance=configuration.importances,
            weights_masks=configuration.weights_masks,
        ),
        source=FreshExamples(batch_size=configuration.batch_size),
        network=Autoencoder(n_hidden=configuration.n_hidden, nonlinearity=configuration.nonlinearity),
        objective=Reconstruction(),
        n_evaluation=configuration.n_evaluation,
        **training_fields(configuration, check_count("n_steps", configuration.n_steps)),
    )
