"""Frozen specifications of networks, which import JAX only when they build their network."""

from simlab.networks.specs.architecture import Architecture, check_architecture
from simlab.networks.specs.deep_classifier import DeepClassifier
from simlab.networks.specs.feature_mlp import FeatureMLP
from simlab.networks.specs.free_features import FreeFeatures
from simlab.networks.specs.two_layer import TwoLayer
from simlab.networks.specs.vector_measures import VectorMeasures

__all__ = [
    "Architecture",
    "DeepClassifier",
    "FeatureMLP",
    "FreeFeatures",
    "TwoLayer",
    "VectorMeasures",
    "check_architecture",
]
