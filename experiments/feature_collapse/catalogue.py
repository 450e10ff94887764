"""What the experiments on feature collapse add to the commands, see :mod:`experiments.catalogue`."""

from experiments.catalogue import Catalogue, Entry

CATALOGUE = Catalogue(
    position=1,
    experiments={
        "feature-collapse": "experiments.feature_collapse.regimes:EXPERIMENT",
        "uniform-small-sample": "experiments.feature_collapse.regimes:UNIFORM_SMALL_SAMPLE",
        "zipf-large-sample": "experiments.feature_collapse.regimes:ZIPF_LARGE_SAMPLE",
        "zipf-small-sample": "experiments.feature_collapse.regimes:ZIPF_SMALL_SAMPLE",
        "zipf-layer-norm": "experiments.feature_collapse.regimes:ZIPF_LAYER_NORM",
        "tail-or-sample": "experiments.feature_collapse.questions.tail_or_sample:EXPERIMENT",
        "escape": "experiments.feature_collapse.questions.escape:EXPERIMENT",
        "no-weight-decay": "experiments.feature_collapse.questions.no_weight_decay:EXPERIMENT",
        "formula-reach": "experiments.feature_collapse.questions.formula_reach:EXPERIMENT",
        "noise": "experiments.feature_collapse.questions.noise:EXPERIMENT",
        "normalisations": "experiments.feature_collapse.questions.normalisations:EXPERIMENT",
        "certified-descent": "experiments.feature_collapse.questions.certified_descent:EXPERIMENT",
    },
    phenomena={
        "feature-collapse": "experiments.feature_collapse.phenomenon:FEATURE_COLLAPSE",
    },
    predictors={
        "feature-collapse": "experiments.feature_collapse.predict_options:PREDICTOR",
    },
    claims={
        "types": "experiments.feature_collapse.claims.collapse_types:check_types",
        "zero-threshold": "experiments.feature_collapse.claims.threshold:check_threshold",
        "global-optimality": "experiments.feature_collapse.claims.optimality:check_optimality",
        "curvature": "experiments.feature_collapse.claims.curvature:check_curvature",
        "reduction": "experiments.feature_collapse.claims.reduction:check_reduction",
        "integral": "experiments.feature_collapse.claims.integral:check_integral",
        "extensions": "experiments.feature_collapse.claims.extensions:check_extensions",
    },
    atlas=(
        Entry(
            name="feature-collapse",
            experiment="feature-collapse",
            source="Laurent, von Brecht, Bresson 2023",
            predicts="norms and directions of word vectors",
        ),
    ),
)
