"""What the experiments on feature contamination add to the commands, see :mod:`experiments.catalogue`."""

from experiments.catalogue import Catalogue, Entry

CATALOGUE = Catalogue(
    position=6,
    experiments={
        "feature-contamination": "experiments.feature_contamination.regimes:EXPERIMENT",
        "contamination-ratio": "experiments.feature_contamination.contamination_ratio:EXPERIMENT",
        "contamination-toy": "experiments.feature_contamination.contamination_toy:EXPERIMENT",
    },
    phenomena={
        "feature-contamination": "experiments.feature_contamination.phenomenon:FEATURE_CONTAMINATION",
        "contamination-toy": "experiments.feature_contamination.contamination_toy:CONTAMINATION_TOY",
    },
    predictors={
        "feature-contamination": "experiments.feature_contamination.predict_options:PREDICTOR",
    },
    claims={
        "feature-contamination": "experiments.feature_contamination.claims.suite:check_feature_contamination",
    },
    atlas=(
        Entry(
            name="feature-contamination",
            experiment="contamination-ratio",
            source="Zhang et al. 2024",
            predicts="background learned with the core",
        ),
    ),
)
