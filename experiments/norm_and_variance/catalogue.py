"""What the experiments on norm and variance add to the commands, see :mod:`experiments.catalogue`."""

from experiments.catalogue import Catalogue, Entry

CATALOGUE = Catalogue(
    position=12,
    experiments={
        "norm-and-variance": "experiments.norm_and_variance.regimes:EXPERIMENT",
        "variance-by-layer": "experiments.norm_and_variance.variance_by_layer:EXPERIMENT",
        "moments-precision": "experiments.norm_and_variance.moments_precision:EXPERIMENT",
        "real-encoder": "experiments.norm_and_variance.real_encoder:EXPERIMENT",
    },
    phenomena={
        "norm-and-variance": "experiments.norm_and_variance.regimes:NORM_AND_VARIANCE",
        "variance-by-layer": "experiments.norm_and_variance.variance_by_layer:VARIANCE_BY_LAYER",
        "moments-precision": "experiments.norm_and_variance.moments_precision:MOMENTS_PRECISION",
        "real-encoder": "experiments.norm_and_variance.real_encoder:REAL_ENCODER",
    },
    predictors={
        "norm-and-variance": "experiments.norm_and_variance.predict_options:PREDICTOR",
    },
    claims={
        "norm-and-variance": "experiments.norm_and_variance.claims.suite:check_norm_and_variance",
    },
    atlas=(
        Entry(
            name="norm-and-variance",
            experiment="norm-and-variance",
            source="Yamagiwa, Shimodaira 2024",
            predicts="norm of the mean and variance, by layer",
            arrays=("correlation", "mean_share"),
        ),
    ),
)
