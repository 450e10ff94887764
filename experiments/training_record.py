"""The records of training as variables of the dataset, whatever the phenomenon."""

from collections.abc import Mapping

import numpy as np

from experiments.phenomenon import Variable
from simlab.members import MemberRun
from simlab.training import Record, named_values


def record_variables(shape: type) -> dict[str, Variable]:
    """Return the variables of a training history.

    Args:
        shape: the NamedTuple that the architecture measures.
    """
    names = [*(name for name in Record._fields if name != "shape"), *shape._fields]
    return {_column(name): Variable(("record",), name.replace("_", " "), _units(name)) for name in names}


def history(run: MemberRun) -> Mapping[str, np.ndarray]:
    """Return the records of a member, by the names of :func:`record_variables`."""
    return {_column(name): values for name, values in named_values(run.records).items()}


def _column(name: str) -> str:
    return f"history_{name}"


def _units(name: str) -> str:
    return "nats" if "cross_entropy" in name or name in ("risk", "gradient_norm") else "1"
