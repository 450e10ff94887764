"""Measurement of the times at which a trained member's mean cosine falls to each target."""

import numpy as np
from scipy.interpolate import PchipInterpolator

from experiments.contextual_embeddings.class_vectors.configuration import TARGETS
from experiments.core.prediction import Prediction
from experiments.core.quantity import Panel, Quantity
from experiments.core.standard_comparison import Measured, standard_comparison
from simlab.losses.class_contrastive import RECORDED
from simlab.sweeps.members import MemberRun

QUANTITIES = {
    name: Quantity(
        label=f"time to a mean cosine of {target:g}",
        unit="steps times learning rate",
        headline="compared",
        panels=(Panel(label=f"time to\na mean cosine\nof {target:g}", height=0.8, scale="log"),),
    )
    for name, target in TARGETS.items()
}


def measure(member, run: MemberRun, prediction: Prediction) -> Measured:
    """Return the time at which the recorded mean cosine passes each target; NaN if it never does."""
    spec = member.spec
    cosines = np.asarray(run.metrics["mean_cosine"], np.float64)
    steps = np.arange(len(cosines)) * spec.steps_per_record
    times = steps * float(member.hyperparameters.learning_rate)
    return Measured(
        quantities={
            name: crossing_time(times, cosines, target, spec.task.n_classes) for name, target in TARGETS.items()
        }
    )


def crossing_time(times: np.ndarray, cosines: np.ndarray, target: float, n_classes: int) -> float:
    """Return the time at which a falling mean cosine passes a target, by cubic interpolation; NaN if it never does.

    The interpolated quantity, ``log tan`` of the angle to the mean direction, is nearly linear in time at first.

    Args:
        times: times of the records, steps times learning rate.
        cosines: mean cosine between classes at the records.
        target: a mean cosine below that of the first record.
        n_classes: number of classes K, which relates angle and cosine.
    """
    below = np.flatnonzero(cosines <= target)
    if not len(below) or below[0] == 0:
        return float("nan")
    falling = slice(0, below[0] + 1)  # up to here the cosine has not passed the target
    place = _log_tangent(cosines[falling], n_classes)
    growing = np.concatenate([[True], np.diff(np.maximum.accumulate(place)) > 0])
    curve = PchipInterpolator(place[growing], times[falling][growing])
    return float(curve(_log_tangent(np.array(target), n_classes)))


def _log_tangent(cosines: np.ndarray, n_classes: int) -> np.ndarray:
    squared = (1 - cosines) * (n_classes - 1) / n_classes
    return np.log(squared / (1 - squared)) / 2


COMPARISON = standard_comparison(quantities=QUANTITIES, metrics=RECORDED, measure=measure, curves=("mean_cosine",))
