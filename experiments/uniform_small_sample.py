"""Uniform words, few sentences: the words of a concept share one vector (Type I; arXiv 2305.16162, Figure 3)."""

import sys

from experiments.cli import main
from experiments.experiment import Experiment, Regime
from experiments.words import FEATURE_COLLAPSE
from experiments.words.configuration import PAPER, QUICK

REGIME = Regime(
    name="uniform-small-sample",
    summary="uniform words, 5 sentences per class: Type I collapse (Fig. 3)",
    quick=QUICK.replace(word_frequency="uniform", per_class=5, epochs=300),
    paper=PAPER.replace(word_frequency="uniform", per_class=5, epochs=1200),
)

EXPERIMENT = Experiment(
    name=REGIME.name,
    summary=REGIME.summary,
    regimes=(REGIME,),
    quick_time="15 s",
    paper_time="7 min",
    phenomenon=FEATURE_COLLAPSE,
)

if __name__ == "__main__":
    sys.exit(main(["run", EXPERIMENT.name, *sys.argv[1:]]))
