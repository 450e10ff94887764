"""The phenomenon of superposition: autoencoders of sparse features against the predicted geometry."""

from experiments.core.phenomenon import Phenomenon
from experiments.superposition.configuration import FeatureConfiguration
from experiments.superposition.reference import check_theory, predict, predict_all
from experiments.superposition.training_spec import make_training_spec


def _load_comparison():
    from experiments.superposition.comparison import COMPARISON

    return COMPARISON


SUPERPOSITION = Phenomenon(
    name="superposition",
    configuration=FeatureConfiguration,
    check_theory=check_theory,
    make_training_spec=make_training_spec,
    predict=predict,
    predict_all=predict_all,
    load_comparison=_load_comparison,
    figures=("superposition.polygons",),
)
