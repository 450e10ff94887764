"""What the experiments on the modality gap add to the commands, see :mod:`experiments.catalogue`."""

from experiments.catalogue import Catalogue, Entry

CATALOGUE = Catalogue(
    position=10,
    experiments={
        "modality-gap": "experiments.modality_gap.regimes:EXPERIMENT",
        "gap-threshold": "experiments.modality_gap.gap_threshold:EXPERIMENT",
    },
    phenomena={
        "modality-gap": "experiments.modality_gap.phenomenon:MODALITY_GAP",
    },
    predictors={
        "modality-gap": "experiments.modality_gap.predict_options:PREDICTOR",
    },
    claims={
        "modality-gap": "experiments.modality_gap.claims.suite:check_modality_gap",
    },
    atlas=(
        Entry(
            name="modality-gap",
            experiment="gap-threshold",
            source="Liang et al. 2022",
            predicts="gap and loss of image and text vectors",
        ),
    ),
)
