"""Neural collapse: classification with free features, compared with the theory of unconstrained features."""

from experiments.core.phenomenon import Phenomenon
from experiments.neural_collapse.configuration import ClassConfiguration
from experiments.neural_collapse.representation import check_theory, predict
from experiments.neural_collapse.training_spec import make_hyperparameters, make_training_spec


def _load_comparison():
    from experiments.neural_collapse.comparison import COMPARISON

    return COMPARISON


NEURAL_COLLAPSE = Phenomenon(
    name="neural-collapse",
    configuration=ClassConfiguration,
    check_theory=check_theory,
    make_training_spec=make_training_spec,
    make_hyperparameters=make_hyperparameters,
    predict=predict,
    load_comparison=_load_comparison,
    keeps="trajectory",
    figures=("neural_collapse.class_means", "neural_collapse.collapse_curves"),
)
