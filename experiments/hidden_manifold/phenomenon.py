"""The phenomenon of hidden manifolds: contrastive encoders of a circle, torus or sphere against theory."""

from experiments.core.phenomenon import Phenomenon
from experiments.hidden_manifold.configuration import ManifoldConfiguration
from experiments.hidden_manifold.reference import check_theory, predict
from experiments.hidden_manifold.training_spec import make_hyperparameters, make_training_spec


def _load_comparison():
    from experiments.hidden_manifold.comparison import COMPARISON

    return COMPARISON


HIDDEN_MANIFOLD = Phenomenon(
    name="hidden-manifold",
    configuration=ManifoldConfiguration,
    check_theory=check_theory,
    make_training_spec=make_training_spec,
    make_hyperparameters=make_hyperparameters,
    predict=predict,
    load_comparison=_load_comparison,
    figures=("hidden_manifold.recovered", "hidden_manifold.spectra", "hidden_manifold.folds"),
)
