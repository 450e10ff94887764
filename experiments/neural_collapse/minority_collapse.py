"""Frequent and rare classes over weight decays, through the point where the rare ones coincide (Fang et al. 2021)."""

from experiments.core.experiment import Experiment, Regime
from experiments.neural_collapse.phenomenon import NEURAL_COLLAPSE
from experiments.neural_collapse.regimes import PAPER, QUICK

REGIMES = tuple(
    Regime(
        name=f"ratio-{ratio}",
        summary=f"half the classes are {ratio} times as rare",
        quick=QUICK.replace(samples_per_class=f"step:50:{ratio}", n_steps=400),
        paper=PAPER.replace(samples_per_class=f"step:200:{ratio}", n_steps=800),
    )
    for ratio in (5, 25)
)

EXPERIMENT = Experiment(
    name="minority-collapse",
    summary="frequent and rare classes over weight decays, through minority collapse",
    regimes=REGIMES,
    quick_time="40 s",
    paper_time="15 min (1 seed)",
    phenomenon=NEURAL_COLLAPSE,
    vary={
        "quick": {"weight_decay": [1e-3, 2e-3, 3e-3, 4e-3, 5e-3, 6e-3, 8e-3, 0.01, 0.012, 0.016, 0.02, 0.026, 0.03]},
        "paper": {"weight_decay": [1e-5, 3e-5, 1e-4, 2e-4, 3e-4, 4e-4, 6e-4, 9e-4, 1.2e-3, 1.6e-3]},
    },
    seeds={"quick": 3, "paper": 3},
)
