"""The background learned per core, against the number of features, the leaky slope and the background mean.

A run ends before margins matter. Its first step, from random weights, learns core but on average no background, so the
learned ratio is too low by a relative error of up to ``1/n_steps``.
"""

from experiments.core.experiment import Experiment, Regime
from experiments.feature_contamination.configuration import ContaminationConfiguration
from experiments.feature_contamination.phenomenon import FEATURE_CONTAMINATION

BASE = ContaminationConfiguration(n_records=2)
DIMENSIONS = (4, 8, 16, 32, 64, 128, 256)
SLOPES = (0.1, 0.25, 0.5, 0.75, 1.0)
MEANS = (0.0, 0.1, 0.25, 0.4, 0.75, 1.0)


def _regime(name: str, summary: str, **changes) -> Regime:
    quick = BASE.replace(**changes)
    return Regime(name=name, summary=summary, quick=quick, paper=quick.replace(batch_size=1024, n_steps=600))


def derive(dataset, plan):
    """Add the varied field and r* of each cell, and curves of r* between cells."""
    from experiments.feature_contamination import contamination_ratio_derived

    return contamination_ratio_derived.derive(dataset, plan)


EXPERIMENT = Experiment(
    name="contamination-ratio",
    summary="background learned relative to core features, by dimension, leaky slope and background mean",
    regimes=(
        *(_regime(f"d-{d}", f"{d} core and {d} background features", core_features=d) for d in DIMENSIONS),
        *(_regime(f"slope-{slope:g}", f"leaky slope {slope:g}, d = 32", leaky_slope=slope) for slope in SLOPES),
        *(_regime(f"mean-{mean:g}", f"background mean {mean:g}, d = 32", background_mean=mean) for mean in MEANS),
    ),
    quick_time="30 s",
    paper_time="60 s (1 seed)",
    phenomenon=FEATURE_CONTAMINATION,
    seeds={"quick": 4, "paper": 8},
    derive=derive,
    figures=("feature_contamination.ratio",),
    talk=("feature_contamination.ratio", "How much background do ReLU networks learn?"),
)
