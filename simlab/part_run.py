"""Train the members of one part: the loop on the host, and its state as arrays that can be saved and taken up again."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import jax
import numpy as np

from simlab.members import Member, MemberRun, stack_inputs
from simlab.programs import Program, Report, Status
from simlab.training import Record, named_values

EMPTY = -1

# From this share of all rows on, the weights of all are fetched at once: a row alone costs a call of its own. Not where
# all have more weights than that, which would be copied on the device.
FETCH_SHARE = 8
FETCHED_WEIGHTS = 5_000_000


class _Flight(NamedTuple):
    """A segment that the devices are at: who sat in which row when it was sent off, and what it will report."""

    slots: np.ndarray
    report: Report


class PartRun:
    """The run of one part.

    The devices are one segment ahead of the host: while they compute, the host reads the report of the segment before.
    A row whose member has stopped is frozen by the program itself, so that nothing is lost by looking late; the row is
    then given to the next member that waits.

    Args:
        program: compiled for the members' specification.
        members: of the part, in order.
        trajectories: whether weights are kept at every record.
        saved: what :meth:`snapshot` returned, to go on from there.
    """

    def __init__(
        self,
        program: Program,
        members: Sequence[Member],
        *,
        trajectories: bool = False,
        saved: dict[str, np.ndarray] | None = None,
    ):
        program.start_compiling()
        self.program, self.members = program, members
        self._trajectories = trajectories
        n_members, n_records = len(members), program.spec.n_segments + 1
        empty = lambda one: np.full((n_members, n_records), np.nan, one.dtype)  # noqa: E731
        self._records: Record = jax.tree.map(empty, program.record_shapes)
        self._segments, self._status, self._first_bad_step = np.zeros((3, n_members), np.int64)
        self._finals: dict[int, tuple[np.ndarray, np.ndarray]] = {}
        self._paths: dict[int, list[tuple[np.ndarray, np.ndarray]]] = {}
        self._flights: list[_Flight] = []
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
        """Segments that will not have to be taken any more, over all members."""
        return int(np.where(self._status == Status.RUNNING, self._segments, self.program.spec.n_segments).sum())

    @property
    def members_done(self) -> int:
        """Members whose weights are on the host."""
        return len(self._finals)

    def advance(self) -> None:
        """Send off the next segment and read the report of the one before."""
        if self._may_run_on():
            self._rows = self.program.segment(self._problem, self._rows, self._inputs)
            self._flights.append(self._record())
            if self._trajectories or len(self._flights) > 1:
                self._read(self._flights.pop(0))
        else:
            self.settle()
        self._collect()
        if self._next < len(self.members) and np.any(self._slots == EMPTY):
            self._refill()

    def settle(self) -> None:
        """Wait for the devices and read what they have to report."""
        while self._flights:
            self._read(self._flights.pop(0))

    def snapshot(self) -> dict[str, np.ndarray]:
        """Return everything that is needed to go on from here, as arrays by name."""
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
        for index in done:
            arrays[f"embeddings/{index}"], arrays[f"classifier/{index}"] = self._finals[index]
        for index, path in self._paths.items():
            for name, values in zip(("embeddings", "classifier"), zip(*path, strict=True), strict=True):
                arrays[f"path/{name}/{index}"] = np.stack(values)
        return arrays

    def result(self, index: int) -> MemberRun:
        """Return the outcome of a member that is done."""
        embeddings, classifier = self._finals[index]
        return MemberRun(
            embeddings=embeddings,
            classifier=classifier,
            records=jax.tree.map(lambda values: values[index], self._records),
            status=Status(self._status[index]).name.lower(),
            first_bad_step=int(self._first_bad_step[index]),
            n_segments=int(self._segments[index]),
            trajectory=self._trajectory(index) if self._trajectories else None,
        )

    def _begin(self) -> None:
        """Give the first members a row each."""
        rows = self.program.layout.rows
        self._slots = np.full(rows, EMPTY)
        self._next = min(rows, len(self.members))
        self._slots[: self._next] = np.arange(self._next)
        self._put()
        self._problem, self._rows = self.program.begin(self._inputs, self._occupied)
        self._read(self._record())

    def _restore(self, saved: dict[str, np.ndarray]) -> None:
        """Take up the state of a snapshot; what can be drawn again from the seeds was not saved."""
        self._slots, self._next = saved["slots"], int(saved["next"])
        self._segments, self._status = saved["segments"], saved["status"]
        self._first_bad_step = saved["first_bad_step"]
        names = named_values(self._records)
        self._records = jax.tree.unflatten(
            jax.tree.structure(self._records), [saved[f"records/{one}"] for one in names]
        )
        self._finals = {int(i): (saved[f"embeddings/{i}"], saved[f"classifier/{i}"]) for i in saved["done"]}
        if self._trajectories:
            known = [i for i in range(len(self.members)) if f"path/embeddings/{i}" in saved]
            pairs = {i: (saved[f"path/embeddings/{i}"], saved[f"path/classifier/{i}"]) for i in known}
            self._paths = {i: list(zip(*pair, strict=True)) for i, pair in pairs.items()}
        self._put()
        self._problem, rows = self.program.begin(self._inputs, self._occupied)
        n_leaves = len(jax.tree.leaves(rows))
        self._rows = self.program.put_rows([saved[f"rows/{i}"] for i in range(n_leaves)])

    def _record(self, rows: np.ndarray | None = None) -> _Flight:
        """Have the rows measured, for the members in all of them or in some (``Bool[W]``)."""
        self._rows, report = self.program.record(self._problem, self._rows, self._inputs)
        return _Flight(self._slots.copy() if rows is None else np.where(rows, self._slots, EMPTY), report)

    def _put(self) -> None:
        """Bring the inputs of the members in the rows to the devices; an empty row repeats the first member's."""
        members = [self.members[max(index, 0)] for index in self._slots]
        self._inputs, self._occupied = self.program.put(stack_inputs(members, self.program.spec), self._slots != EMPTY)

    def _may_run_on(self) -> bool:
        """Whether some row, as far as the host knows, has a segment to take that was not yet sent off."""
        seated = self._slots[self._slots != EMPTY]
        sent = self._segments[seated] + len(self._flights)
        return bool(np.any((self._status[seated] == Status.RUNNING) & (sent < self.program.spec.n_segments)))

    def _read(self, flight: _Flight) -> None:
        """Write down what the rows report of members that were running."""
        report = jax.device_get(flight.report)
        rows = np.flatnonzero((flight.slots != EMPTY) & (self._status[flight.slots] == Status.RUNNING))
        members, at = flight.slots[rows], report.segments[rows]
        for kept, told in zip(jax.tree.leaves(self._records), jax.tree.leaves(report.record), strict=True):
            kept[members, at] = told[rows]
        self._segments[members], self._status[members] = at, report.status[rows]
        self._first_bad_step[members] = report.first_bad_step[rows]
        if self._trajectories:
            for member, weights in zip(members, self._weights(rows), strict=True):
                self._paths.setdefault(int(member), []).append(weights)

    def _collect(self) -> None:
        """Fetch the weights of members that have stopped, and free their rows."""
        stopped = [row for row, member in enumerate(self._slots) if member != EMPTY and self._status[member]]
        for row, weights in zip(stopped, self._weights(stopped), strict=True):
            self._finals[int(self._slots[row])] = weights
            self._slots[row] = EMPTY

    def _weights(self, rows: Sequence[int]) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield the vectors that the classifier sees, and the classifier, of some rows."""
        few_weights = len(self._slots) * self.program.spec.n_weights <= FETCHED_WEIGHTS
        if few_weights and len(rows) > len(self._slots) // FETCH_SHARE:
            columns = jax.device_get(self.program.representations(self._inputs, self._rows))
            yield from (tuple(column[row].copy() for column in columns) for row in rows)
        else:
            representation = self.program.representation
            yield from (jax.device_get(representation(self._inputs, self._rows, int(row))) for row in rows)

    def _refill(self) -> None:
        """Give the free rows to the members that wait."""
        self.settle()
        fresh = np.zeros(len(self._slots), bool)
        for row in np.flatnonzero(self._slots == EMPTY)[: len(self.members) - self._next]:
            self._slots[row], fresh[row] = self._next, True
            self._next += 1
        self._put()
        _, fresh_rows = self.program.put(self._inputs, fresh)
        self._problem, self._rows = self.program.refill(self._problem, self._rows, self._inputs, fresh_rows)
        self._read(self._record(fresh))

    def _trajectory(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the weights of a member at each record; NaN after it has stopped."""
        n_records = self.program.spec.n_segments + 1
        columns = [np.stack(column) for column in zip(*self._paths[index], strict=True)]
        return tuple(
            np.pad(one, [(0, n_records - len(one))] + [(0, 0)] * (one.ndim - 1), constant_values=np.nan)
            for one in columns
        )
