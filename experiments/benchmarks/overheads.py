"""What a run does besides its steps: the share of drawing batches in a step, and that of records in a run."""

from collections.abc import Callable, Iterator

import jax
import jax.numpy as jnp

from experiments.benchmarks.measurement import Contestant, Measurement, Part, summarise, take_turns
from experiments.benchmarks.settings import BenchSettings
from experiments.core.experiment import Cell
from experiments.registry import find_experiment
from simlab.runtime.random_keys import random_key
from simlab.runtime.settings import precision_of
from simlab.sweeps.compilation import compiler_options
from simlab.sweeps.members import Member, member_inputs
from simlab.training.run_state import Problem
from simlab.training.spec import TrainingSpec
from simlab.training.trainer import make_trainer, planned_steps

BENCHMARK = "overheads"
SEGMENT, RECORD, BATCHES = "segment", "record", "batches"


def make_parts(settings: BenchSettings) -> Iterator[Part]:
    """Yield a part for each regime of the experiments of the atlas: the shares of batches and records.

    A regime is measured at its first cell. Those with several stages are left out.
    """
    for entry in settings.entries:
        plan = find_experiment(entry.experiment).plan(settings.preset, {"precision": settings.precision})
        cells = {cell.regime: cell for cell in reversed(plan.cells) if cell.spec and len(cell.spec.stages) == 1}
        for regime in plan.configurations:
            if regime in cells:
                yield Part(f"{entry.experiment} {regime}", _measure_cell(entry.experiment, cells[regime], settings))


def _measure_cell(experiment: str, cell: Cell, settings: BenchSettings) -> Callable[[], list[Measurement]]:
    def measure() -> list[Measurement]:
        spec = cell.spec
        where = BENCHMARK, f"{experiment}, {settings.preset} preset", cell.regime
        with precision_of(spec.dtype):
            seconds = take_turns(_contestants(Member(spec, cell.hyperparameters, 0)), settings.rounds)
        segments, records = spec.n_segments * seconds[SEGMENT], (spec.n_segments + 1) * seconds[RECORD]
        return [
            summarise(where, "step", "us", 1e6 * seconds[SEGMENT] / spec.steps_per_record),
            summarise(where, "batches, of a step", "%", 100 * seconds[BATCHES] / seconds[SEGMENT]),
            summarise(where, "records, of a run", "%", 100 * records / (segments + records)),
        ]

    return measure


def _contestants(member: Member) -> list[Contestant]:
    """Return a segment, a record, and the batches of a segment; alone, on one device, from the start of a run."""
    spec, trainer, inputs = member.spec, make_trainer(member.spec), member_inputs(member)
    compiled = lambda function: jax.jit(function, compiler_options=compiler_options())  # noqa: E731
    problem, state = compiled(trainer.begin)(random_key(member.seed), inputs.data, inputs.hyperparameters)
    segment, record = compiled(trainer.segment), compiled(trainer.record)
    batches = compiled(lambda problem: _read_batches(spec, problem))
    turns = {
        SEGMENT: lambda: segment(problem, state, inputs.hyperparameters, 0),
        RECORD: lambda: record(problem, state, inputs.hyperparameters, 0),
        BATCHES: lambda: batches(problem),
    }
    return [Contestant(name, lambda turn=turn: jax.block_until_ready(turn()), 1) for name, turn in turns.items()]


def _read_batches(spec: TrainingSpec, problem: Problem) -> jax.Array:
    """Draw or shuffle the batches of a segment as its steps do, and add up their entries, which takes little time."""
    source, n_planned = spec.source, planned_steps(spec, spec.source)

    def follow_plan(total, start):
        entries = source.plan(spec.task, problem.sample, problem.data, problem.batch_key, start, n_planned)
        return total + sum(jnp.sum(leaf).astype(jnp.float32) for leaf in jax.tree.leaves(entries)), None

    starts = jnp.arange(0, spec.steps_per_record, n_planned)
    return jax.lax.scan(follow_plan, jnp.zeros((), jnp.float32), starts)[0]
