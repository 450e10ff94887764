"""Train the members of one part: the host loop, and its state as arrays that can be saved and restored."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import jax
import numpy as np

from simlab.sweeps.members import Member, MemberRun, stack_inputs
from simlab.sweeps.program import Program
from simlab.sweeps.rows import Report, Status
from simlab.training.record import Record, named_values
from simlab.training.trainer import count_weights

Arrays = dict[str, np.ndarray]

EMPTY = -1

# If more than one row in FETCH_SHARE is needed, all rows are fetched in one call, which saves a call per row; for at
# most FETCHED_WEIGHTS weights, as the device makes a copy.
FETCH_SHARE = 8
FETCHED_WEIGHTS = 5_000_000


class PendingSegment(NamedTuple):
    """A dispatched segment whose report the host has not read.

    Attributes:
        slots: ``Int[W]``, the member in each row when the segment was dispatched.
        report: the report, on the devices.
    """

    slots: np.ndarray
    report: Report


class PartRun:
    """The run of one part.

    The devices are one segment ahead of the host: while they compute, the host reads the report of the previous
    segment. The program freezes the row of a stopped member, so that its report may be read late; the row is then
    reused for the next waiting member.

    Args:
        program: compiled for the members' specification.
        members: the members of the part, in order.
        trajectories: whether the named arrays are saved at every record.
        initials: whether the named arrays before the first step are saved.
        saved: a :meth:`snapshot` to resume from.
    """

    def __init__(
        self,
        program: Program,
        members: Sequence[Member],
        *,
        trajectories: bool = False,
        initials: bool = False,
        saved: Arrays | None = None,
    ):
        program.start_compiling()
        self.program, self.members = program, members
        self._trajectories, self._wants_initials = trajectories, initials
        n_members, n_records = len(members), program.spec.n_segments + 1
        # Integers and booleans become real numbers, so that missing records can be NaN.
        real = lambda shape: np.result_type(shape.dtype, np.float32)  # noqa: E731
        empty = lambda shape: np.full((n_members, n_records), np.nan, real(shape))  # noqa: E731
        self._records: Record = jax.tree.map(empty, program.record_shapes)
        self._segments, self._status, self._first_bad_step = np.zeros((3, n_members), np.int64)
        self._finals: dict[int, Arrays] = {}
        self._initials: dict[int, Arrays] = {}
        self._paths: dict[int, list[Arrays]] = {}
        self._pending: list[PendingSegment] = []
        if saved is None:
            self._begin()
        else:
            self._restore(saved)

    @property
    def is_done(self) -> bool:
        """Whether every member has stopped and its weights are on the host."""
        return len(self._finals) == len(self.members)

    @property
    def segments_done(self) -> int:
        """The number of segments over all members that are computed, or skipped as the member has stopped."""
        return int(np.where(self._status == Status.RUNNING, self._segments, self.program.spec.n_segments).sum())

    @property
    def members_done(self) -> int:
        """The number of members whose weights are on the host."""
        return len(self._finals)

    def advance(self) -> None:
        """Dispatch the next segment and read the report of the previous one."""
        if self._may_run_on():
            for stage in self._stages():
                self._rows = self.program.segment_of(stage)(self._problem, self._rows, self._inputs)
            self._pending.append(self._record())
            if self._trajectories or len(self._pending) > 1:
                self._read(self._pending.pop(0))
        else:
            self.settle()
        self._collect()
        if self._next < len(self.members) and np.any(self._slots == EMPTY):
            self._refill()

    def settle(self) -> None:
        """Wait for the devices and read the pending reports."""
        while self._pending:
            self._read(self._pending.pop(0))

    def snapshot(self) -> Arrays:
        """Return the state needed to resume, as arrays by name."""
        self.settle()
        done = sorted(self._finals)
        arrays = {
            "slots": self._slots,
            "next": np.array(self._next),
            "segments": self._segments,
            "status": self._status,
            "first_bad_step": self._first_bad_step,
            "done": np.array(done, np.int64),
        }
        arrays |= {f"records/{name}": values for name, values in named_values(self._records).items()}
        arrays |= {f"rows/{i}": np.asarray(leaf) for i, leaf in enumerate(jax.tree.leaves(self._rows))}
        for kind, members in (("final", self._finals), ("initial", self._initials)):
            arrays |= {f"{kind}/{i}/{name}": array for i, named in members.items() for name, array in named.items()}
        for index, path in self._paths.items():
            arrays |= {f"path/{index}/{name}": array for name, array in _stack(path).items()}
        return arrays

    def result(self, index: int) -> MemberRun:
        """Return the outcome of a member that has stopped."""
        return MemberRun(
            final=self._finals[index],
            metrics={name: values[index] for name, values in named_values(self._records).items()},
            status=Status(self._status[index]).name.lower(),
            first_bad_step=int(self._first_bad_step[index]),
            n_segments=int(self._segments[index]),
            initial=self._initials.get(index),
            trajectory=self._trajectory(index) if self._trajectories else None,
        )

    def _begin(self) -> None:
        """Assign the first members to the rows."""
        rows = self.program.layout.rows
        self._slots = np.full(rows, EMPTY)
        self._next = min(rows, len(self.members))
        self._slots[: self._next] = np.arange(self._next)
        self._put()
        self._problem, self._rows = self.program.begin(self._inputs, self._occupied)
        self._take_initials(np.flatnonzero(self._slots != EMPTY))
        self._read(self._record())

    def _restore(self, saved: dict[str, np.ndarray]) -> None:
        """Restore a snapshot; arrays that follow from the seeds are drawn again."""
        self._slots, self._next = saved["slots"], int(saved["next"])
        self._segments, self._status = saved["segments"], saved["status"]
        self._first_bad_step = saved["first_bad_step"]
        structure, names = jax.tree.structure(self._records), self._record_names
        self._records = jax.tree.unflatten(structure, [saved[f"records/{name}"] for name in names])
        finals, self._initials = _restored("final", saved), _restored("initial", saved)
        self._finals = {int(index): finals.get(int(index), {}) for index in saved["done"]}
        self._paths = {index: _unstack(path) for index, path in _restored("path", saved).items()}
        self._put()
        self._problem, rows = self.program.begin(self._inputs, self._occupied)
        n_leaves = len(jax.tree.leaves(rows))
        self._rows = self.program.put_rows([saved[f"rows/{i}"] for i in range(n_leaves)])

    @property
    def _record_names(self) -> list[str]:
        """The names of the leaves of a record, in order."""
        return list(named_values(self._records))

    def _stages(self) -> list[int]:
        """Return the stages of the next segments of the rows, in descending order.

        In this order a row that ends a stage is measured before it begins the next one.
        """
        first = self.program.spec.first_segments
        if len(first) == 1:
            return [0]
        in_rows = self._slots[self._slots != EMPTY]
        due = self._segments[in_rows] + len(self._pending)
        return sorted({int(stage) for stage in np.searchsorted(first, due, side="right") - 1}, reverse=True)

    def _take_initials(self, rows: Sequence[int] | np.ndarray) -> None:
        """Fetch the named arrays of members that have just begun, if ``initials`` is set."""
        if self._wants_initials:
            for row, arrays in zip(rows, self._fetch(rows), strict=True):
                self._initials[int(self._slots[row])] = arrays

    def _record(self, rows: np.ndarray | None = None) -> PendingSegment:
        """Measure the rows, and return the pending report for the members in all rows or in ``rows`` (``Bool[W]``)."""
        self._rows, report = self.program.record(self._problem, self._rows, self._inputs)
        return PendingSegment(self._slots.copy() if rows is None else np.where(rows, self._slots, EMPTY), report)

    def _put(self) -> None:
        """Put the inputs of the members in the rows on the devices.

        An empty row has the inputs of its first member, or of the last one, so that rows which share a seed do so
        always.
        """
        last = len(self.members) - 1
        members = [self.members[min(row, last) if i == EMPTY else i] for row, i in enumerate(self._slots)]
        self._inputs, self._occupied = self.program.put(stack_inputs(members, self.program.spec), self._slots != EMPTY)

    def _may_run_on(self) -> bool:
        """Return whether a running row may have a segment that has not been dispatched."""
        in_rows = self._slots[self._slots != EMPTY]
        dispatched = self._segments[in_rows] + len(self._pending)
        return bool(np.any((self._status[in_rows] == Status.RUNNING) & (dispatched < self.program.spec.n_segments)))

    def _read(self, pending: PendingSegment) -> None:
        """Store the reports of running members."""
        report = jax.device_get(pending.report)
        rows = np.flatnonzero((pending.slots != EMPTY) & (self._status[pending.slots] == Status.RUNNING))
        members, at = pending.slots[rows], report.segments[rows]
        for history, values in zip(jax.tree.leaves(self._records), jax.tree.leaves(report.record), strict=True):
            history[members, at] = values[rows]
        self._segments[members], self._status[members] = at, report.status[rows]
        self._first_bad_step[members] = report.first_bad_step[rows]
        if self._trajectories:
            for member, arrays in zip(members, self._fetch(rows), strict=True):
                self._paths.setdefault(int(member), []).append(arrays)

    def _collect(self) -> None:
        """Fetch the named arrays of members that have stopped, and free their rows."""
        stopped = [row for row, member in enumerate(self._slots) if member != EMPTY and self._status[member]]
        for row, arrays in zip(stopped, self._fetch(stopped), strict=True):
            self._finals[int(self._slots[row])] = arrays
            self._slots[row] = EMPTY

    def _fetch(self, rows: Sequence[int] | np.ndarray) -> Iterator[Arrays]:
        """Yield the named arrays of the given rows."""
        few_weights = len(self._slots) * count_weights(self.program.spec) <= FETCHED_WEIGHTS
        if few_weights and len(rows) > len(self._slots) // FETCH_SHARE:
            columns = jax.device_get(self.program.representations(self._problem, self._rows))
            yield from ({name: column[row].copy() for name, column in columns.items()} for row in rows)
        else:
            representation = self.program.representation
            yield from (jax.device_get(representation(self._problem, self._rows, int(row))) for row in rows)

    def _refill(self) -> None:
        """Assign the free rows to waiting members."""
        self.settle()
        fresh = np.zeros(len(self._slots), bool)
        for row in np.flatnonzero(self._slots == EMPTY)[: len(self.members) - self._next]:
            self._slots[row], fresh[row] = self._next, True
            self._next += 1
        self._put()
        _, fresh_rows = self.program.put(self._inputs, fresh)
        self._problem, self._rows = self.program.refill(self._problem, self._rows, self._inputs, fresh_rows)
        self._take_initials(np.flatnonzero(fresh))
        self._read(self._record(fresh))

    def _trajectory(self, index: int) -> Arrays:
        """Return the named arrays of a member at each record; NaN after it has stopped."""
        n_records = self.program.spec.n_segments + 1
        return {name: _pad_records(array, n_records) for name, array in _stack(self._paths[index]).items()}


def _stack(path: list[Arrays]) -> Arrays:
    """Stack the arrays of several records by name on a leading axis."""
    return {name: np.stack([arrays[name] for arrays in path]) for name in path[0]}


def _unstack(arrays: Arrays) -> list[Arrays]:
    """Split arrays with a leading axis of records into those of each record."""
    n_records = len(next(iter(arrays.values())))
    return [{name: array[index] for name, array in arrays.items()} for index in range(n_records)]


def _pad_records(array: np.ndarray, n_records: int) -> np.ndarray:
    """Pad the leading axis of an array with NaN to one entry for each record."""
    missing = [(0, n_records - len(array))] + [(0, 0)] * (array.ndim - 1)
    return np.pad(array, missing, constant_values=np.nan)


def _restored(kind: str, saved: Arrays) -> dict[int, Arrays]:
    """Return the named arrays of a kind in a snapshot, by member number."""
    members: dict[int, Arrays] = {}
    for key, array in saved.items():
        if key.startswith(f"{kind}/"):
            _, index, name = key.split("/", 2)
            members.setdefault(int(index), {})[name] = array
    return members
