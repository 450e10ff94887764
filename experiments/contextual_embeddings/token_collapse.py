"""Does every token collapse to its sentence's class vector? The self-similarity of a word t is then C_t."""

from experiments.contextual_embeddings.configuration import LanguageConfiguration
from experiments.contextual_embeddings.phenomenon import CONTEXTUAL_EMBEDDINGS, derive
from experiments.core.experiment import Experiment, Regime

REFERENCE = LanguageConfiguration()

EXPERIMENT = Experiment(
    name="token-collapse",
    summary="with mean pooling and dot products every token collapses to its sentence's class vector",
    regimes=(
        Regime(
            name="reference",
            summary="24 classes; words exclusive to one class, shared by 3 or 8, and function words",
            quick=REFERENCE,
            paper=REFERENCE.replace(n_steps=10000, n_evaluation=960),
        ),
    ),
    quick_time="60 s",
    paper_time="17 min",
    phenomenon=CONTEXTUAL_EMBEDDINGS,
    derive=derive,
    seeds={"quick": 3, "paper": 5},
    figures=("contextual_embeddings.token_collapse", "contextual_embeddings.variance_shares"),
    talk=("contextual_embeddings.token_collapse", "What does a contextual embedding represent?"),
)
