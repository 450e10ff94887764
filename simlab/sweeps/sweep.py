"""Sweeps: members grouped by the program that they share, laid out over devices and saved in parts.

A *group* holds the members of one compiled program. It is cut into *parts*; a part is the unit that a process claims
and saves, and that is computed again if its file is corrupt. Any number of processes may work on the parts of one
folder.
"""

import math
import sys
from collections import Counter
from collections.abc import Sequence
from contextlib import AbstractContextManager
from functools import cached_property, reduce
from typing import NamedTuple

from simlab.losses.objective import check_hyperparameters
from simlab.runtime.devices import free_memory, local_devices, platform
from simlab.runtime.settings import precision_of
from simlab.storage.store import Store
from simlab.sweeps.lanes import count_lanes, first_device, run_in_lanes
from simlab.sweeps.layout import Layout
from simlab.sweeps.members import Member, MemberRun
from simlab.sweeps.part_run import PartRun
from simlab.sweeps.program import Program, compile_program
from simlab.sweeps.row_blocks import run_sequentially
from simlab.sweeps.same_seed import rounded_rows, rows_of_a_seed
from simlab.sweeps.work import Analysis, Listener, Part, Work
from simlab.training.optimizers import Optimizer
from simlab.training.spec import TrainingSpec

# Where members may stop early, a part has this many members per row, so that the rows of stopped members are not idle
# while a few slow ones continue.
REFILLS = 4
# Programs that are compiled concurrently: enough to keep the cores busy.
COMPILED_AHEAD = 3


