"""The records of training and its end as variables of the dataset, whatever the phenomenon."""

from collections.abc import Mapping

import numpy as np

from experiments.core.phenomenon import Variable
from simlab.losses.classification import METRICS
from simlab.sweeps.members import MemberRun

END_VARIABLES = {
    "status": Variable((), "how the run ended: finished, converged or diverged"),
    "first_bad_step": Variable((), "first step, from 1, at which the loss was not finite; 0 if none", "steps"),
    "steps_taken": Variable((), "steps until the member stopped", "steps"),
}


def record_variables(shape: type) -> dict[str, Variable]:
    """Return the variables of a training history.

    Args:
        shape: the NamedTuple that the architecture measures.
    """
    names = [*METRICS, "gradient_norm", *shape._fields]
    return {_column(name): Variable(("record",), name.replace("_", " "), _units(name)) for name in names}


def history(run: MemberRun) -> Mapping[str, np.ndarray]:
    """Return the records of a member, by the names of :func:`record_variables`."""
    return {_column(name): values for name, values in run.metrics.items()}


def _column(name: str) -> str:
    return f"history_{name}"


def _units(name: str) -> str:
    return "nats" if "cross_entropy" in name or name in ("risk", "gradient_norm") else "1"
