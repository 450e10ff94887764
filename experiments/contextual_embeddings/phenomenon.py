"""The phenomenon of contextual embeddings: tokens of sentence encoders against predicted class vectors."""

from experiments.contextual_embeddings.configuration import LanguageConfiguration
from experiments.contextual_embeddings.reference import check_theory, predict
from experiments.contextual_embeddings.training_spec import make_training_spec
from experiments.core.phenomenon import Phenomenon


def _load_comparison():
    from experiments.contextual_embeddings.comparison import COMPARISON

    return COMPARISON


def derive(dataset, plan):
    """Add the kinds of words and the names of layers for the figures."""
    from experiments.contextual_embeddings import derived

    return derived.derive(dataset, plan)


CONTEXTUAL_EMBEDDINGS = Phenomenon(
    name="contextual-embeddings",
    configuration=LanguageConfiguration,
    check_theory=check_theory,
    make_training_spec=make_training_spec,
    predict=predict,
    load_comparison=_load_comparison,
    keeps="trajectory",
)
