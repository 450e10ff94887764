"""What breaks collapse, the tail or the sample? Word frequencies and sentences per class, with and without LayerNorm.

All latents are classes, so each prediction for the population risk is a theorem, and its difference from the learned
network is due to the finite sample. L-BFGS trains on the whole sample, to the certified minimum of its risk.
"""

from experiments.core.experiment import Experiment, Regime
from experiments.feature_collapse.configuration import WordConfiguration
from experiments.feature_collapse.phenomenon import FEATURE_COLLAPSE

# With three sentences per class, a word of the uniform law occurs 4 times on average, and the rarest word of the Zipf
# laws with exponents 1 and 1.5 occurs 0.8 and 0.15 times.
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
        summary="free norms: Types I and III",
        quick=QUICK,
        paper=PAPER,
    ),
    Regime(
        name="with-layer-norm",
        summary="equal norms: Type II",
        quick=QUICK.replace(**LAYER_NORM),
        paper=PAPER.replace(**LAYER_NORM),
    ),
)


def derive(dataset, plan):
    """Add the dimensions in use, the critical sample size of collapse, and the accuracy that known words allow."""
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
