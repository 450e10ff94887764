"""Norm of the mean against variance by layer: untrained, trained on masked words, and contrastively trained."""

from experiments.contextual_embeddings.configuration import LanguageConfiguration
from experiments.contextual_embeddings.training_spec import make_training_spec
from experiments.core.experiment import Experiment, Regime
from experiments.core.phenomenon import Phenomenon
from experiments.norm_and_variance.layers_reference import check_theory, predict


def _load_comparison():
    from experiments.norm_and_variance.layers_comparison import load

    return load()


NORM_AND_VARIANCE = Phenomenon(
    name="norm-and-variance",
    configuration=LanguageConfiguration,
    check_theory=check_theory,
    make_training_spec=make_training_spec,
    predict=predict,
    load_comparison=_load_comparison,
    keeps="initial",
)

# A small language of eight classes: three positions for the exclusive concept, five for one that two classes share.
SMALL = LanguageConfiguration(
    n_classes=8,
    exclusive=3,
    shared="5:2",
    words_per_concept=4,
    n_evaluation=96,
    batch_size=8,
    zero_queries=True,
    n_steps=0,
    n_records=1,
    schedule="constant",
    warmup_steps=0,
)
LARGE = SMALL.replace(n_classes=24, shared="3:3,2:8", words_per_concept=8, batch_size=24, n_evaluation=192)
TRAINING = {"schedule": "warmup-cosine", "warmup_steps": 50}


def contrastive(start: LanguageConfiguration, n_steps: int) -> LanguageConfiguration:
    """Return a configuration trained on pairs of sentences of the same class."""
    return start.replace(**TRAINING, n_steps=n_steps)


def masked(start: LanguageConfiguration, n_steps: int) -> LanguageConfiguration:
    """Return a configuration trained on masked words only, at a constant learning rate."""
    return start.replace(masked_steps=n_steps, pretraining_rate=2e-3)


REGIMES = (
    Regime(
        "contrastive", "post-norm, trained on pairs of sentences", contrastive(SMALL, 400), contrastive(LARGE, 4000)
    ),
    Regime(
        "contrastive-affine",
        "the same with scale and offset in each LayerNorm",
        contrastive(SMALL.replace(affine=True), 400),
        contrastive(LARGE.replace(affine=True), 4000),
    ),
    Regime(
        "contrastive-pre",
        "pre-norm, trained on pairs of sentences",
        contrastive(SMALL.replace(norm="pre"), 400),
        contrastive(LARGE.replace(norm="pre"), 4000),
    ),
    Regime("hidden-words", "post-norm, trained on masked words", masked(SMALL, 400), masked(LARGE, 2500)),
)

EXPERIMENT = Experiment(
    name="norm-and-variance",
    summary="variance against norm of the mean by layer, before and after training: a two-parameter formula",
    regimes=REGIMES,
    quick_time="60 s",
    paper_time="29 min",
    phenomenon=NORM_AND_VARIANCE,
    seeds={"quick": 1, "paper": 3},
    figures=("norm_and_variance.trade_off",),
)
