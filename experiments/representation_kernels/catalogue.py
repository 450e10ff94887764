"""What the experiments on representation kernels add to the commands, see :mod:`experiments.catalogue`."""

from experiments.catalogue import Catalogue, Entry

CATALOGUE = Catalogue(
    position=9,
    experiments={
        "platonic-kernels": "experiments.representation_kernels.regimes:EXPERIMENT",
    },
    phenomena={
        "platonic-kernels": "experiments.representation_kernels.phenomenon:PLATONIC_KERNELS",
    },
    predictors={
        "platonic-kernels": "experiments.representation_kernels.predict_options:PREDICTOR",
    },
    atlas=(
        Entry(
            name="platonic-kernels",
            experiment="platonic-kernels",
            source="Huh et al. 2024",
            predicts="kernels, losses and their alignment",
        ),
    ),
)
