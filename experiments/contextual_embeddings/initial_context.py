"""How contextual is an untrained encoder? By layer and width, against the infinite-width kernel.

Deeper layers of a random encoder are farther from the origin, and more of their variance lies within words. The trend
needs no training.
"""

from experiments.contextual_embeddings.configuration import LanguageConfiguration
from experiments.contextual_embeddings.initial_reference import check_theory, predict
from experiments.contextual_embeddings.phenomenon import derive
from experiments.core.experiment import Experiment, Regime
from experiments.core.phenomenon import Phenomenon


def _load_comparison():
    from experiments.contextual_embeddings.initial_comparison import COMPARISON

    return COMPARISON


CONTEXT_AT_INITIALISATION = Phenomenon(
    name="context-at-initialisation",
    part_of="contextual-embeddings",
    configuration=LanguageConfiguration,
    check_theory=check_theory,
    predict=predict,
    load_comparison=_load_comparison,
)

POST = LanguageConfiguration(
    depth=4,
    activation="relu",
    zero_queries=True,
    initial_scale=0.5,
    n_evaluation=192,
    n_steps=0,
    n_records=1,
    schedule="constant",
    warmup_steps=0,
)

EXPERIMENT = Experiment(
    name="context-at-initialisation",
    summary="contextualization by layer in an untrained encoder, against its infinite-width kernel",
    regimes=(
        Regime(name="post-norm", summary="LayerNorm after each branch, ReLU", quick=POST),
        Regime(name="post-norm-gelu", summary="the same with GELU", quick=POST.replace(activation="gelu")),
        Regime(name="pre-norm", summary="LayerNorm before each branch, ReLU", quick=POST.replace(norm="pre")),
        Regime(
            name="independent-words",
            summary="nearly independent words, no position embeddings",
            quick=POST.replace(replacement=0.98, function_words=200, positions=False),
        ),
    ),
    quick_time="30 s",
    paper_time="4 min",
    phenomenon=CONTEXT_AT_INITIALISATION,
    derive=derive,
    vary={"quick": {"embedding_dim": (64, 256)}, "paper": {"embedding_dim": (32, 64, 128, 256, 512)}},
    seeds={"quick": 4, "paper": 8},
    figures=("contextual_embeddings.initial_context",),
    talk=("contextual_embeddings.initial_context", "How contextual are embeddings before training?"),
)
