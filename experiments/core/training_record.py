"""Dataset variables for the history of training and its end, shared by all phenomena."""

from collections.abc import Mapping

import numpy as np

from experiments.core.phenomenon import Variable
from simlab.losses.objective import Metric
from simlab.sweeps.members import MemberRun

END_VARIABLES = {
    "status": Variable((), "how the run ended: finished, converged or diverged; measured where nothing was trained"),
    "first_bad_step": Variable((), "first step, from 1, at which the loss was not finite; 0 if none", "steps"),
    "steps_taken": Variable((), "steps until the member stopped", "steps"),
}


GRADIENT_NORM = Metric(label="norm of the gradient of the training risk", unit="nats")


def record_variables(metrics: Mapping[str, Metric]) -> dict[str, Variable]:
    """Return the variables of a training history.

    Args:
        metrics: the metrics of the objective, by name.
    """
    recorded = {**metrics, "gradient_norm": GRADIENT_NORM}
    return {_column(name): Variable(("record",), metric.label, metric.unit or "1") for name, metric in recorded.items()}


def history(run: MemberRun) -> Mapping[str, np.ndarray]:
    """Return the records of a member, by the names of :func:`record_variables`."""
    return {_column(name): values for name, values in run.metrics.items()}


def _column(name: str) -> str:
    return f"history_{name}"
