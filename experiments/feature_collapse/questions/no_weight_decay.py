"""No weight decay: whether directions still collapse, how norms grow, and how the effect of word frequencies fades."""

from experiments.core.experiment import Experiment, Regime
from experiments.feature_collapse.configuration import WordConfiguration
from experiments.feature_collapse.phenomenon import FEATURE_COLLAPSE

QUICK = WordConfiguration(
    n_concepts=3,
    n_words=12,
    sentence_length=2,
    n_classes="all",
    word_frequency="zipf",
    source="population",
    embedding_dim=8,
    learning_rate=2.0,
    initial_scale=1e-3,
    n_steps=20_000,
    n_records=200,
)
PAPER = QUICK.replace(n_words=15, sentence_length=3, embedding_dim=16, n_steps=200_000, n_records=400)
SAMPLE = WordConfiguration(
    n_words=90,
    sentence_length=6,
    n_classes=60,
    word_frequency="zipf",
    per_class=5,
    embedding_dim=12,
    learning_rate=1.0,
    initial_scale=1e-2,
    epochs=1000,
    n_evaluation=2000,
)

REGIMES = (
    Regime(
        name="population",
        summary="Zipf words, all sentences, from small weights",
        quick=QUICK,
        paper=PAPER,
    ),
    Regime(
        name="large-start",
        summary="Zipf words, all sentences, from weights a hundred times larger",
        quick=QUICK.replace(initial_scale=0.1),
        paper=PAPER.replace(initial_scale=0.1),
    ),
    Regime(
        name="few-sentences",
        summary="{word_frequency} words, {per_class} sentences per class: early stopping against weight decay",
        quick=SAMPLE,
        paper=SAMPLE.replace(n_words=600, n_classes=300, sentence_length=15, embedding_dim=30, n_evaluation=5000),
    ),
)


def derive(dataset, plan):
    """Add predicted and learned growth of norms, effect of frequencies, and early stopping."""
    from experiments.feature_collapse.questions import no_weight_decay_derived as no_weight_decay

    return no_weight_decay.derive(dataset, plan)


EXPERIMENT = Experiment(
    name="no-weight-decay",
    summary="directions, norms and effect of word frequencies without weight decay, and as it tends to zero",
    regimes=REGIMES,
    quick_time="60 s",
    paper_time="35 min (1 seed)",
    phenomenon=FEATURE_COLLAPSE,
    vary={
        "quick": {"weight_decay": [0.0, 1e-5, 1e-4, 1e-3, 1e-2]},
        "paper": {"weight_decay": [0.0, 1e-6, 1e-5, 1e-4, 3e-4, 1e-3, 3e-3]},
    },
    seeds={"quick": 3, "paper": 5},
    trajectories=True,
    derive=derive,
    figures=("feature_collapse.no_weight_decay",),
    talk=("feature_collapse.no_weight_decay", "What remains without weight decay?"),
)
