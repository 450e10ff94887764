"""Options of the experiments on adversarial gain: an autoencoder of features, or a classifier of clusters."""

from dataclasses import dataclass

from experiments.core.configuration import NETWORK, TASK, option
from experiments.superposition.configuration import FeatureConfiguration


@dataclass(frozen=True, kw_only=True)
class GainConfiguration(FeatureConfiguration):
    """The options of a cluster classifier if ``n_clusters`` is set, otherwise of an autoencoder of features."""

    n_clusters: int | None = option(
        None, "number of clusters k of a classifier, which replaces the autoencoder", group=TASK
    )
    input_dim: int = option(64, "input dimension of the clusters, at least k", group=TASK)
    mean_norm: float = option(1.0, "norm of the cluster means, |mu|", group=TASK)
    noise: float = option(0.3, "rms distance of inputs from their cluster mean, over |mu|", group=TASK)
    n_units: int = option(32, "hidden units of the classifier, half with each output sign", group=NETWORK)
