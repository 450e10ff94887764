"""Zipf words, few sentences: rare words are memorised instead of collapsing (Figure 4b)."""

import sys

from experiments.cli import main
from experiments.experiment import Experiment, Regime
from experiments.words import FEATURE_COLLAPSE
from experiments.words.configuration import PAPER, QUICK

REGIME = Regime(
    name="zipf-small-sample",
    summary="Zipf words, 5 sentences per class: no collapse, poor generalisation (Fig. 4b)",
    quick=QUICK.replace(word_frequency="zipf", per_class=5, epochs=300),
    paper=PAPER.replace(word_frequency="zipf", per_class=5, epochs=3000),
)

EXPERIMENT = Experiment(
    name=REGIME.name,
    summary=REGIME.summary,
    regimes=(REGIME,),
    quick_time="15 s",
    paper_time="16 min",
    phenomenon=FEATURE_COLLAPSE,
)

if __name__ == "__main__":
    sys.exit(main(["run", EXPERIMENT.name, *sys.argv[1:]]))
