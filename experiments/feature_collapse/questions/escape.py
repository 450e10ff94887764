"""The escape from the saddle at zero: the length of the plateau, the growth rates, and the order of the modes."""

from experiments.core.experiment import Experiment, Regime
from experiments.feature_collapse.configuration import WordConfiguration
from experiments.feature_collapse.phenomenon import FEATURE_COLLAPSE

QUICK = WordConfiguration(
    n_concepts=3,
    n_words=9,
    sentence_length=2,
    n_classes="all",
    source="population",
    embedding_dim=8,
    learning_rate=0.5,
    n_steps=6000,
    n_records=500,
)
PAPER = QUICK.replace(n_words=12, sentence_length=3, embedding_dim=16, learning_rate=1.0, n_steps=8000, n_records=800)

REGIMES = (
    Regime(
        name="uniform",
        summary="equal words, all latents: two equal modes",
        quick=QUICK,
        paper=PAPER,
    ),
    Regime(
        name="zipf",
        summary="Zipf words, all latents: two equal modes, faster",
        quick=QUICK.replace(word_frequency="zipf"),
        paper=PAPER.replace(word_frequency="zipf"),
    ),
    Regime(
        name="few-classes",
        summary="four concepts, few of all latents: three modes in sequence",
        quick=QUICK.replace(n_concepts=4, n_words=12, n_classes=7),
        paper=PAPER.replace(n_concepts=4, n_words=12, n_classes=20),
    ),
)


def derive(dataset, plan):
    """Add the escape, predicted and learned."""
    from experiments.feature_collapse.questions import escape_derived as escape

    return escape.derive(dataset, plan)


EXPERIMENT = Experiment(
    name="escape",
    summary="the initial plateau over initial scales and weight decays, and the modes that end it",
    regimes=REGIMES,
    quick_time="60 s",
    paper_time="6 min (1 seed)",
    phenomenon=FEATURE_COLLAPSE,
    # Zero thresholds: 0.157, 0.173 and, depending on the seed, 0.17 to 0.18; paper: 0.096, 0.110 and about 0.12.
    vary={
        "quick": {"initial_scale": [1e-8, 1e-6, 1e-4, 1e-2], "weight_decay": [0.01, 0.04, 0.08, 0.12, 0.14, 0.15]},
        "paper": {
            "initial_scale": [1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2],
            "weight_decay": [0.005, 0.02, 0.04, 0.06, 0.08, 0.09],
        },
    },
    seeds={"quick": 3, "paper": 5},
    trajectories=True,
    derive=derive,
    figures=("feature_collapse.escape",),
    talk=("feature_collapse.escape", "How long is the initial plateau?"),
)
