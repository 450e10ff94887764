"""What a user may set in an experiment on adversarial gain: an autoencoder of features, or a classifier of clusters."""

from dataclasses import dataclass

from experiments.core.configuration import NETWORK, TASK, option
from experiments.superposition.configuration import FeatureConfiguration


@dataclass(frozen=True, kw_only=True)
class GainConfiguration(FeatureConfiguration):
    """All choices of a run: of a classifier of clusters with ``n_clusters``, else of an autoencoder of features."""

    n_clusters: int | None = option(
        None, "clusters of a classifier, k, in place of an autoencoder of features", group=TASK
    )
    input_dim: int = option(64, "dimension of the clusters' inputs; at least k", group=TASK)
    mean_norm: float = option(1.0, "norm of the clusters' means, |mu|", group=TASK)
    noise: float = option(0.3, "distance of inputs from their cluster's mean over |mu|, rms", group=TASK)
    n_units: int = option(32, "hidden units of the classifier, half of each sign", group=NETWORK)
