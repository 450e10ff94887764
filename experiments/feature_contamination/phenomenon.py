"""The phenomenon of feature contamination: two-layer networks on signed features against ODEs of their neurons."""

from experiments.core.phenomenon import Phenomenon
from experiments.feature_contamination.configuration import ContaminationConfiguration
from experiments.feature_contamination.reference import check_theory, predict
from experiments.feature_contamination.training_spec import make_traced, make_training_spec


def _load_comparison():
    from experiments.feature_contamination.comparison import COMPARISON

    return COMPARISON


FEATURE_CONTAMINATION = Phenomenon(
    name="feature-contamination",
    configuration=ContaminationConfiguration,
    check_theory=check_theory,
    make_training_spec=make_training_spec,
    make_hyperparameters=make_traced,
    predict=predict,
    load_comparison=_load_comparison,
    keeps="initial",
)
