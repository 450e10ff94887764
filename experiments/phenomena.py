"""The phenomena that experiments are about."""

from experiments.classes import NEURAL_COLLAPSE
from experiments.layers import LAYER_COLLAPSE
from experiments.words import FEATURE_COLLAPSE

PHENOMENA = (FEATURE_COLLAPSE, NEURAL_COLLAPSE, LAYER_COLLAPSE)
