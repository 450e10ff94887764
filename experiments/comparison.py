"""Hold trained runs against a prediction: one labelled dataset with both on the same axes."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import xarray

from simlab import geometry
from simlab.runs import Runs
from simlab.spec import TrainingSpec
from simlab.tasks import word_frequencies
from theory.feature_collapse import Prediction


class Quantity(NamedTuple):
    """A number that is both predicted and learned.

    Attributes:
        label: how it is printed.
        units: of the number; empty if it has none.
        predicted: the prediction.
        learned: ``Float[S]``, one value per seed.
        sampling_error: ``Float[S]``, the standard error of each learned value from the finite set on which it was
            measured; None if it is not measured on a sample.
    """

    label: str
    units: str
    predicted: float
    learned: np.ndarray
    sampling_error: np.ndarray | None = None


def build_dataset(spec: TrainingSpec, runs: Runs, prediction: Prediction) -> xarray.Dataset:
    """Return learned and predicted values of all seeds, on named axes.

    Predicted arrays are given in the frame of the learned ones: turned, for each seed, by the one rotation that brings
    embeddings and classifier together closest to what was learned.

    Args:
        spec: what was trained.
        runs: the trained runs.
        prediction: what theory says of them.

    Returns:
        A dataset over ``seed``, ``word``, ``class``, ``position``, ``dimension``, ``component``, ``record`` and
        ``quantity``.
    """
    task = spec.task
    aligned = [_align(runs, prediction, index) for index in range(len(runs.seeds))]
    predicted_embeddings, predicted_classifier = (np.stack(arrays) for arrays in zip(*aligned, strict=True))
    quantities = _quantities(spec, runs, prediction, predicted_embeddings, predicted_classifier)
    words = np.arange(task.n_words)
    ranks = words % task.words_per_concept
    float32 = np.float32
    return xarray.Dataset(
        data_vars={
            "word_frequency": ("word", word_frequencies(task)[ranks], _about("probability of a word in its concept")),
            "latents": (("seed", "class", "position"), runs.latents, _about("concept at each position of a class")),
            "embeddings": (_WORDS, runs.embeddings, _about("learned word vectors, as the classifier sees them")),
            "embeddings_predicted": (_WORDS, predicted_embeddings.astype(float32), _about("predicted word vectors")),
            "classifier": (_CLASSES, runs.classifier, _about("learned classifier weights")),
            "classifier_predicted": (
                _CLASSES,
                predicted_classifier.astype(float32),
                _about("predicted classifier weights"),
            ),
            "embedding_norm_predicted": ("word", prediction.embedding_norms[ranks], _about("predicted |w|")),
            "classifier_norm_predicted": ((), prediction.classifier_norm, _about("predicted |u|")),
            "cross_entropy_predicted": ((), prediction.cross_entropy, _about("predicted cross-entropy", "nats")),
            "risk_predicted": ((), prediction.risk, _about("predicted risk", "nats")),
            **_spectra(runs, predicted_embeddings, predicted_classifier),
            **_histories(runs),
            **_comparison(quantities),
            "collapse_type": ((), prediction.collapse_type, _about("which theorem predicts")),
            "exact": ((), int(prediction.exact), _about("1 if the prediction is a theorem for this task")),
            "zero_threshold": (
                (),
                np.nan if prediction.zero_threshold is None else prediction.zero_threshold,
                _about("weight decay from which the minimiser is the zero network", "nats"),
            ),
            "status": ("seed", runs.status.astype(object), _about("how the run ended")),
        },
        coords={
            "seed": runs.seeds,
            "word": words,
            "word_concept": ("word", words // task.words_per_concept),
            "word_rank": ("word", ranks + 1, _about("rank of a word in its concept, from 1")),
            "record": np.arange(len(runs.steps)),
            "step": ("record", runs.steps, _about("training steps done", "steps")),
        },
    )


_WORDS = ("seed", "word", "dimension")
_CLASSES = ("seed", "class", "position", "dimension")


def _about(long_name: str, units: str = "1") -> dict[str, str]:
    """Return the attributes of a variable; "1" is the CF convention for a number without units."""
    return {"long_name": long_name, "units": units}


def _align(runs: Runs, prediction: Prediction, index: int) -> tuple[np.ndarray, np.ndarray]:
    """Return predicted embeddings and classifier of one seed, turned onto the learned ones."""
    embeddings = prediction.embeddings()
    classifier = prediction.classifier(runs.latents[index])
    learned = (runs.embeddings[index], runs.classifier[index])
    if not all(np.all(np.isfinite(array)) for array in learned):
        return embeddings, classifier
    rotation = geometry.common_rotation([(learned[0], embeddings), (learned[1], classifier)])
    return embeddings @ rotation, classifier @ rotation


def _quantities(
    spec: TrainingSpec,
    runs: Runs,
    prediction: Prediction,
    predicted_embeddings: np.ndarray,
    predicted_classifier: np.ndarray,
) -> dict[str, Quantity]:
    """Return the rows of the table of learned against predicted, in float64."""
    last = {name: values[:, -1].astype(np.float64) for name, values in runs.records._asdict().items()}
    n_concepts = spec.task.n_concepts
    words = np.arange(spec.task.n_words) // spec.task.words_per_concept
    embeddings = _vector_measures(runs.embeddings, [words] * len(runs.seeds), n_concepts)
    classifier = _vector_measures(runs.classifier, runs.latents, n_concepts)
    sampling = last["test_cross_entropy_error"]
    test_risk = last["risk"] - last["train_cross_entropy"] + last["test_cross_entropy"]
    rms_norm = float(geometry.root_mean_square(prediction.embedding_norms))
    zero = float("nan") if prediction.is_zero else 0.0
    return {
        "embedding_norm": Quantity("embedding norm, rms", "", rms_norm, embeddings[0]),
        "classifier_norm": Quantity("classifier norm, rms", "", prediction.classifier_norm, classifier[0]),
        "embedding_simplex_deviation": Quantity("deviation from a simplex, embeddings", "", zero, embeddings[1]),
        "classifier_simplex_deviation": Quantity("deviation from a simplex, classifier", "", zero, classifier[1]),
        "embedding_spread": Quantity("spread within concepts, embeddings", "", zero, embeddings[2]),
        "classifier_spread": Quantity("spread within concepts, classifier", "", zero, classifier[2]),
        "embedding_distance": Quantity(
            "distance after rotation, embeddings", "", 0.0, _distances(runs.embeddings, predicted_embeddings)
        ),
        "classifier_distance": Quantity(
            "distance after rotation, classifier", "", 0.0, _distances(runs.classifier, predicted_classifier)
        ),
        "test_cross_entropy": Quantity(
            "cross-entropy, test", "nats", prediction.cross_entropy, last["test_cross_entropy"], sampling
        ),
        "test_risk": Quantity("risk, test", "nats", prediction.risk, test_risk, sampling),
        "test_accuracy": Quantity(
            "accuracy, test",
            "",
            float("nan") if prediction.is_zero else 1.0,
            last["test_accuracy"],
            last["test_accuracy_error"],
        ),
    }


def _vector_measures(vectors: np.ndarray, groups: Sequence[np.ndarray], n_groups: int) -> np.ndarray:
    """Return, for each seed, root mean square norm, deviation from a simplex and spread of directions, in float64.

    The spread is NaN where no group has two members: there it is zero by construction.
    """
    rows = []
    for flat, group in zip(vectors.reshape(len(vectors), -1, vectors.shape[-1]), groups, strict=True):
        membership = geometry.membership_matrix(group.reshape(-1), n_groups, np.float64)
        doubles = flat.astype(np.float64)
        spread = geometry.direction_spread(doubles, membership) if membership.sum(axis=1).max() > 1 else np.nan
        norm = geometry.root_mean_square(geometry.norms(doubles))
        rows.append((norm, geometry.simplex_deviation(doubles, membership), spread))
    return np.array(rows).T


def _distances(learned: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    return np.array([geometry.relative_distance(*pair) for pair in zip(learned, predicted, strict=True)])


def _spectra(runs: Runs, predicted_embeddings: np.ndarray, predicted_classifier: np.ndarray) -> dict[str, tuple]:
    """Return the singular values of learned and predicted matrices of word vectors and of classifier weights."""
    arrays = {
        "embedding_singular_values": runs.embeddings,
        "embedding_singular_values_predicted": predicted_embeddings,
        "classifier_singular_values": runs.classifier,
        "classifier_singular_values_predicted": predicted_classifier,
    }
    return {
        name: (
            ("seed", "component"),
            np.stack([_finite_singular_values(one) for one in array]),
            _about(name.replace("_", " ")),
        )
        for name, array in arrays.items()
    }


def _finite_singular_values(vectors: np.ndarray) -> np.ndarray:
    """Return ``d`` singular values, zero beyond the number of vectors; NaN for a run that diverged."""
    dim = vectors.shape[-1]
    if not np.all(np.isfinite(vectors)):
        return np.full(dim, np.nan)
    values = geometry.singular_values(vectors)
    return np.pad(values, (0, dim - len(values)))


def _histories(runs: Runs) -> dict[str, tuple]:
    """Return the training curves over ``(seed, record)``."""
    return {
        f"history_{name}": (
            ("seed", "record"),
            values,
            _about(name.replace("_", " "), "nats" if "cross_entropy" in name or name == "risk" else "1"),
        )
        for name, values in runs.records._asdict().items()
    }


def _comparison(quantities: dict[str, Quantity]) -> dict[str, tuple]:
    """Return the table: ``learned(quantity, seed)`` and ``predicted(quantity)``, with labels and units."""
    names = np.array(list(quantities), object)
    rows = quantities.values()
    unmeasured = np.full(len(next(iter(rows)).learned), np.nan)
    errors = [unmeasured if row.sampling_error is None else row.sampling_error for row in rows]
    return {
        "quantity": ("quantity", names),
        "label": ("quantity", np.array([row.label for row in rows], object)),
        "unit": ("quantity", np.array([row.units for row in rows], object)),
        "predicted": ("quantity", np.array([row.predicted for row in rows])),
        "learned": (("quantity", "seed"), np.stack([row.learned for row in rows])),
        "sampling_error": (("quantity", "seed"), np.stack(errors)),
    }
