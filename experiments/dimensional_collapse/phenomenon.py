"""The phenomenon of dimensional collapse: linear contrastive encoders against the predicted spectrum."""

from experiments.core.phenomenon import Phenomenon
from experiments.dimensional_collapse.configuration import PairConfiguration
from experiments.dimensional_collapse.reference import check_theory, predict
from experiments.dimensional_collapse.training_spec import make_training_spec


def _load_comparison():
    from experiments.dimensional_collapse.comparison import COMPARISON

    return COMPARISON


DIMENSIONAL_COLLAPSE = Phenomenon(
    name="dimensional-collapse",
    configuration=PairConfiguration,
    check_theory=check_theory,
    make_training_spec=make_training_spec,
    predict=predict,
    load_comparison=_load_comparison,
    figures=("dimensional_collapse.spectra",),
)
