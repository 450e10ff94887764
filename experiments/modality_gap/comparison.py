"""Comparison of two trained encoders with threshold, branch and conserved product."""

from collections.abc import Mapping

import numpy as np
from scipy.linalg import orthogonal_procrustes

from experiments.core.phenomenon import Variable
from experiments.core.prediction import Prediction
from experiments.core.quantity import Panel, Quantity, Threshold
from experiments.core.standard_comparison import Measured, standard_comparison
from experiments.modality_gap.reference import CURVES
from simlab.losses.symmetric_contrastive import SymmetricContrastive
from simlab.metrics.modalities import centred_modalities, modality_cosines, modality_gap, unit_rows
from simlab.sweeps.members import MemberRun

# Start, halfway and end.
N_MOMENTS = 3
QUANTITIES = {
    "gap": Quantity(
        label="gap between the means of the modalities",
        headline="compared",
        panels=(Panel(label="gap", height=1.0, scale="linear", changes={"threshold": "bend"}),),
    ),
    "loss": Quantity(label="loss", unit="nats", headline="compared", panels=(Panel(label="loss (nats)", height=0.9),)),
    "inverse_temperature": Quantity(label="inverse temperature"),
    "product": Quantity(label="conserved product, gap times inverse temperature^k"),
    "matched": Quantity(label="cosine between an image and its text"),
    "unmatched": Quantity(label="cosine between an image and another text"),
    "within": Quantity(label="cosine within a modality"),
    "retrieval": Quantity(label="retrieval from the other modality"),
    "mixed_retrieval": Quantity(label="retrieval from both modalities"),
    "centred_gap": Quantity(label="gap after centring"),
    "centred_matched": Quantity(label="cosine between an image and its text, centred"),
    "centred_retrieval": Quantity(label="retrieval from the other modality, centred"),
    "centred_mixed_retrieval": Quantity(label="retrieval from both modalities, centred"),
}
ARRAYS = {
    "image_embeddings": Variable(
        ("pair", "dimension"), "learned unit embeddings of images; empty for untrained towers"
    ),
    "text_embeddings": Variable(("pair", "dimension"), "learned unit embeddings of texts; empty for untrained towers"),
    "clouds": Variable(
        ("moment", "modality", "pair", "axis"),
        "learned embeddings of images and texts at the start, when the gap is halfway, and at the end, projected on "
        "the axis of the initial gap and the axis of largest final variance",
    ),
}


def measure(member, run: MemberRun, prediction: Prediction) -> Measured:
    """Return the measured quantities of a member, evaluated in float64."""
    images, texts = (unit_rows(run.final[name].astype(np.float64)) for name in ("images", "texts"))
    hyper, task = member.hyperparameters, member.spec.task
    beta = float(run.last_metrics["inverse_temperature"])
    cosines = modality_cosines(images, texts)
    centred = centred_modalities(images, texts)
    centred_cosines = modality_cosines(*centred)
    rate = hyper.temperature_learning_rate * task.n_pairs / hyper.learning_rate
    gap = modality_gap(images, texts)
    arrays, predicted = _arrays(prediction, run)
    return Measured(
        quantities={
            "gap": gap,
            "loss": learned_loss(images, texts, task.mismatch, beta),
            "inverse_temperature": beta,
            "product": gap * beta ** (1 / rate) if rate > 0 else np.nan,
            "matched": cosines.matched,
            "unmatched": cosines.unmatched,
            "within": cosines.within,
            "retrieval": cosines.retrieval,
            "mixed_retrieval": cosines.mixed_retrieval,
            "centred_gap": modality_gap(*centred),
            "centred_matched": centred_cosines.matched,
            "centred_retrieval": centred_cosines.retrieval,
            "centred_mixed_retrieval": centred_cosines.mixed_retrieval,
        },
        arrays=arrays,
        predicted=predicted,
    )


def learned_loss(images: np.ndarray, texts: np.ndarray, mismatch: float, beta: float) -> float:
    """Return the symmetric contrastive loss of unit embeddings, nats."""
    from scipy.special import log_softmax

    logits = beta * images @ texts.T
    size = len(logits)
    targets = np.where(np.eye(size, dtype=bool), 1 - mismatch, mismatch / (size - 1))
    return float(-np.sum(targets * (log_softmax(logits, axis=1) + log_softmax(logits, axis=0))) / (2 * size))


def _arrays(prediction: Prediction, run: MemberRun) -> tuple[Mapping[str, np.ndarray], Mapping[str, np.ndarray]]:
    """Return the learned and predicted arrays of a member; empty arrays for an untrained one."""
    if not prediction.arrays["clouds"].size:
        return prediction.arrays, prediction.arrays
    assert run.trajectory is not None  # the phenomenon keeps the trajectory
    path = np.stack([run.trajectory[name][: run.n_segments + 1] for name in ("images", "texts")], axis=1)
    path = path.astype(np.float64)
    learned = path[-1]
    predicted = np.stack([prediction.arrays[name] for name in ("image_embeddings", "text_embeddings")])
    if np.isfinite(predicted).all():
        rotation, _ = orthogonal_procrustes(np.concatenate(list(predicted)), np.concatenate(list(learned)))
        predicted = predicted @ rotation
    plane = _plane(path)
    foretold = np.full((N_MOMENTS, *learned.shape[:2], 2), np.nan)
    foretold[-1] = predicted @ plane
    arrays = {"image_embeddings": learned[0], "text_embeddings": learned[1], "clouds": path[_moments(path)] @ plane}
    return arrays, dict(zip(ARRAYS, (*predicted, foretold), strict=True))


def _moments(path: np.ndarray) -> list[int]:
    """Return the indices of the first record, the one where the gap is halfway, and the last."""
    gaps = np.array([modality_gap(*pair) for pair in path])
    return [0, int(np.argmin(np.abs(gaps - (gaps[0] + gaps[-1]) / 2))), len(path) - 1]


def _plane(path: np.ndarray) -> np.ndarray:
    """Return the direction of the initial gap and the orthogonal one of largest final variance, ``Float[d, 2]``."""
    difference = path[0, 0].mean(axis=0) - path[0, 1].mean(axis=0)
    first = difference / (np.linalg.norm(difference) or 1.0)
    centred = np.concatenate(centred_modalities(*path[-1]))
    centred = centred - np.outer(centred @ first, first)
    _, axes = np.linalg.eigh(centred.T @ centred)
    return np.stack([first, axes[:, -1]], axis=1)


COMPARISON = standard_comparison(
    quantities=QUANTITIES,
    arrays=ARRAYS,
    metrics=SymmetricContrastive.recorded,
    measure=measure,
    curves=CURVES,
    thresholds={"threshold": Threshold(label="threshold z*", axis="inverse_temperature")},
)
