"""The training specification of an autoencoder of features or a classifier of clusters, built from a configuration."""

from experiments.core.training_choices import training_fields
from experiments.superposition import training_spec
from experiments.superposition.gain_configuration import GainConfiguration
from experiments.superposition.training_spec import FeatureSpec
from simlab.data.sources import FreshExamples
from simlab.losses.logistic import Logistic
from simlab.networks.specs.signed_relu import SignedReLU
from simlab.tasks.orthogonal_clusters import OrthogonalClusters
from simlab.training.spec import TrainingSpec
from simlab.validation import check_count, invalid

ClusterSpec = TrainingSpec[OrthogonalClusters, SignedReLU]


def make_training_spec(configuration: GainConfiguration) -> FeatureSpec | ClusterSpec:
    """Return the static part of the run.

    Raises:
        ValueError: a field is out of range; the message names it.
    """
    if configuration.n_clusters is None:
        return training_spec.make_training_spec(configuration)
    if check_count("n_units", configuration.n_units, 2) % 2:
        raise invalid("n_units", "an even number, half of each sign", configuration.n_units)
    return TrainingSpec(
        task=OrthogonalClusters(  # pyright: ignore[reportAbstractUsage]
            n_clusters=configuration.n_clusters,
            input_dim=configuration.input_dim,
            mean_norm=configuration.mean_norm,
            noise=configuration.noise,
        ),
        source=FreshExamples(batch_size=configuration.batch_size),
        network=SignedReLU(n_hidden=configuration.n_units),
        objective=Logistic(),
        n_evaluation=configuration.n_evaluation,
        **training_fields(configuration, check_count("n_steps", configuration.n_steps)),
    )
