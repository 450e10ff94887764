"""The accuracy of the formulas over sizes, weight decays, word frequencies, and numbers of latents up to all."""

from experiments.core.experiment import Experiment, Regime
from experiments.feature_collapse.configuration import WordConfiguration
from experiments.feature_collapse.phenomenon import FEATURE_COLLAPSE

# L-BFGS on the population risk, which converges to float32 rounding in 25 to 150 steps.
POPULATION = WordConfiguration(
    source="population", optimizer="lbfgs", initial_scale=0.3, n_steps=400, n_records=16, until="gradient-norm=3e-6"
)
THREE_CONCEPTS = POPULATION.replace(n_concepts=3, n_words=6, sentence_length=4, n_classes=40, embedding_dim=10)
LAYER_NORM = THREE_CONCEPTS.replace(layer_norm=True, embedding_weight_decay=0.0)
TWO_CONCEPTS = POPULATION.replace(n_concepts=2, n_words=4, sentence_length=5, n_classes=16, embedding_dim=4)
ALL_LATENTS = POPULATION.replace(n_concepts=4, n_words=12, sentence_length=2, n_classes="all", embedding_dim=6)

REGIMES = (
    Regime(
        name="all-latents",
        summary="all latents of 4 concepts: theorems",
        quick=ALL_LATENTS,
        paper=ALL_LATENTS.replace(sentence_length=3, embedding_dim=20),
    ),
    Regime(
        name="two-concepts",
        summary="half the latents of 2 concepts",
        quick=TWO_CONCEPTS,
        paper=TWO_CONCEPTS.replace(sentence_length=7, n_classes=64),
    ),
    Regime(
        name="three-concepts",
        summary="half the latents of 3 concepts",
        quick=THREE_CONCEPTS,
        paper=THREE_CONCEPTS.replace(sentence_length=5, n_classes=120, embedding_dim=30),
    ),
    Regime(
        name="layer-norm",
        summary="half the latents of 3 concepts, LayerNorm",
        quick=LAYER_NORM,
        paper=LAYER_NORM.replace(sentence_length=5, n_classes=120, embedding_dim=30),
    ),
)


def derive(dataset, plan):
    """Add the error of the kappa approximation from few latents to nearly all of them."""
    from experiments.feature_collapse.questions import formula_reach_derived as reach

    return reach.derive(dataset, plan)


EXPERIMENT = Experiment(
    name="formula-reach",
    summary="formulas against exact minima and training in 72 settings, and with few to all latents as classes",
    regimes=REGIMES,
    quick_time="2 min",
    paper_time="3 min (1 seed)",
    phenomenon=FEATURE_COLLAPSE,
    vary={
        "quick": {
            "weight_decay": [1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 4e-2],
            "word_frequency": ["uniform", "zipf:1", "zipf:3"],
        },
        "paper": {
            "weight_decay": [3e-5, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2],
            "word_frequency": ["uniform", "zipf:0.5", "zipf:1", "zipf:2", "zipf:3"],
        },
    },
    seeds={"quick": 3, "paper": 5},
    derive=derive,
    figures=("feature_collapse.formula_reach",),
    talk=("feature_collapse.formula_reach", "How accurate are the formulas?"),
)
