"""Neural collapse: classes of samples whose features are free, held against the theory of unconstrained features."""

from experiments.classes.configuration import ClassConfiguration
from experiments.classes.representation import check_theory, predict
from experiments.classes.training_spec import make_hyperparameters, make_training_spec
from experiments.phenomenon import Phenomenon


def _load_comparison():
    from experiments.classes.comparison import COMPARISON

    return COMPARISON


NEURAL_COLLAPSE = Phenomenon(
    name="neural-collapse",
    configuration=ClassConfiguration,
    check_theory=check_theory,
    make_training_spec=make_training_spec,
    make_hyperparameters=make_hyperparameters,
    predict=predict,
    load_comparison=_load_comparison,
    keeps_path=True,
    figures=("neural_collapse.class_means", "neural_collapse.collapse_curves"),
)
