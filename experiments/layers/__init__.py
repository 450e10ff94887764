"""Deep networks on sentences: how far each layer has collapsed, beside the theory of two layers."""

from experiments.layers.configuration import LayerConfiguration
from experiments.layers.reference import check_theory, predict
from experiments.layers.training_spec import make_hyperparameters, make_training_spec
from experiments.phenomenon import Phenomenon


def _load_comparison():
    from experiments.layers.comparison import COMPARISON

    return COMPARISON


LAYER_COLLAPSE = Phenomenon(
    name="layer-collapse",
    configuration=LayerConfiguration,
    check_theory=check_theory,
    make_training_spec=make_training_spec,
    make_hyperparameters=make_hyperparameters,
    predict=predict,
    load_comparison=_load_comparison,
    figures=("layer_collapse.deep_networks",),
)
