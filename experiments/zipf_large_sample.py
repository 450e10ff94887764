"""Zipf words, many sentences: one direction per concept, longer for frequent words (Type III; Figure 4a)."""

import sys

from experiments.cli import main
from experiments.experiment import Experiment, Regime
from experiments.words import FEATURE_COLLAPSE
from experiments.words.configuration import PAPER, QUICK

REGIME = Regime(
    name="zipf-large-sample",
    summary="Zipf words, 500 sentences per class: Type III collapse (Fig. 4a)",
    quick=QUICK.replace(word_frequency="zipf", per_class=200, epochs=8),
    paper=PAPER.replace(word_frequency="zipf", per_class=500, epochs=10),
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
