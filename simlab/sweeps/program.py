"""The compiled programs of a sweep: batches of members, sharded over devices.

The host calls three programs for each specification, compiled once for all values of the hyperparameters: ``begin``,
``segment`` and ``record``. The programs decide which members continue: the state of a row whose member has stopped
remains bit-identical, so that the host may read a report one segment late and the devices need not wait for it.
"""

import math
from collections.abc import Callable
from concurrent.futures import Future
from functools import cached_property, lru_cache, partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import PartitionSpec
from jax.stages import Lowered

from simlab.losses.chunks import CHUNK_ENTRIES
from simlab.runtime.devices import MEMBER, local_devices, make_mesh
from simlab.runtime.garbage import collection_paused
from simlab.runtime.random_keys import random_key
from simlab.runtime.settings import all_settings, is_double_precision
from simlab.sweeps.compilation import compile_piece, compiler_options, compilers, held_bytes
from simlab.sweeps.layout import Layout
from simlab.sweeps.members import Inputs
from simlab.sweeps.over_rows import over_rows
from simlab.sweeps.row_blocks import select_rows
from simlab.sweeps.rows import Report, Rows, Status
from simlab.sweeps.same_seed import SameSeed
from simlab.sweeps.shapes import Shapes
from simlab.training.optimizers import Optimizer
from simlab.training.record import Record
from simlab.training.run_state import Problem
from simlab.training.spec import TrainingSpec
from simlab.training.trainer import make_trainer
from simlab.validation import invalid


class Piece(NamedTuple):
    """A function of many rows, with what is needed to lower it.

    Attributes:
        function: a function of the rows of one device.
        shapes: shapes of its arguments, with their sharding.
        shardings: shardings of its results.
        donated: the arguments whose memory it may reuse.
    """

    function: Callable
    shapes: tuple
    shardings: Any
    donated: int | tuple[int, ...]


