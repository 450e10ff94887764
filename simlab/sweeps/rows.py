"""The rows of a program: what changes over a run, and what is reported of it."""

from enum import IntEnum
from typing import NamedTuple

import jax

from simlab.training.record import Record
from simlab.training.run_state import State


class Status(IntEnum):
    """How far a member has come."""

    RUNNING = 0
    FINISHED = 1
    CONVERGED = 2
    DIVERGED = 3


class Rows(NamedTuple):
    """What changes over a run; the leading axis of every array is the row.

    Attributes:
        state: weights and optimiser state.
        segments: ``Int32[W]``, segments taken.
        status: ``Int32[W]``, a :class:`Status`.
        first_bad_step: ``Int32[W]``, from 1; 0 if none.
    """

    state: State
    segments: jax.Array
    status: jax.Array
    first_bad_step: jax.Array


class Report(NamedTuple):
    """What the host receives after a segment; the record of a row that had stopped before is zero."""

    record: Record
    segments: jax.Array
    status: jax.Array
    first_bad_step: jax.Array
