"""Neural collapse of balanced classes with free features (Zhu et al., arXiv 2105.02375): Type I collapse at L = 1.

A feature is the vector of a word that stands alone in its sentence, a class is a concept, and every latent is a class.
"""

import sys

from experiments.cli import main
from experiments.configuration import Configuration
from experiments.experiment import Experiment, Regime

QUICK = Configuration(
    n_concepts=10,
    n_words=200,
    sentence_length=1,
    n_classes="all",
    embedding_dim=16,
    source="population",
    optimizer="lbfgs",
    n_steps=100,
    initial_scale=0.1,
    embedding_weight_decay=5e-3,
    classifier_weight_decay=5e-3,
)

REGIME = Regime(
    name="neural-collapse",
    summary="free features, balanced classes: a simplex (Type I with L = 1)",
    quick=QUICK,
    paper=QUICK.replace(n_concepts=100, n_words=10_000, embedding_dim=128, n_steps=300).with_weight_decay(5e-4),
)

EXPERIMENT = Experiment(
    name=REGIME.name, summary=REGIME.summary, regimes=(REGIME,), quick_time="30 s", paper_time="1 min"
)

if __name__ == "__main__":
    sys.exit(main(["run", EXPERIMENT.name, *sys.argv[1:]]))
