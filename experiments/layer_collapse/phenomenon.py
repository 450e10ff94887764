"""Deep networks on sentences: the collapse of each layer, compared with the theory of two layers."""

from experiments.core.phenomenon import Phenomenon
from experiments.layer_collapse.configuration import LayerConfiguration
from experiments.layer_collapse.reference import check_theory, predict
from experiments.layer_collapse.training_spec import make_training_spec


def _load_comparison():
    from experiments.layer_collapse.comparison import COMPARISON

    return COMPARISON


LAYER_COLLAPSE = Phenomenon(
    name="layer-collapse",
    configuration=LayerConfiguration,
    check_theory=check_theory,
    make_training_spec=make_training_spec,
    predict=predict,
    load_comparison=_load_comparison,
    figures=("layer_collapse.deep_networks",),
)
