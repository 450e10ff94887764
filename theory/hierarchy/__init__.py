"""Hierarchy: the order in which a tree is learned, its strength in each layer, and the geometry that it converges to.

`predict_labels` returns the minimiser of free features with hierarchical labels, `predict_deep_linear` the modes of a
deep linear network over training.

* `tree`: balanced trees and the matrices of their leaves.
* `label_task`, `labels`, `convex_labels`: hierarchical labels; proofs in `theory/hierarchical_labels.md`.
* `modes`, `riccati`, `deep_linear`: deep linear networks from aligned, balanced and small initialisations.
"""

from typing import TYPE_CHECKING

from theory.lazy import hand_on

if TYPE_CHECKING:
    from theory.hierarchy.deep_linear import (
        STARTS,
        Levels,
        LinearPrediction,
        ModePath,
        find_levels,
        layer_exponents,
        predict_deep_linear,
        predict_path,
        require_learning_rate,
    )
    from theory.hierarchy.label_task import LabelTask, cyclic_targets, require_task
    from theory.hierarchy.labels import LabelPrediction, level_strengths, predict_labels, resolved_rank
    from theory.hierarchy.modes import STABLE_STEPS
    from theory.hierarchy.tree import Tree

__all__ = [
    "STABLE_STEPS",
    "STARTS",
    "LabelPrediction",
    "LabelTask",
    "Levels",
    "LinearPrediction",
    "ModePath",
    "Tree",
    "cyclic_targets",
    "find_levels",
    "layer_exponents",
    "level_strengths",
    "predict_deep_linear",
    "predict_labels",
    "predict_path",
    "require_learning_rate",
    "require_task",
    "resolved_rank",
]

__getattr__, __dir__ = hand_on(
    __name__,
    {
        "deep_linear": (
            "STARTS",
            "Levels",
            "LinearPrediction",
            "ModePath",
            "find_levels",
            "layer_exponents",
            "predict_deep_linear",
            "predict_path",
            "require_learning_rate",
        ),
        "label_task": ("LabelTask", "cyclic_targets", "require_task"),
        "labels": ("LabelPrediction", "level_strengths", "predict_labels", "resolved_rank"),
        "modes": ("STABLE_STEPS",),
        "tree": ("Tree",),
    },
)
