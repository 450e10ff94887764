"""Label and word noise: against the exact extension of the theorems, and free against equal norms on a noisy sample."""

from experiments.core.experiment import Experiment, Regime
from experiments.feature_collapse.configuration import WordConfiguration
from experiments.feature_collapse.phenomenon import FEATURE_COLLAPSE

# All latents are classes, so that both kinds of noise act as one, of size 1 - (1 - eps)(1 - delta).
POPULATION = WordConfiguration(
    n_concepts=3,
    n_words=12,
    sentence_length=2,
    n_classes="all",
    source="population",
    embedding_dim=6,
    optimizer="lbfgs",
    initial_scale=0.3,
    n_steps=200,
    n_records=10,
    until="gradient-norm=3e-6",
)
# The rarest of 20 words occurs 4 times in 270 sentences. A gradient norm of 3e-4 suffices for the sampling error of the
# test.
SAMPLE = POPULATION.replace(
    n_words=60,
    sentence_length=3,
    word_frequency="zipf",
    source="fixed",
    per_class=10,
    batch_size="all",
    embedding_dim=8,
    until="gradient-norm=3e-4",
)
PAPER_SAMPLE = SAMPLE.replace(n_words=120, sentence_length=4, embedding_dim=12, n_steps=400)
PAPER_POPULATION = POPULATION.replace(n_words=9, sentence_length=3, embedding_dim=10, n_steps=400)
EQUAL_LENGTHS = {"layer_norm": True, "embedding_weight_decay": 0.0}

REGIMES = (
    Regime(
        name="equal-words",
        summary="equal words, every noisy sentence: Type I",
        quick=POPULATION,
        paper=PAPER_POPULATION,
    ),
    Regime(
        name="zipf-words",
        summary="Zipf words, every noisy sentence: Type III",
        quick=POPULATION.replace(word_frequency="zipf"),
        paper=PAPER_POPULATION.replace(word_frequency="zipf"),
    ),
    Regime(
        name="free-lengths",
        summary="Zipf words, few noisy sentences: Type III",
        quick=SAMPLE,
        paper=PAPER_SAMPLE,
    ),
    Regime(
        name="equal-lengths",
        summary="Zipf words, few noisy sentences, LayerNorm: Type II",
        quick=SAMPLE.replace(**EQUAL_LENGTHS),
        paper=PAPER_SAMPLE.replace(**EQUAL_LENGTHS),
    ),
    Regime(
        name="free-lengths-uniform",
        summary="control with equal words, few noisy sentences: Type I",
        quick=SAMPLE.replace(word_frequency="uniform"),
        paper=PAPER_SAMPLE.replace(word_frequency="uniform"),
    ),
    Regime(
        name="equal-lengths-uniform",
        summary="control with equal words, few noisy sentences, LayerNorm: Type II",
        quick=SAMPLE.replace(word_frequency="uniform", **EQUAL_LENGTHS),
        paper=PAPER_SAMPLE.replace(word_frequency="uniform", **EQUAL_LENGTHS),
    ),
)


def derive(dataset, plan):
    """Add predicted curves, the best weight decay of each network, and the predicted effect of unequal reliability."""
    from experiments.feature_collapse.questions import noise_derived as noise

    return noise.derive(dataset, plan)


EXPERIMENT = Experiment(
    name="noise",
    summary="label noise and word noise against theory, and equal against free norms on a noisy sample",
    regimes=REGIMES,
    quick_time="2 min",
    paper_time="3 min (1 seed)",
    phenomenon=FEATURE_COLLAPSE,
    vary={
        preset: {
            "weight_decay": [1e-3, 0.01, 0.03, 0.1, 0.3, 1.0],
            "label_noise": [0.0, 0.3, 0.6],
            "word_noise": [0.0, 0.15, 0.3, 0.6],
        }
        for preset in ("quick", "paper")
    },
    seeds={"quick": 3, "paper": 5},
    derive=derive,
    figures=("feature_collapse.noise",),
    talk=("feature_collapse.noise", "What does noise do?"),
)
