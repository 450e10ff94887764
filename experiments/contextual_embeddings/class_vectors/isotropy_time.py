"""The time to isotropy of free class vectors: gradient descent against the gradient flow of the mean cosine."""

from __future__ import annotations

import math

import numpy as np

from experiments.contextual_embeddings.class_vectors.configuration import TARGETS, ConeConfiguration
from experiments.contextual_embeddings.class_vectors.training_spec import make_task, make_training_spec
from experiments.core.phenomenon import Phenomenon
from experiments.core.prediction import Prediction
from simlab.validation import invalid

FLOW = "gradient flow: gradient descent deviates by a relative error of order learning rate"
RANDOM = "assumes initial directions that form a simplex"


def check_theory(configuration: ConeConfiguration) -> None:
    """Raise ``ValueError`` for options that the theory does not cover."""
    configuration.check()
    make_task(configuration)
    if configuration.initial_angle is None:
        raise invalid("initial_angle", "a number: vectors start on a cone", None)
    if configuration.batch_size != configuration.n_classes or configuration.repeats_classes:
        raise invalid("batch_size", f"n_classes={configuration.n_classes}, each class once", configuration.batch_size)
    if configuration.negatives != "expected":
        raise invalid("negatives", "expected", configuration.negatives)
    if configuration.optimizer != "sgd" or configuration.schedule != "constant":
        raise invalid("optimizer", "sgd with a constant schedule, whose flow is predicted", configuration.optimizer)
    if configuration.initial_scale != 1:
        raise invalid("initial_scale", "1: the flow is on unit spheres", configuration.initial_scale)


def predict(configuration: ConeConfiguration) -> Prediction:
    """Return the times at which the mean cosine falls to each target, and its curve over the steps."""
    from theory import contextual_embeddings as theory

    angle, count, tau = configuration.initial_angle, configuration.n_classes, configuration.temperature
    assert angle is not None  # by `check_theory`
    start = float(theory.cosine_of_angle(np.array(angle), count))
    horizon = configuration.learning_rate * configuration.n_steps

    def time(target: float) -> float:
        """Return the time to reach a mean cosine; NaN if it is not reached within the run."""
        if not -1 / (count - 1) < target < start:
            return math.nan
        needed = theory.time_to_cosine(count, tau, angle, target)
        return needed if needed <= horizon else math.nan

    def curves(steps: np.ndarray, _) -> dict[str, np.ndarray]:
        return {"mean_cosine": theory.cosine_curve(configuration.learning_rate * steps, count, tau, angle)}

    note = f"{FLOW}; {RANDOM}" if configuration.random_directions else FLOW
    return Prediction(
        basis="approximation",
        kind="gradient flow",
        note=note,
        quantities={name: time(target) for name, target in TARGETS.items()},
        curves=curves,
    )


def _load_comparison():
    from experiments.contextual_embeddings.class_vectors.isotropy_comparison import COMPARISON

    return COMPARISON


ISOTROPY_TIME = Phenomenon(
    name="isotropy-time",
    part_of="contextual-embeddings",
    configuration=ConeConfiguration,
    check_theory=check_theory,
    make_training_spec=make_training_spec,
    predict=predict,
    load_comparison=_load_comparison,
)
