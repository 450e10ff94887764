"""The rows of a program: the changing state of a run, and its reports."""

from enum import IntEnum
from typing import NamedTuple

import jax

from simlab.training.record import Record
from simlab.training.run_state import State


class Status(IntEnum):
    """The status of a member."""

    RUNNING = 0
    FINISHED = 1
    CONVERGED = 2
    DIVERGED = 3


class Rows(NamedTuple):
    """The changing state of runs; the leading axis of every array is the row.

    Attributes:
        state: weights and optimiser state.
        segments: ``Int32[W]``, the number of segments taken.
        status: ``Int32[W]``, a :class:`Status`.
        first_bad_step: ``Int32[W]``, the first step with a loss that is not finite, counted from 1; 0 if none.
    """

    state: State
    segments: jax.Array
    status: jax.Array
    first_bad_step: jax.Array


class Report(NamedTuple):
    """The report that the host reads after a segment; the record of a row that had stopped before is zero."""

    record: Record
    segments: jax.Array
    status: jax.Array
    first_bad_step: jax.Array
