"""Does every token become the vector of its sentence's class? The self-similarity of any word is C_t then."""

from experiments.contextual_embeddings.configuration import LanguageConfiguration
from experiments.contextual_embeddings.phenomenon import CONTEXTUAL_EMBEDDINGS, derive
from experiments.core.experiment import Experiment, Regime

REFERENCE = LanguageConfiguration()

EXPERIMENT = Experiment(
    name="token-collapse",
    summary="under mean pooling and dot product tokens become class vectors, and words what they say of the class",
    regimes=(
        Regime(
            name="reference",
            summary="24 classes, words exclusive to one, shared by 3 and by 8, function words",
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
    talk=("contextual_embeddings.token_collapse", "What is a contextual embedding of?"),
)
