"""What the experiments on hidden manifolds add to the commands, see :mod:`experiments.catalogue`."""

from experiments.catalogue import Catalogue, Entry

CATALOGUE = Catalogue(
    position=8,
    experiments={
        "hidden-manifold": "experiments.hidden_manifold.regimes:EXPERIMENT",
    },
    phenomena={
        "hidden-manifold": "experiments.hidden_manifold.phenomenon:HIDDEN_MANIFOLD",
    },
    predictors={
        "hidden-manifold": "experiments.hidden_manifold.predict_options:PREDICTOR",
    },
    atlas=(
        Entry(
            name="hidden-manifold",
            experiment="hidden-manifold",
            source="HaoChen et al. 2021",
            predicts="eigenfunctions of a manifold",
            arrays=("eigenvalues",),
        ),
    ),
)
