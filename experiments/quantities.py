"""The rows of the comparison: what theory predicts, what is exact for the latents at hand, what was learned."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from simlab import geometry
from simlab.reduced import ReducedMinimum
from simlab.runs import Runs
from simlab.spec import TrainingSpec
from theory.feature_collapse import Prediction


class Quantity(NamedTuple):
    """A number that is both predicted and learned.

    Attributes:
        label: how it is printed.
        units: of the number; empty if it has none.
        predicted: the theorem's value, or its approximation for random latents.
        exact: ``Float[S]``, at the exact minimiser for the latents of each seed; NaN where that is not known.
        learned: ``Float[S]``, one value per seed.
        sampling_error: ``Float[S]``, the standard error of each learned value from the finite set on which it was
            measured; NaN if it is not measured on a sample.
    """

    label: str
    units: str
    predicted: float
    exact: np.ndarray
    learned: np.ndarray
    sampling_error: np.ndarray


class Arrays(NamedTuple):
    """Word vectors ``Float[S, n_w, d]`` and classifier ``Float[S, K, L, d]`` of all seeds."""

    embeddings: np.ndarray
    classifier: np.ndarray


def measure_quantities(
    spec: TrainingSpec,
    runs: Runs,
    prediction: Prediction,
    aligned: Arrays,
    minima: Sequence[ReducedMinimum | None],
) -> dict[str, Quantity]:
    """Return the rows of the table, by name, in float64.

    Args:
        spec: what was trained.
        runs: the trained runs.
        prediction: what theory says of them.
        aligned: the predicted arrays of each seed, turned onto the learned ones.
        minima: the exact minimiser for the latents of each seed, where it is known.
    """
    learned = _measure(spec, Arrays(runs.embeddings, runs.classifier), runs.latents, aligned)
    exact = {name: np.full(len(runs.seeds), np.nan) for name in learned}
    if all(minimum is not None for minimum in minima):
        exact = _measure_minima(spec, runs, prediction, minima)
    last = {name: values[:, -1].astype(np.float64) for name, values in runs.records._asdict().items()}
    learned["test_cross_entropy"] = last["test_cross_entropy"]
    learned["test_risk"] = last["risk"] - last["train_cross_entropy"] + last["test_cross_entropy"]
    learned["test_accuracy"] = last["test_accuracy"]
    errors = {
        "test_cross_entropy": last["test_cross_entropy_error"],
        "test_risk": last["test_cross_entropy_error"],
        "test_accuracy": last["test_accuracy_error"],
    }
    unknown = np.full(len(runs.seeds), np.nan)
    predicted = _predicted(prediction)
    return {
        name: Quantity(
            *_LABELS[name], predicted[name], exact.get(name, unknown), learned[name], errors.get(name, unknown)
        )
        for name in _LABELS
    }


_LABELS = {
    "embedding_norm": ("embedding norm, rms", ""),
    "classifier_norm": ("classifier norm, rms", ""),
    "embedding_simplex_deviation": ("deviation from a simplex, embeddings", ""),
    "classifier_simplex_deviation": ("deviation from a simplex, classifier", ""),
    "embedding_spread": ("spread within concepts, embeddings", ""),
    "classifier_spread": ("spread within concepts, classifier", ""),
    "embedding_distance": ("distance after rotation, embeddings", ""),
    "classifier_distance": ("distance after rotation, classifier", ""),
    "test_cross_entropy": ("cross-entropy, test", "nats"),
    "test_risk": ("risk, test", "nats"),
    "test_accuracy": ("accuracy, test", ""),
}


def _predicted(prediction: Prediction) -> dict[str, float]:
    """Return the theorem's value of every quantity; NaN where the zero network has none."""
    shape = float("nan") if prediction.is_zero else 0.0
    values = dict.fromkeys(_LABELS, shape)
    return values | {
        "embedding_norm": float(geometry.root_mean_square(prediction.embedding_norms)),
        "classifier_norm": prediction.classifier_norm,
        "embedding_distance": 0.0,
        "classifier_distance": 0.0,
        "test_cross_entropy": prediction.cross_entropy,
        "test_risk": prediction.risk,
        "test_accuracy": float("nan") if prediction.is_zero else 1.0,
    }


def _measure_minima(
    spec: TrainingSpec, runs: Runs, prediction: Prediction, minima: Sequence[ReducedMinimum]
) -> dict[str, np.ndarray]:
    """Return the quantities at the exact minimisers."""
    arrays = Arrays(*(np.stack([getattr(one, name) for one in minima]) for name in Arrays._fields))
    values = _measure(spec, arrays, runs.latents, align(arrays, runs.latents, prediction))
    values["test_cross_entropy"] = np.array([minimum.cross_entropy for minimum in minima])
    values["test_risk"] = np.array([minimum.risk for minimum in minima])
    return values


def align(arrays: Arrays, latents: np.ndarray, prediction: Prediction) -> Arrays:
    """Return the predicted arrays of each seed, turned by the one rotation that fits both arrays best.

    Args:
        arrays: to turn onto; a seed that is not finite leaves the prediction in its own frame.
        latents: ``Int[S, K, L]``.
        prediction: what theory says.
    """
    turned = []
    for embeddings, classifier, own_latents in zip(*arrays, latents, strict=True):
        predicted = (prediction.embeddings(), prediction.classifier(own_latents))
        if np.all(np.isfinite(embeddings)) and np.all(np.isfinite(classifier)):
            rotation = geometry.common_rotation(list(zip((embeddings, classifier), predicted, strict=True)))
            predicted = tuple(array @ rotation for array in predicted)
        turned.append(predicted)
    return Arrays(*(np.stack(column) for column in zip(*turned, strict=True)))


def _measure(spec: TrainingSpec, arrays: Arrays, latents: np.ndarray, aligned: Arrays) -> dict[str, np.ndarray]:
    """Return norms, deviations, spreads and distances, ``Float[S]`` each."""
    words = np.arange(spec.task.n_words) // spec.task.words_per_concept
    groups = ([words] * len(latents), latents)
    values = {}
    for kind, vectors, predicted, concepts in zip(("embedding", "classifier"), arrays, aligned, groups, strict=True):
        norm, deviation, spread = _measure_vectors(vectors, concepts, spec.task.n_concepts)
        values[f"{kind}_norm"] = norm
        values[f"{kind}_simplex_deviation"] = deviation
        values[f"{kind}_spread"] = spread
        pairs = zip(vectors, predicted, strict=True)
        values[f"{kind}_distance"] = np.array([geometry.relative_distance(*pair) for pair in pairs])
    return values


def _measure_vectors(vectors: np.ndarray, groups: Sequence[np.ndarray], n_groups: int) -> np.ndarray:
    """Return, for each seed, root mean square norm, deviation from a simplex and spread of directions, in float64.

    The spread is NaN where no group has two members: there it is zero by construction.
    """
    rows = []
    for flat, group in zip(vectors.reshape(len(vectors), -1, vectors.shape[-1]), groups, strict=True):
        membership = geometry.membership_matrix(group.reshape(-1), n_groups, np.float64)
        doubles = flat.astype(np.float64)
        if not np.any(doubles):  # the zero network has norms, but no directions
            rows.append((0.0, np.nan, np.nan))
            continue
        spread = geometry.direction_spread(doubles, membership) if membership.sum(axis=1).max() > 1 else np.nan
        norm = geometry.root_mean_square(geometry.norms(doubles))
        rows.append((norm, geometry.simplex_deviation(doubles, membership), spread))
    return np.array(rows).T
