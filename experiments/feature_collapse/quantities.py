"""The quantities of the comparison: predicted, exact for the latents of a member, and learned."""

from typing import NamedTuple

import numpy as np

from experiments.core.quantity import Certificate, Panel, Quantity, Threshold
from simlab.exact.reduced import ReducedMinimum
from simlab.metrics import geometry
from simlab.sweeps.members import MemberRun
from simlab.tasks.sentence_task import SentenceTask
from theory.feature_collapse import Prediction

ZERO_NOTE = "weight decay above the zero threshold: the predicted minimiser is the zero network"
THRESHOLDS = {"zero_threshold": Threshold(label="zero threshold")}
CERTIFICATE = Certificate(value="training_risk", gap="duality_gap", unit="nats")
BEND = {"zero_threshold": "bend"}
DEVIATION = Panel(label="relative\ndeviation", height=0.6, scale="deviation", changes=BEND)

TEST_ACCURACY = Quantity(
    label="accuracy, test",
    headline="learned",
    panels=(
        Panel(
            label="accuracy,\ntest",
            height=0.6,
            scale="unit interval",
            changes=BEND,
            undefined_with="classifier_norm",
        ),
    ),
)

QUANTITIES = {
    "embedding_norm": Quantity(
        label="embedding norm, rms",
        headline="compared",
        panels=(Panel(label="embedding\nnorm, rms", height=1.1, changes=BEND), DEVIATION),
    ),
    "classifier_norm": Quantity(
        label="classifier norm, rms",
        headline="compared",
        panels=(Panel(label="classifier\nnorm, rms", height=1.1, changes=BEND), DEVIATION),
    ),
    "embedding_simplex_deviation": Quantity(label="deviation from a simplex, embeddings"),
    "classifier_simplex_deviation": Quantity(label="deviation from a simplex, classifier"),
    "embedding_spread": Quantity(label="spread within concepts, embeddings"),
    "classifier_spread": Quantity(label="spread within concepts, classifier"),
    "embedding_distance": Quantity(label="distance after alignment, embeddings"),
    "classifier_distance": Quantity(label="distance after alignment, classifier"),
    "test_cross_entropy": Quantity(label="cross-entropy, test", unit="nats"),
    "test_risk": Quantity(
        label="risk, test",
        unit="nats",
        headline="compared",
        panels=(Panel(label="risk, test\n(nats)", height=1.1, changes=BEND),),
    ),
    "test_accuracy": TEST_ACCURACY,
}


class Arrays(NamedTuple):
    """Word vectors ``Float[n_w, d]`` and classifier ``Float[K, L, d]``."""

    embeddings: np.ndarray
    classifier: np.ndarray


def predicted_quantities(prediction: Prediction) -> np.ndarray:
    """Return the predicted values, in the order of :data:`QUANTITIES`.

    Values are NaN where they are undefined for a zero network or for the limit, and all NaN without a prediction.
    """
    unknown = np.isnan(prediction.risk)
    distance = 0.0 if np.isfinite(prediction.classifier_norm) else float("nan")
    shape = float("nan") if prediction.is_zero or unknown else 0.0
    values = dict.fromkeys(QUANTITIES, shape) | {
        "embedding_norm": float(geometry.root_mean_square(prediction.embedding_norms)),
        "classifier_norm": prediction.classifier_norm,
        "embedding_distance": distance,
        "classifier_distance": distance,
        "test_cross_entropy": prediction.cross_entropy,
        "test_risk": prediction.risk,
        "test_accuracy": float("nan") if prediction.is_zero or unknown else _best_accuracy(prediction),
    }
    return _column(values)


def _best_accuracy(prediction: Prediction) -> float:
    """Return the accuracy of a collapsed network: the share of labels that noise has not changed.

    Replacing a word by one of its own concept has no effect. NaN where replaced words may form the latent of no class.
    """
    spared = 1 - prediction.word_noise * (1 - 1 / prediction.n_concepts)
    if prediction.word_noise and prediction.kappa < 1:
        return float("nan")
    right = (1 - prediction.label_noise) * spared**prediction.sentence_length
    return right + prediction.label_noise / prediction.n_classes


