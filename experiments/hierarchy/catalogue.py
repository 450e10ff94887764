"""What the experiments on hierarchy add to the commands, see :mod:`experiments.catalogue`."""

from experiments.catalogue import Catalogue, Entry

CATALOGUE = Catalogue(
    position=5,
    experiments={
        "hierarchical-labels": "experiments.hierarchy.labels_regimes:EXPERIMENT",
        "deep-linear-networks": "experiments.hierarchy.linear_regimes:EXPERIMENT",
    },
    phenomena={
        "hierarchical-labels": "experiments.hierarchy.phenomenon:HIERARCHICAL_LABELS",
        "deep-linear-networks": "experiments.hierarchy.phenomenon:DEEP_LINEAR_NETWORKS",
    },
    predictors={
        "hierarchical-labels": "experiments.hierarchy.labels_predict:PREDICTOR",
        "deep-linear-networks": "experiments.hierarchy.linear_predict:PREDICTOR",
    },
    claims={
        "hierarchy": "experiments.hierarchy.claims.suite:check_hierarchy",
    },
    atlas=(
        Entry(
            name="hierarchical-labels",
            experiment="hierarchical-labels",
            source="this project",
            predicts="resolved levels of a tree of classes",
            arrays=("level_strengths",),
        ),
        Entry(
            name="deep-linear-networks",
            experiment="deep-linear-networks",
            source="Saxe, McClelland, Ganguli 2019",
            predicts="learning of singular values",
            arrays=("strengths",),
        ),
    ),
)
