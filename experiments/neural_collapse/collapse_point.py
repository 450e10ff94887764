"""Balanced classes over weight decays, through the point where the features collapse to zero."""

from experiments.core.experiment import Experiment, Regime
from experiments.neural_collapse.phenomenon import NEURAL_COLLAPSE
from experiments.neural_collapse.regimes import PAPER, QUICK

# The predicted points are 1 / (K sqrt n): 0.0224, 0.0559 and, in the paper preset, 0.001.
REGIMES = (
    Regime(
        name="balanced",
        summary="free features",
        quick=QUICK.replace(n_steps=400),
        paper=PAPER,
    ),
    Regime(
        name="few-classes",
        summary="free features, 4 classes",
        quick=QUICK.replace(n_classes=4, n_steps=400),
        paper=PAPER.replace(n_classes=4, samples_per_class=62_500, n_steps=400),
    ),
)

EXPERIMENT = Experiment(
    name="collapse-point",
    summary="balanced classes over weight decays, through total collapse",
    regimes=REGIMES,
    quick_time="30 s",
    paper_time="10 min (1 seed)",
    phenomenon=NEURAL_COLLAPSE,
    vary={
        "quick": {"weight_decay": [1e-3, 2e-3, 4e-3, 8e-3, 0.012, 0.016, 0.019, 0.021, 0.024, 0.03, 0.04, 0.05, 0.06]},
        "paper": {"weight_decay": [1e-5, 3e-5, 1e-4, 2e-4, 4e-4, 6e-4, 8e-4, 9e-4, 9.5e-4, 1.05e-3, 1.2e-3]},
    },
    seeds={"quick": 3, "paper": 3},
)
