"""What breaks collapse, the tail or the sample? Word frequencies against sentences per class, both networks.

All latents are classes, so that each prediction for the true risk is a theorem, and what is left between it and the
learned network is owed to the sample. The whole sample is descended by L-BFGS, to the certified minimum of its risk.
"""

from experiments.core.experiment import Experiment, Regime
from experiments.feature_collapse.configuration import WordConfiguration
from experiments.feature_collapse.phenomenon import FEATURE_COLLAPSE

# Three sentences per class hold a word of the uniform law 4 times, the rarest of the Zipf laws of exponents 1 and 1.5
# hardly at all: 0.8 and 0.15 times.
QUICK = WordConfiguration(
    n_concepts=3,
    n_words=240,
    sentence_length=4,
    n_classes="all",
    embedding_dim=20,
    batch_size="all",
    optimizer="lbfgs",
    initial_scale=0.1,
    n_steps=100,
    n_records=10,
    until="gradient-norm=1e-4",
).replace(weight_decay=4e-3)
PAPER = QUICK.replace(n_words=600, embedding_dim=50, n_steps=300, n_records=20, weight_decay=1e-3)
LAYER_NORM = {"layer_norm": True, "embedding_weight_decay": 0.0}

REGIMES = (
    Regime(
        name="without-layer-norm",
        summary="lengths are free: Types I and III",
        quick=QUICK,
        paper=PAPER,
    ),
    Regime(
        name="with-layer-norm",
        summary="all words are equally long: Type II",
        quick=QUICK.replace(**LAYER_NORM),
        paper=PAPER.replace(**LAYER_NORM),
    ),
)


def derive(dataset, plan):
    """Add the dimensions in use, the sample size at which collapse begins, and what the words of a sample can tell."""
    from experiments.feature_collapse.questions import tail_or_sample_derived as sampling

    return sampling.derive(dataset, plan)


LAWS = ["zipf:0", "zipf:0.5", "zipf:1", "zipf:1.5"]

EXPERIMENT = Experiment(
    name="tail-or-sample",
    summary="what breaks collapse: few sentences or rare words",
    regimes=REGIMES,
    quick_time="2 min",
    paper_time="5 min (1 seed)",
    phenomenon=FEATURE_COLLAPSE,
    vary={
        "quick": {"word_frequency": LAWS, "per_class": [3, 10, 60]},
        "paper": {"word_frequency": LAWS, "per_class": [1, 2, 5, 10, 20, 50, 100, 200, 500]},
    },
    seeds={"quick": 3, "paper": 3},
    derive=derive,
    figures=("feature_collapse.tail_or_sample", "feature_collapse.eight_panels"),
    talk=("feature_collapse.tail_or_sample", "What breaks collapse: the tail or the sample?"),
)
