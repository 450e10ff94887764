"""What the experiments on collapse in deep networks add to the commands, see :mod:`experiments.catalogue`."""

from experiments.catalogue import Catalogue

CATALOGUE = Catalogue(
    position=3,
    experiments={
        "deep-networks": "experiments.layer_collapse.deep_networks:EXPERIMENT",
    },
    phenomena={
        "layer-collapse": "experiments.layer_collapse.phenomenon:LAYER_COLLAPSE",
    },
)