class Sweep:
    """The members of a sweep, their programs and their execution.

    Args:
        members: the members, in the order of the axes.
        trajectories: whether the named arrays are saved at every record.
        initials: whether the named arrays before the first step are saved.
        samples: whether the analysis reads the training sets, which are drawn again for it.
        optimizer: as in :func:`simlab.training.trainer.make_trainer`.
    """

    def __init__(
        self,
        members: Sequence[Member],
        *,
        trajectories: bool = False,
        initials: bool = False,
        samples: bool = True,
        optimizer: Optimizer | None = None,
    ):
        self.members = tuple(members)
        self.trajectories, self.initials, self.samples = trajectories, initials, samples
        self._optimizer = optimizer
        groups: dict[TrainingSpec, list[int]] = {}
        specs: dict[TrainingSpec, dict[int, TrainingSpec]] = {}
        seen: dict[tuple[int, int], tuple[list[int], dict[int, TrainingSpec]]] = {}
        for index, member in enumerate(self.members):
            cell = (id(member.spec), id(member.hyperparameters))  # the seeds of a cell share both
            if cell not in seen:
                check_hyperparameters(member.spec.objective, member.hyperparameters)
                key = member.spec.group_key
                seen[cell] = groups.setdefault(key, []), specs.setdefault(key, {})
            indices, of_group = seen[cell]
            indices.append(index)
            of_group[cell[0]] = member.spec
        self.groups = tuple(tuple(indices) for indices in groups.values())
        self.specs = tuple(_common_program(list(of_group.values())) for of_group in specs.values())

    @property
    def n_steps(self) -> int:
        """The number of steps of all members together."""
        return sum(len(indices) * spec.total_steps for indices, spec in zip(self.groups, self.specs, strict=True))

    def program(self, group: int, layout: Layout) -> Program:
        """Return the program of a group, compiled at most once; use it within :meth:`precision` of the group."""
        return compile_program(self.specs[group], layout, self._optimizer, first_device(group, layout))

    def precision(self, group: int) -> AbstractContextManager:
        """Return the context in which the program of a group is used."""
        return precision_of(self.specs[group].dtype)

    def choose_layouts(
        self, *, n_processes: int = 1, chunk: int | None = None, class_shards: int = 1
    ) -> tuple[Layout, ...]:
        """Return the layout of each group, with as many members per batch as the memory of the devices allows.

        Args:
            n_processes: number of processes that share the work; each gets a part if there are enough members.
            chunk: the most members per batch; None for as many as memory allows.
            class_shards: devices along the class axis.

        Raises:
            ValueError: there are too few devices for the class axis.
            MemoryError: a device cannot hold a single member.
        """
        shares = [math.ceil(len(indices) / n_processes) for indices in self.groups]
        layouts = []
        for group, share in enumerate(shares):
            with self.precision(group):
                layouts.append(_wanted_layout(self.specs[group], share, chunk, class_shards, self._alike[group]))
        if chunk is not None:
            return tuple(layouts)
        for group, share in enumerate(shares):
            # The next programs compile in the background.
            for number in range(group, min(group + COMPILED_AHEAD, len(layouts))):
                with self.precision(number):
                    self.program(number, layouts[number]).start_compiling()
            with self.precision(group):
                layouts[group] = self._fit_memory(group, layouts[group], share)
        return tuple(layouts)

    def _fit_memory(self, group: int, layout: Layout, share: int) -> Layout:
        """Return a layout with as many rows as the memory of the devices allows, at most those of ``layout``."""
        shards, free = layout.member_shards, free_memory()
        # CPU devices share the memory of the host, and as many groups as fit run at once.
        if platform() == "cpu":
            free //= min(len(self.groups), count_lanes(layout)) * layout.n_devices
        while (needed := self.program(group, layout).bytes_needed()) > free:
            per_device = layout.rows // shards
            if per_device == 1:
                raise MemoryError(
                    f"a single member needs {needed:,} bytes where {free:,} are free: "
                    "reduce the sizes of the task, batch_size or n_evaluation, record more often (n_records), or split "
                    "the classes with class_shards"
                )
            fitting = min(per_device - 1, max(1, int(per_device * free / needed)))
            alike, spec = self._alike[group], self.specs[group]
            layout = _layout(spec, fitting, share, shards, layout.class_shards, alike, at_most=fitting)
        return layout

    @cached_property
    def _alike(self) -> list["Alike"]:
        """What the members of each group share with the others of their seed."""
        return [_shared_by([self.members[index] for index in indices]) for indices in self.groups]

    def parts(self, layouts: Sequence[Layout]) -> list[Part]:
        """Return the parts of all groups."""
        return [
            Part(f"{group:02d}-{number:05d}", group, indices[start : start + layout.part])
            for group, layout in enumerate(layouts)
            for indices in [self._in_order(group, layout)]
            for number, start in enumerate(range(0, len(indices), layout.part))
        ]

    def _in_order(self, group: int, layout: Layout) -> tuple[int, ...]:
        """Return the members of a group in the order of its parts."""
        by_seed = sorted(self.groups[group], key=lambda index: self.members[index].seed)
        return tuple(by_seed) if layout.by_seed else self.groups[group]

    def run(
        self,
        layouts: Sequence[Layout],
        store: Store,
        analyse: Analysis,
        listener: Listener,
        shard: tuple[int, int] = (0, 1),
    ) -> bool:
        """Run unclaimed parts: the share of this process first, then leftovers.

        Args:
            layouts: from :meth:`choose_layouts`, or those of the process that began the sweep.
            store: the store of the parts.
            analyse: called with a member, its outcome and its training set (None for fresh examples, or if it is not
                read); returns the arrays to save, of the same shapes for all members of a group.
            listener: receives the progress.
            shard: the rank of this process and the number of processes, for the order of the parts.

        Returns:
            Whether every part is complete.
        """
        parts = self.parts(layouts)
        index, count = shard
        order = [*parts[index::count], *(part for i, part in enumerate(parts) if i % count != index)]
        work = Work(self, layouts, store, analyse, listener)
        for part in order:
            if store.is_complete(part.name):
                work.count(part)
        run_in_lanes(work, order, layouts)
        run_in_lanes(work, order, layouts)  # parts that other processes claimed and did not complete
        work.report()
        return all(store.is_complete(part.name) for part in parts)


