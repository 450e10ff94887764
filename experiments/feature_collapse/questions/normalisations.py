"""Five normalisations of word vectors: which collapse, which keep the simplex, and the effect of a trainable scale."""

from experiments.core.experiment import Experiment, Regime
from experiments.feature_collapse.configuration import WordConfiguration
from experiments.feature_collapse.phenomenon import FEATURE_COLLAPSE

QUICK = WordConfiguration(
    n_words=12,
    sentence_length=2,
    n_classes="all",
    embedding_dim=6,
    source="fresh",
    batch_size=256,
    optimizer="adam",
    learning_rate=5e-3,
    initial_scale=1.0,
    n_steps=8000,
    n_records=20,
    n_evaluation=2000,
    embedding_weight_decay=0.0,
    classifier_weight_decay=2e-3,
)
PAPER = QUICK.replace(
    n_words=90, sentence_length=3, embedding_dim=20, batch_size=1024, learning_rate=1e-3, n_steps=50_000, n_records=50
)
KINDS = ["layer", "rms", "batch", "layer-affine", "rms-affine"]
AXES = {"normalisation": KINDS, "word_frequency": ["uniform", "zipf"]}


def derive(dataset, plan):
    """Add the number of live coordinates and the norms of rare words, learned and predicted."""
    from experiments.feature_collapse.questions import normalisations_derived as normalisations

    return normalisations.derive(dataset, plan)


EXPERIMENT = Experiment(
    name="normalisations",
    summary="LayerNorm, RMSNorm, BatchNorm, and trainable scales: collapse, simplex, sparsity",
    regimes=(Regime(name="normalised", summary="fresh sentences, Adam", quick=QUICK, paper=PAPER),),
    quick_time="60 s",
    paper_time="3 min (1 seed)",
    phenomenon=FEATURE_COLLAPSE,
    vary={"quick": AXES, "paper": AXES},
    seeds={"quick": 3, "paper": 3},
    derive=derive,
    figures=("feature_collapse.normalisations",),
    talk=("feature_collapse.normalisations", "Which normalisation keeps the simplex?"),
)