def learned_quantities(task: SentenceTask, run: MemberRun, latents: np.ndarray, aligned: Arrays) -> np.ndarray:
    """Return the learned values, in float64 and in the order of :data:`QUANTITIES`.

    Args:
        task: the task.
        run: the trained member.
        latents: concept of each position of each class, ``Int[K, L]``.
        aligned: the predicted arrays, aligned with the learned ones.
    """
    last = run.last_metrics
    penalty = float(last["risk"]) - float(last["train_cross_entropy"])
    values = _measure(task, Arrays(run.final["embeddings"], run.final["classifier"]), latents, aligned)
    is_zero = values["embedding_norm"] == 0 or values["classifier_norm"] == 0
    values |= {
        "test_cross_entropy": float(last["test_cross_entropy"]),
        "test_risk": penalty + float(last["test_cross_entropy"]),
        "test_accuracy": np.nan if is_zero else float(last["test_accuracy"]),  # equal logits choose no class
    }
    return _column(values)


def sampling_errors(run: MemberRun) -> np.ndarray:
    """Return the standard error of each learned value due to its finite evaluation set, or NaN."""
    last = run.last_metrics
    return _column(
        {
            "test_cross_entropy": float(last["test_cross_entropy_error"]),
            "test_risk": float(last["test_cross_entropy_error"]),
            "test_accuracy": float(last["test_accuracy_error"]),
        }
    )


def exact_quantities(
    task: SentenceTask, minimum: ReducedMinimum | None, latents: np.ndarray, prediction: Prediction
) -> np.ndarray:
    """Return the quantities at the exact minimiser for the latents of a member; NaN where it is not known."""
    if minimum is None:
        return _column({})
    arrays = Arrays(minimum.embeddings, minimum.classifier)
    values = _measure(task, arrays, latents, align(arrays, latents, prediction))
    return _column(values | {"test_cross_entropy": minimum.cross_entropy, "test_risk": minimum.risk})


def align(arrays: Arrays, latents: np.ndarray, prediction: Prediction) -> Arrays:
    """Return the predicted arrays after one orthogonal Procrustes alignment of both arrays together.

    Args:
        arrays: the target of the alignment. If it or the prediction is not finite, the prediction is not aligned.
        latents: concept of each position of each class, ``Int[K, L]``.
        prediction: the prediction.
    """
    predicted = Arrays(prediction.embeddings(), prediction.classifier(latents))
    if not all(np.all(np.isfinite(array)) for array in (*arrays, *predicted)):
        return predicted
    rotation = geometry.common_rotation(list(zip(arrays, predicted, strict=True)))
    return Arrays(*(array @ rotation for array in predicted))


def _column(values: dict[str, float]) -> np.ndarray:
    return np.array([values.get(name, np.nan) for name in QUANTITIES])


def _measure(task: SentenceTask, arrays: Arrays, latents: np.ndarray, aligned: Arrays) -> dict[str, float]:
    """Return norms, deviations, spreads and distances."""
    groups = (np.arange(task.n_words) // task.words_per_concept, latents)
    values = {}
    for kind, vectors, predicted, concepts in zip(("embedding", "classifier"), arrays, aligned, groups, strict=True):
        norm, deviation, spread = _measure_vectors(vectors, concepts.reshape(-1), task.n_concepts)
        values[f"{kind}_norm"] = norm
        values[f"{kind}_simplex_deviation"] = deviation
        values[f"{kind}_spread"] = spread
        values[f"{kind}_distance"] = float(geometry.relative_distance(vectors, predicted))
    return values


def _measure_vectors(vectors: np.ndarray, groups: np.ndarray, n_groups: int) -> tuple[float, float, float]:
    """Return root mean square norm, deviation from a simplex and spread of directions, in float64.

    The spread is NaN where no group has two members, because it would be zero by construction.
    """
    doubles = vectors.reshape(-1, vectors.shape[-1]).astype(np.float64)
    if not np.any(doubles):  # directions of the zero network are undefined
        return 0.0, np.nan, np.nan
    membership = geometry.membership_matrix(groups, n_groups, np.float64)
    spread = geometry.direction_spread(doubles, membership) if membership.sum(axis=1).max() > 1 else np.nan
    norm = geometry.root_mean_square(geometry.norms(doubles))
    return float(norm), float(geometry.simplex_deviation(doubles, membership)), float(spread)
