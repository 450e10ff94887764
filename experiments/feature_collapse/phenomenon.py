"""Feature collapse: words in sentences, compared with the three types of Laurent, von Brecht and Bresson."""

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from experiments.core.phenomenon import Phenomenon
from experiments.feature_collapse.configuration import WordConfiguration
from experiments.feature_collapse.training_spec import make_training_spec
from simlab.validation import check_real, invalid
from theory.feature_collapse.task import check_task

if TYPE_CHECKING:
    from theory.feature_collapse.prediction import Prediction

# Placeholder for theory, which requires a positive weight decay, where there is none.
ANY_DECAY: dict[str, Any] = {"weight_decay": 1.0, "classifier_weight_decay": 1.0}


def predict(configuration: WordConfiguration) -> "Prediction":
    """Return the :class:`theory.feature_collapse.Prediction` for a configuration.

    With LayerNorm and no weight decay on the embeddings, this is the minimiser of the risk ``R*``, which penalises the
    classifier alone. Without LayerNorm and without any weight decay there is no minimiser, and the result is the limit,
    whose norms are NaN (see :mod:`experiments.feature_collapse.limit`). With a trainable scale, it is the prediction of
    :mod:`experiments.feature_collapse.scaled`.

    Raises:
        ValueError: a configuration is out of range; the message names the field.
        ArithmeticError: a solver did not converge.
    """
    prediction = _predict(configuration.normalised_by, **theory_arguments(configuration))
    if configuration.layer_norm_epsilon == 0:
        return prediction
    from experiments.feature_collapse.limit import without_epsilon

    return without_epsilon(prediction, configuration.layer_norm_epsilon)


def theory_arguments(configuration: WordConfiguration) -> dict[str, Any]:
    """Return the checked arguments of theory, without solving, so that errors precede SciPy's slow import."""
    configuration.check_sizes()
    normalised = configuration.normalised_by != "none"
    unpenalised = configuration.has_no_penalty
    check_real("embedding_weight_decay", configuration.embedding_weight_decay, positive=not (normalised or unpenalised))
    check_real("classifier_weight_decay", configuration.classifier_weight_decay, positive=not unpenalised)
    if unpenalised and (configuration.label_noise or configuration.word_noise):
        raise invalid("weight_decay", "a positive number with noise, as norms would remain finite without it", 0.0)
    free_embeddings = normalised and configuration.embedding_weight_decay == 0
    arguments: dict[str, Any] = {
        "n_concepts": configuration.n_concepts,
        "n_words": configuration.n_words,
        "sentence_length": configuration.sentence_length,
        "n_classes": configuration.n_classes,
        "word_frequency": configuration.word_frequency,
        "weight_decay": (
            configuration.classifier_weight_decay if free_embeddings else configuration.embedding_weight_decay
        ),
        "classifier_weight_decay": None if free_embeddings else configuration.classifier_weight_decay,
        "layer_norm": normalised,
        "embedding_dim": configuration.embedding_dim,
        "label_noise": configuration.label_noise,
        "word_noise": configuration.word_noise,
    }
    check_task(**(arguments | ANY_DECAY if unpenalised else arguments), latents=None)
    return arguments


@lru_cache(maxsize=4096)
def _predict(normalisation: str, **task):
    """Return the prediction, computed once for all cells of a sweep with equal arguments of theory."""
    if normalisation.endswith("-affine"):
        from experiments.feature_collapse.scaled import predict_scaled

        return predict_scaled(normalisation, **task)
    if task["weight_decay"] == 0:
        from experiments.feature_collapse.limit import predict_limit

        return predict_limit(**task | ANY_DECAY)
    from theory import feature_collapse

    return feature_collapse.predict(**task)


def _load_comparison():
    from experiments.feature_collapse.comparison import COMPARISON

    return COMPARISON


FEATURE_COLLAPSE = Phenomenon(
    name="feature-collapse",
    configuration=WordConfiguration,
    check_theory=theory_arguments,
    make_training_spec=make_training_spec,
    predict=predict,
    load_comparison=_load_comparison,
    figures=(
        "feature_collapse.overview",
        "feature_collapse.principal_components",
        "feature_collapse.norm_against_frequency",
        "feature_collapse.training_curves",
        "feature_collapse.singular_values",
        "feature_collapse.certified_risk",
    ),
)
