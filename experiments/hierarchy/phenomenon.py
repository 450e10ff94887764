"""The phenomena of hierarchical labels (level theorem) and deep linear networks (closed-form dynamics)."""

from experiments.core.phenomenon import Phenomenon
from experiments.hierarchy import labels_reference, labels_training_spec, linear_reference, linear_training_spec
from experiments.hierarchy.labels_configuration import LabelConfiguration
from experiments.hierarchy.linear_configuration import LinearConfiguration


def _load_labels_comparison():
    from experiments.hierarchy.labels_comparison import COMPARISON

    return COMPARISON


def _load_linear_comparison():
    from experiments.hierarchy.linear_comparison import COMPARISON

    return COMPARISON


HIERARCHICAL_LABELS = Phenomenon(
    name="hierarchical-labels",
    configuration=LabelConfiguration,
    check_theory=labels_reference.check_theory,
    make_training_spec=labels_training_spec.make_training_spec,
    make_hyperparameters=labels_training_spec.make_hyperparameters,
    predict=labels_reference.predict,
    load_comparison=_load_labels_comparison,
    figures=("hierarchy.label_tree",),
)

DEEP_LINEAR_NETWORKS = Phenomenon(
    name="deep-linear-networks",
    configuration=LinearConfiguration,
    check_theory=linear_reference.check_theory,
    make_training_spec=linear_training_spec.make_training_spec,
    predict=linear_reference.predict,
    load_comparison=_load_linear_comparison,
    keeps="trajectory",
    figures=("hierarchy.modes", "hierarchy.similarity"),
)
