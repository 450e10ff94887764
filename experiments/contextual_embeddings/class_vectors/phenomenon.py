"""The phenomenon of free class vectors: the minimum of contrastive learning of sentences with classes."""

from experiments.contextual_embeddings.class_vectors.configuration import ClassConfiguration
from experiments.contextual_embeddings.class_vectors.reference import check_theory, predict
from experiments.contextual_embeddings.class_vectors.training_spec import make_training_spec
from experiments.core.phenomenon import Phenomenon


def _load_comparison():
    from experiments.contextual_embeddings.class_vectors.comparison import COMPARISON

    return COMPARISON


CLASS_VECTORS = Phenomenon(
    name="class-vectors",
    part_of="contextual-embeddings",
    configuration=ClassConfiguration,
    check_theory=check_theory,
    make_training_spec=make_training_spec,
    predict=predict,
    load_comparison=_load_comparison,
)
