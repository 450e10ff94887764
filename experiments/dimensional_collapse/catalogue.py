"""What the experiments on dimensional collapse add to the commands, see :mod:`experiments.catalogue`."""

from experiments.catalogue import Catalogue, Entry

CATALOGUE = Catalogue(
    position=7,
    experiments={
        "dimensional-collapse": "experiments.dimensional_collapse.regimes:EXPERIMENT",
        "collapse-curve": "experiments.dimensional_collapse.collapse_curve:EXPERIMENT",
    },
    phenomena={
        "dimensional-collapse": "experiments.dimensional_collapse.phenomenon:DIMENSIONAL_COLLAPSE",
    },
    predictors={
        "dimensional-collapse": "experiments.dimensional_collapse.predict_options:PREDICTOR",
    },
    claims={
        "contrastive": "experiments.verification.contrastive:check_contrastive",
    },
    atlas=(
        Entry(
            name="dimensional-collapse",
            experiment="collapse-curve",
            source="Jing et al. 2022",
            predicts="variances kept by an encoder",
            arrays=("eigenvalues",),
        ),
    ),
)