def _common_program(specs: Sequence[TrainingSpec]) -> TrainingSpec:
    """Return the compile key of a program for all of these specifications, which share a group key."""
    return reduce(lambda program, spec: program.covering(spec), specs[1:], specs[0].compile_key)


class Alike(NamedTuple):
    """What the members of a group share.

    Attributes:
        n_cells: the number of members of each seed; 1 if seeds differ in it.
        same_task: whether members of one seed have the same task.
    """

    n_cells: int
    same_task: bool


def _shared_by(members: Sequence[Member]) -> Alike:
    """Return what the members of a group share."""
    counts = set(Counter(member.seed for member in members).values())
    tasks = {id(member.spec): member.spec.task for member in members}
    return Alike(counts.pop() if len(counts) == 1 else 1, len(set(tasks.values())) == 1)


def _wanted_layout(spec: TrainingSpec, share: int, chunk: int | None, class_shards: int, alike: Alike) -> Layout:
    """Return the layout given by ``chunk``, or else the best one without a limit on memory."""
    if chunk is not None:
        wanted = min(chunk, share)
    elif spec.until_gradient_norm is not None and not run_sequentially(spec):
        wanted = math.ceil(share / REFILLS)
    else:
        wanted = share
    shards = max(1, min(len(local_devices()) // class_shards, wanted))
    per_device = max(1, wanted // shards) if chunk is not None else math.ceil(wanted / shards)
    at_most = per_device if per_device * shards < share else sys.maxsize
    return _layout(spec, per_device, share, shards, class_shards, alike, at_most=at_most)


def _layout(
    spec: TrainingSpec, per_device: int, share: int, shards: int, class_shards: int, alike: Alike, *, at_most: int
) -> Layout:
    """Return a layout; only where members may stop early, a part has more members than rows.

    Elsewhere the members of a seed stand in consecutive rows, with up to ``at_most`` rows on a device.
    """
    rows = per_device * shards
    if spec.until_gradient_norm is not None:
        return Layout(rows, min(share, REFILLS * rows), shards, class_shards)
    same_seed = rows_of_a_seed(spec, per_device, alike.n_cells, at_most=at_most)
    rows = rounded_rows(per_device, same_seed, at_most) * shards
    part = min(math.ceil(share / same_seed) * same_seed, rows)
    return Layout(rows, part, shards, class_shards, same_seed > 1, same_seed, same_seed > 1 and alike.same_task)


def train_members(
    members: Sequence[Member],
    *,
    layouts: Sequence[Layout] | None = None,
    trajectories: bool = False,
    initials: bool = False,
    optimizer: Optimizer | None = None,
) -> list[MemberRun]:
    """Train members in batches, with results in memory.

    Args:
        members: members of any specifications; those with the same group key share a program.
        layouts: the layout of each program, in the order of first occurrence; by default chosen by memory.
        trajectories: whether the named arrays are saved at every record.
        initials: whether the named arrays before the first step are saved.
        optimizer: as in :func:`simlab.training.trainer.make_trainer`.

    Returns:
        The outcome of each member, in the order of ``members``.

    Raises:
        ValueError: a hyperparameter is out of range.
    """
    sweep = Sweep(members, trajectories=trajectories, initials=initials, optimizer=optimizer)
    layouts = layouts or sweep.choose_layouts()
    outcomes: dict[int, MemberRun] = {}
    for part in sweep.parts(layouts):
        with sweep.precision(part.group):
            program = sweep.program(part.group, layouts[part.group])
            members = [sweep.members[i] for i in part.members]
            run = PartRun(program, members, trajectories=trajectories, initials=initials)
            while not run.is_done:
                run.advance()
        outcomes |= {member: run.result(index) for index, member in enumerate(part.members)}
    return [outcomes[index] for index in range(len(sweep.members))]
