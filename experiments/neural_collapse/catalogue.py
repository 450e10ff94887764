"""What the experiments on neural collapse add to the commands, see :mod:`experiments.catalogue`."""

from experiments.catalogue import Catalogue, Entry

CATALOGUE = Catalogue(
    position=2,
    experiments={
        "neural-collapse": "experiments.neural_collapse.regimes:EXPERIMENT",
        "collapse-point": "experiments.neural_collapse.collapse_point:EXPERIMENT",
        "minority-collapse": "experiments.neural_collapse.minority_collapse:EXPERIMENT",
    },
    phenomena={
        "neural-collapse": "experiments.neural_collapse.phenomenon:NEURAL_COLLAPSE",
    },
    predictors={
        "neural-collapse": "experiments.neural_collapse.predict_options:PREDICTOR",
    },
    claims={
        "neural-collapse": "experiments.neural_collapse.claims.class_means:check_neural_collapse",
        "factor-collapse": "experiments.neural_collapse.claims.factor_collapse:check_factor_collapse",
    },
    atlas=(
        Entry(
            name="neural-collapse",
            experiment="neural-collapse",
            source="Papyan, Han, Donoho 2020",
            predicts="norms and angles of features, classifier",
        ),
    ),
)
