"""Zipf words, few sentences, LayerNorm: full collapse again, on points of equal norm (Type II; Figure 4c)."""

import sys

from experiments.cli import main
from experiments.experiment import Experiment, Regime
from experiments.words import FEATURE_COLLAPSE
from experiments.words.configuration import PAPER, QUICK

REGIME = Regime(
    name="zipf-layer-norm",
    summary="Zipf words, 5 sentences per class, LayerNorm: Type II collapse (Fig. 4c)",
    quick=QUICK.replace(word_frequency="zipf", layer_norm=True, per_class=5, embedding_weight_decay=0.0, epochs=300),
    paper=PAPER.replace(word_frequency="zipf", layer_norm=True, per_class=5, embedding_weight_decay=0.0, epochs=500),
)

EXPERIMENT = Experiment(
    name=REGIME.name,
    summary=REGIME.summary,
    regimes=(REGIME,),
    quick_time="15 s",
    paper_time="4 min",
    phenomenon=FEATURE_COLLAPSE,
)

if __name__ == "__main__":
    sys.exit(main(["run", EXPERIMENT.name, *sys.argv[1:]]))