class Program:
    """The compiled pieces for one specification and one layout.

    Args:
        spec: the specification of the members; only its ``compile_key`` matters.
        layout: the rows and the devices.
        optimizer: as in :func:`simlab.training.trainer.make_trainer`.
        first_device: index of the first of the consecutive devices that the program runs on.

    Raises:
        ValueError: there are too few devices, the classes cannot be split evenly, or rows that share a seed would be
            reused for members of other seeds.
    """

    def __init__(self, spec: TrainingSpec, layout: Layout, optimizer: Optimizer | None = None, first_device: int = 0):
        spec.check_class_shards(layout.class_shards)
        if layout.same_seed > 1 and layout.part > layout.rows:
            raise invalid("same_seed", "1 in a part with more members than rows", layout.same_seed)
        if spec.dtype == "float64" and not is_double_precision():
            raise invalid("dtype", "float32, or a call within jax.enable_x64(True)", spec.dtype)
        self.spec, self.layout = spec.compile_key, layout
        self._trainer = make_trainer(self.spec, optimizer)
        self._alike = SameSeed(layout)
        self._over_rows = partial(over_rows, self.spec, layout)
        self._mesh = make_mesh(layout.member_shards, layout.class_shards, first_device)
        self._shapes = Shapes(self.spec, layout.rows, self._mesh, self._begin)
        self._lowered: dict[str, Lowered] = {}
        self._pieces: dict[str, Future] = {}

    def put(self, inputs: Inputs, occupied: np.ndarray) -> tuple[Inputs, jax.Array]:
        """Put the inputs of all rows on the devices; ``occupied`` (``Bool[W]``) marks the rows with a member."""
        return jax.device_put((inputs, occupied), self._shapes.sharding)

    def put_rows(self, leaves: list[np.ndarray]) -> Rows:
        """Put saved rows back on the devices; ``leaves`` are in the order of ``jax.tree.leaves``."""
        structure = jax.tree.structure(self._shapes.begun[1])
        return jax.device_put(jax.tree.unflatten(structure, leaves), self._shapes.row_sharding)

    @property
    def begin(self) -> Callable:
        """``(inputs, occupied) -> (problem, rows)`` before any step."""
        return self._compiled("begin").result()

    @property
    def segment(self) -> Callable:
        """``(problem, rows, inputs) -> rows`` after the steps of one segment; the input rows are donated."""
        return self.segment_of(-1)

    def segment_of(self, stage: int) -> Callable:
        """Return the segment of a stage, which does not change rows in other stages."""
        return self._compiled(self._segment_names[stage]).result()

    @property
    def record(self) -> Callable:
        """``(problem, rows, inputs) -> (rows, report)``; the input rows are donated, and members may stop here."""
        return self._compiled("record").result()

    def refill(self, problem: Problem, rows: Rows, inputs: Inputs, fresh: jax.Array) -> tuple[Problem, Rows]:
        """Begin new members in the rows marked ``fresh`` (``Bool[W]``), as ``begin`` does; ``rows`` are donated."""
        return self._compiled("select").result()(fresh, self.begin(inputs, fresh), (problem, rows))

    def start_compiling(self) -> None:
        """Compile all pieces that a sweep needs in the background; otherwise each is compiled on first use."""
        for name in self._names:
            self._compiled(name)

    @cached_property
    def representation(self) -> Callable:
        """``(problem, rows, index) -> dict``, the named arrays of one row."""

        def of_row(problem, rows, index):
            row = jax.tree.map(lambda leaf: leaf[index], (problem, rows.state))
            return self._trainer.representation(*row)

        return jax.jit(of_row, compiler_options=compiler_options())

    @cached_property
    def representations(self) -> Callable:
        """``(problem, rows) -> dict``: the named arrays of all rows, on a leading axis."""

        def of_rows(problem, rows):
            return jax.vmap(self._trainer.representation)(problem, rows.state)

        return jax.jit(of_rows, compiler_options=compiler_options())

    @property
    def representation_bytes(self) -> int:
        """The bytes of the named arrays of one member."""
        shapes = jax.eval_shape(self.representations, *self._shapes.begun)
        return sum(math.prod(leaf.shape[1:]) * leaf.dtype.itemsize for leaf in jax.tree.leaves(shapes))

    @property
    def record_shapes(self) -> Record:
        """The shapes of the records; rows are the leading axis of every entry."""
        return self._traced("record").out_info[1].record

    @cached_property
    def sample(self) -> Callable:
        """``(seed, data) -> sample`` of one member: the training set that ``begin`` drew for it."""

        def of_member(seed, data):
            return self._trainer.sample(random_key(seed), data)

        return jax.jit(of_member, compiler_options=compiler_options())

    def bytes_needed(self, *names: str) -> int:
        """Return the peak bytes per device over the named pieces, or over all pieces that a sweep uses.

        The bytes are those reported by the compiler.
        """
        peaks = {name: held_bytes(self._compiled(name).result()) for name in names or self._names}
        if "select" in peaks:
            # New members begin while all others stay in memory.
            peaks["begin"] += self.begin.memory_analysis().output_size_in_bytes
        return max(peaks.values())

    def _begin(self, inputs: Inputs, occupied: jax.Array) -> tuple[Problem, Rows]:
        """Draw the problem and the initial weights of one member; an empty row counts as stopped."""
        key = random_key(inputs.seeds)
        problem, state = self._trainer.begin(key, inputs.data, inputs.hyperparameters)
        zero = jnp.zeros((), jnp.int32)
        status = jnp.where(occupied, Status.RUNNING, Status.FINISHED).astype(jnp.int32)
        return problem, Rows(state, zero, status, zero)

    def _segment(self, stage: int, problem: Problem, row: Rows, inputs: Inputs) -> Rows:
        """Take the steps of one segment of one member, unless it has stopped or is in another stage."""
        segment = self._trainer.segments[stage]

        def advance():
            state, bad_step = segment(problem, row.state, inputs.hyperparameters, self._alike.segment_number(row))
            return Rows(state, row.segments + 1, row.status, bad_step)

        is_due = row.status == Status.RUNNING
        first = self.spec.first_segments
        if stage > 0:
            is_due &= row.segments >= first[stage]
        if stage + 1 < len(first):
            is_due &= row.segments < first[stage + 1]
        return self._alike.where(is_due, advance, row)

    def _record(self, problem: Problem, rows: Rows, inputs: Inputs) -> tuple[Rows, Report]:
        """Measure all rows of one device, and mark those whose members stop here."""
        report = self._over_rows(self._measure, self._alike.run_axes, self._measured_numbers)(problem, rows, inputs)
        return rows._replace(status=report.status, first_bad_step=report.first_bad_step), report

    def _measure(self, problem: Problem, row: Rows, inputs: Inputs) -> Report:
        """Measure one member and decide whether it stops, unless it has stopped already."""
        spec = self.spec
        number = self._alike.segment_number(row)
        # Traced once, for the shapes and for the computation.
        measure = jax.jit(partial(self._trainer.record, problem, row.state, inputs.hyperparameters), inline=True)
        empty = jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), jax.eval_shape(measure, number))
        record = self._alike.where(row.status == Status.RUNNING, partial(measure, number), empty)
        # A weight may overflow while the loss stays finite; the penalty in a recorded risk includes all weights.
        recorded = getattr(record.metrics, spec.objective.divergence_metric)
        unseen = (row.first_bad_step == 0) & ~jnp.isfinite(recorded)
        bad_step = jnp.where(unseen, jnp.maximum(row.segments * spec.steps_per_record, 1), row.first_bad_step)
        status = jnp.where(row.segments == spec.n_segments, Status.FINISHED, Status.RUNNING)
        if spec.until_gradient_norm is not None:
            is_small = record.gradient_norm <= spec.until_gradient_norm
            away = partial(self._trainer.is_away, problem, row.state, inputs.hyperparameters, record.gradient_norm)
            is_small &= jax.lax.cond(is_small, away, lambda: jnp.zeros((), bool))
            status = jnp.where(is_small, Status.CONVERGED, status)
        status = jnp.where(bad_step > 0, Status.DIVERGED, status).astype(jnp.int32)
        status = jnp.where(row.status == Status.RUNNING, status, row.status)
        return Report(record, row.segments, status, bad_step)

    def _compiled(self, name: str) -> Future:
        """Return the future of a compiled piece; compilation runs in background threads."""
        if name not in self._pieces:
            self._pieces[name] = compilers().submit(compile_piece, self._traced(name))
        return self._pieces[name]

    def _traced(self, name: str) -> Lowered:
        """Return a lowered piece."""
        if name not in self._lowered:
            with collection_paused():
                self._lowered[name] = self._lower(self._piece(name))
        return self._lowered[name]

    def _piece(self, name: str) -> Piece:
        """Return a piece before it is lowered."""
        shapes = self._shapes
        problem_and_rows = shapes.sharding, shapes.row_sharding
        if name in self._segment_names:
            advance = partial(self._segment, self._segment_names.index(name))
            steps = self._over_rows(advance, self._alike.run_axes, in_place=True)
            return Piece(steps, shapes.run, shapes.row_sharding, 1)
        if name == "begin":
            start = self._over_rows(self._begin, (self._alike.input_axes, 0), self._begun_numbers)
            return Piece(start, shapes.inputs, problem_and_rows, ())
        if name == "record":
            return Piece(self._record, shapes.run, problem_and_rows[::-1], 1)
        arguments = shapes.inputs[1], shapes.run[:2], shapes.run[:2]
        return Piece(jax.vmap(select_rows), arguments, problem_and_rows, 2)

    def _lower(self, piece: Piece) -> Lowered:
        """Shard a function of many rows over all devices and lower it."""
        mapped = jax.shard_map(
            piece.function,
            mesh=self._mesh,
            in_specs=PartitionSpec(MEMBER),
            out_specs=PartitionSpec(MEMBER),
            axis_names={MEMBER},
            check_vma=False,
        )
        return jax.jit(mapped, out_shardings=piece.shardings, donate_argnums=piece.donated).lower(*piece.shapes)

    @property
    def _begun_numbers(self) -> int:
        """The numbers per member in the problem and the state."""
        return sum(math.prod(leaf.shape[1:]) for leaf in jax.tree.leaves(self._shapes.begun))

    @property
    def _measured_numbers(self) -> int:
        """The numbers per member in memory while the objective measures it."""
        stored = [leaf.shape[1] for leaf in jax.tree.leaves(self._shapes.begun[0].sample) if leaf.ndim > 1]
        numbers = max([self.spec.n_evaluation, *stored]) * self.spec.objective.numbers_per_example(self.spec)
        return min(CHUNK_ENTRIES, numbers) if self.spec.objective.additive else numbers

    @property
    def _names(self) -> list[str]:
        """Return the names of the pieces that a sweep uses."""
        refills = self.layout.part > self.layout.rows
        return ["begin", *self._segment_names, "record", *(["select"] if refills else [])]

    @property
    def _segment_names(self) -> list[str]:
        """Return the names of the segments of all stages."""
        n_stages = len(self.spec.stages)
        return ["segment"] if n_stages == 1 else [f"segment {number}" for number in range(n_stages)]


def compile_program(
    spec: TrainingSpec, layout: Layout, optimizer: Optimizer | None = None, first_device: int = 0
) -> Program:
    """Return the :class:`Program`, cached for recent arguments: a second sweep of the same kind starts at once."""
    return _cached_program(spec.compile_key, layout, optimizer, first_device, (*all_settings(), *local_devices()))


@lru_cache(maxsize=32)
def _cached_program(
    spec: TrainingSpec, layout: Layout, optimizer: Optimizer | None, first_device: int, settings: tuple
) -> Program:
    return Program(spec, layout, optimizer, first_device)
