"""What the experiments on superposition add to the commands, see :mod:`experiments.catalogue`."""

from experiments.catalogue import Catalogue, Entry

CATALOGUE = Catalogue(
    position=4,
    experiments={
        "superposition": "experiments.superposition.regimes:EXPERIMENT",
        "phase-diagram": "experiments.superposition.phase_diagram:EXPERIMENT",
        "adversarial-gain": "experiments.superposition.adversarial_gain:EXPERIMENT",
    },
    phenomena={
        "superposition": "experiments.superposition.phenomenon:SUPERPOSITION",
        "adversarial-gain": "experiments.superposition.adversarial_gain:ADVERSARIAL_GAIN",
    },
    predictors={
        "superposition": "experiments.superposition.predict_options:PREDICTOR",
    },
    claims={
        "superposition": "experiments.superposition.claims.suite:check_superposition",
    },
    atlas=(
        Entry(
            name="superposition",
            experiment="superposition",
            source="Elhage et al. 2022",
            predicts="dimensions shared by features, and loss",
        ),
    ),
)
