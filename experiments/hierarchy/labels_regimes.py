"""Hierarchical labels against weight decay, across the threshold of every level."""

import numpy as np

from experiments.core.experiment import Experiment, Regime
from experiments.hierarchy.labels_configuration import LabelConfiguration
from experiments.hierarchy.phenomenon import HIERARCHICAL_LABELS

QUICK = LabelConfiguration()
# Thresholds lambda_l / (K sqrt n): 0.0425, 0.0544 and 0.0588 for 8 leaves of 4 samples, 0.0378 and 0.0522 for 9. The
# sweep has a weight decay 1 % on either side of each.
MIDDLE = (0.0376, 0.038, 0.0421, 0.0429, 0.0519, 0.0525, 0.0538, 0.0549, 0.0582, 0.0593)
DECAYS = (0.005, 0.01, 0.02, 0.03, *MIDDLE, 0.065)
# L-BFGS of an MLP takes longer to compile than Adam to train.
ADAM = {"features": "mlp", "optimizer": "adam", "learning_rate": 0.01, "schedule": "cosine", "n_steps": 2000}
PAPER = QUICK.replace(depth=5, level_eigenvalues=(0.95, 0.9, 0.8, 0.65, 0.45), feature_dim=40, n_steps=600)
# Thresholds for 32 leaves: 0.00703, 0.01016, 0.0125, 0.01406 and 0.01484; for 27: 0.00741, 0.01296 and 0.01667.
PAPER_DECAYS = tuple(np.geomspace(0.001, 0.018, 40).round(6).tolist())


def derive(dataset, plan):
    """Add c of each cell, and the predicted staircase between the cells."""
    from experiments.hierarchy import labels_derived

    return labels_derived.derive(dataset, plan)


REGIMES = (
    Regime(
        name="binary-tree",
        summary="8 leaves, 3 levels, free features",
        quick=QUICK,
        paper=PAPER,
    ),
    Regime(
        name="ternary-tree",
        summary="9 leaves, 2 levels, free features",
        quick=QUICK.replace(branching=3, depth=2, level_eigenvalues=(0.94, 0.68)),
        paper=PAPER.replace(branching=3, depth=3, level_eigenvalues=(0.9, 0.7, 0.4)),
    ),
    Regime(
        name="mlp",
        summary="an MLP on random inputs reaches the same values",
        quick=QUICK.replace(**ADAM),
        paper=PAPER.replace(**ADAM | {"n_steps": 3000}, input_dim=160),
    ),
    Regime(
        name="cyclic-confusions",
        summary="no tree: a convex problem, whose thresholds are not eigenvalues",
        quick=QUICK.replace(cyclic_confusion=0.15),
        paper=PAPER.replace(cyclic_confusion=0.15),
    ),
    Regime(
        name="equal-strengths",
        summary="null model: equal levels, also orthogonal",
        quick=QUICK.replace(level_eigenvalues=(0.8, 0.8, 0.8)),
        paper=PAPER.replace(level_eigenvalues=(0.8,) * 5),
    ),
)

EXPERIMENT = Experiment(
    name="hierarchical-labels",
    summary="which levels of a class tree are resolved at which weight decay",
    regimes=REGIMES,
    quick_time="30 s",
    paper_time="5 min (1 seed)",
    phenomenon=HIERARCHICAL_LABELS,
    vary={"quick": {"weight_decay": DECAYS}, "paper": {"weight_decay": PAPER_DECAYS}},
    seeds={"quick": 2, "paper": 8},
    derive=derive,
    figures=("hierarchy.staircase", "hierarchy.label_tree", "hierarchy.orthogonality"),
    talk=("hierarchy.staircase", "Which levels of a tree are resolved?"),
)
