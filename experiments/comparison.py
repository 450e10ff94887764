"""Hold trained runs against a prediction: one labelled dataset with both on the same axes."""

from collections.abc import Sequence

import numpy as np
import xarray

from experiments.optimality import certificate_variables
from experiments.quantities import Arrays, Quantity, align, measure_quantities
from simlab import geometry
from simlab.reduced import ReducedMinimum
from simlab.runs import Runs
from simlab.spec import TrainingSpec
from simlab.tasks import word_frequencies
from theory.certificates import Certificate
from theory.feature_collapse import Prediction


def build_dataset(
    spec: TrainingSpec,
    runs: Runs,
    prediction: Prediction,
    minima: Sequence[ReducedMinimum | None],
    certificates: Sequence[Certificate | None],
) -> xarray.Dataset:
    """Return learned, exact and predicted values of all seeds, on named axes.

    Predicted arrays are given in the frame of the learned ones: turned, for each seed, by the one rotation that brings
    embeddings and classifier together closest to what was learned.

    Args:
        spec: what was trained.
        runs: the trained runs.
        prediction: what theory says of them.
        minima: the exact minimiser for the latents of each seed, or None.
        certificates: how far each seed is from a global minimum of its training risk, or None.

    Returns:
        A dataset over ``seed``, ``word``, ``class``, ``position``, ``dimension``, ``component``, ``record`` and
        ``quantity``.
    """
    task = spec.task
    aligned = align(Arrays(runs.embeddings, runs.classifier), runs.latents, prediction)
    quantities = measure_quantities(spec, runs, prediction, aligned, minima)
    words = np.arange(task.n_words)
    ranks = words % task.words_per_concept
    float32 = np.float32
    return xarray.Dataset(
        data_vars={
            "word_frequency": ("word", word_frequencies(task)[ranks], _about("probability of a word in its concept")),
            "latents": (("seed", "class", "position"), runs.latents, _about("concept at each position of a class")),
            "embeddings": (_WORDS, runs.embeddings, _about("learned word vectors, as the classifier sees them")),
            "embeddings_predicted": (_WORDS, aligned.embeddings.astype(float32), _about("predicted word vectors")),
            "classifier": (_CLASSES, runs.classifier, _about("learned classifier weights")),
            "classifier_predicted": (
                _CLASSES,
                aligned.classifier.astype(float32),
                _about("predicted classifier weights"),
            ),
            "embedding_norm_predicted": ("word", prediction.embedding_norms[ranks], _about("predicted |w|")),
            "classifier_norm_predicted": ((), prediction.classifier_norm, _about("predicted |u|")),
            "cross_entropy_predicted": ((), prediction.cross_entropy, _about("predicted cross-entropy", "nats")),
            "risk_predicted": ((), prediction.risk, _about("predicted risk", "nats")),
            **_spectra(runs, aligned),
            **certificate_variables(certificates),
            **_histories(runs),
            **_comparison(quantities),
            "collapse_type": ((), prediction.collapse_type, _about("which theorem predicts")),
            "is_theorem": ((), int(prediction.exact), _about("1 if the prediction is a theorem for this task")),
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


def _spectra(runs: Runs, aligned: Arrays) -> dict[str, tuple]:
    """Return the singular values of learned and predicted matrices of word vectors and of classifier weights."""
    arrays = {
        "embedding_singular_values": runs.embeddings,
        "embedding_singular_values_predicted": aligned.embeddings,
        "classifier_singular_values": runs.classifier,
        "classifier_singular_values_predicted": aligned.classifier,
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
    """Return the table: ``learned`` and ``exact`` over ``(quantity, seed)``, ``predicted`` over ``quantity``."""
    rows = quantities.values()
    texts = {"quantity": list(quantities), "label": [r.label for r in rows], "unit": [r.units for r in rows]}
    numbers = {name: np.stack([getattr(row, name) for row in rows]) for name in ("learned", "exact", "sampling_error")}
    return {
        **{name: ("quantity", np.array(column, object)) for name, column in texts.items()},
        "predicted": ("quantity", np.array([row.predicted for row in rows])),
        **{name: (("quantity", "seed"), values) for name, values in numbers.items()},
    }
