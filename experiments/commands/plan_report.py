"""The report of ``simlab run --plan``: members, compilations, memory, devices and estimated time of a sweep."""

import dataclasses
import math
import time
from collections.abc import Callable, Sequence
from typing import TypeVar

import jax
import numpy as np

from experiments.core.experiment import Plan
from experiments.core.progress import format_seconds
from experiments.tables.columns import format_columns
from simlab.runtime.devices import free_memory, platform
from simlab.sweeps.layout import Layout
from simlab.sweeps.measurements import MeasurementSweep
from simlab.sweeps.members import stack_inputs
from simlab.sweeps.program import Program
from simlab.sweeps.sweep import Sweep

# Enough steps for a time well above the noise, few enough to finish quickly.
TIMED_STEPS = 20

TIMED_ROWS = 8  # of each CPU device

# Largest member, in bytes, whose steps are timed; the arrays of larger ones take long to initialise.
LARGEST_TIMED = 10**9

Result = TypeVar("Result")


def format_size(plan: Plan, sweep: Sweep | MeasurementSweep) -> str:
    """Return the numbers of members, steps and programs as text, without compiling anything."""
    if isinstance(sweep, MeasurementSweep):
        return f"{plan.name}: {len(sweep.members)} measurements, nothing is trained"
    axes = ", ".join(f"{axis.name} ({len(axis.values)})" for axis in plan.axes) or "none"
    regimes = f"{len(plan.configurations)} regimes x axes: {axes} x {len(plan.seeds)} seeds"
    return (
        f"{plan.name}: {len(sweep.members)} members = {regimes}, {sweep.n_steps:,} steps\n{len(sweep.groups)} programs"
    )


def format_plan(
    plan: Plan, sweep: Sweep | MeasurementSweep, layouts: Sequence[Layout], say: Callable[[str], None]
) -> str:
    """Return a line for each compiled program, and the totals.

    Args:
        plan: the plan.
        sweep: its members.
        layouts: the layouts of its programs.
        say: receives progress messages.
    """
    if isinstance(sweep, MeasurementSweep):
        return "nothing is compiled"
    header = ("program", "members", "at once", "parts", "devices", "bytes per member", "steps", "time")
    parts = sweep.parts(layouts)
    rows: list[tuple[str, ...]] = [header]
    seconds = 0.0
    for group, layout in enumerate(layouts):
        say(f"timing program {group + 1} of {len(layouts)}")
        with sweep.precision(group):
            needed = _bytes_per_member(sweep.program(group, layout), trajectories=sweep.trajectories)
            estimate = math.nan if needed > LARGEST_TIMED else _estimate(sweep, group, layout)
        seconds += estimate
        rows.append(
            (
                f"  {_name(plan, sweep, group)}",
                str(len(sweep.groups[group])),
                str(layout.rows),
                str(sum(part.group == group for part in parts)),
                f"{layout.member_shards} x {layout.class_shards}",
                f"{needed:,}",
                f"{sweep.specs[group].total_steps:,}",
                "not measured" if math.isnan(estimate) else format_seconds(estimate),
            )
        )
    device = jax.local_devices()[0]
    lines = [
        format_columns(rows),
        f"compilations: {len(sweep.groups)} programs; devices (members x classes) of {len(jax.local_devices())} "
        f"{device.device_kind}, {free_memory():,} bytes usable",
        f"estimated time, from {TIMED_STEPS} steps of each program, without compilation and analysis: "
        + ("not measured for members of more than 1 GB" if math.isnan(seconds) else format_seconds(seconds)),
    ]
    return "\n".join(lines)


def _bytes_per_member(program: Program, *, trajectories: bool) -> int:
    """Return the bytes of a member on its device, plus those of its trajectory on the host."""
    on_device = math.ceil(program.bytes_needed() * program.layout.member_shards / program.layout.rows)
    return on_device + (program.spec.n_segments + 1) * program.representation_bytes * trajectories


def _name(plan: Plan, sweep: Sweep, group: int) -> str:
    """Return the regimes whose members a program serves."""
    cells = {index // len(plan.seeds) for index in sweep.groups[group]}
    return ", ".join(dict.fromkeys(plan.cells[cell].regime for cell in sorted(cells)))


def _estimate(sweep: Sweep, group: int, layout: Layout) -> float:
    """Return the estimated seconds for the members of a group, extrapolated from a few steps and one record."""
    spec = sweep.specs[group]
    steps = {"n_steps": TIMED_STEPS, "steps_per_record": TIMED_STEPS, "pretraining": ()}
    short = dataclasses.replace(spec, **steps, schedule="constant", warmup_steps=0)
    layout = _timed_layout(layout)
    program = Program(short, layout)
    members = [sweep.members[i] for i in sweep.groups[group]]
    inputs, occupied = program.put(
        stack_inputs([members[i % len(members)] for i in range(layout.rows)], spec), np.ones(layout.rows, bool)
    )
    program.start_compiling()
    take_steps, measure = program.segment, program.record
    problem, rows = program.begin(inputs, occupied)
    (rows, _), record = _timed(lambda: measure(problem, rows, inputs))
    rows = jax.block_until_ready(take_steps(problem, rows, inputs))
    rows, segment = _timed(lambda: take_steps(problem, rows, inputs))
    fillings = math.ceil(len(members) / layout.rows)
    return fillings * (spec.total_steps / TIMED_STEPS * segment + (spec.n_segments + 1) * record)


def _timed_layout(layout: Layout) -> Layout:
    """Return the layout for timing: on CPUs, where time is proportional to the number of rows, one with few rows."""
    few = max(layout.same_seed, TIMED_ROWS // layout.same_seed * layout.same_seed) * layout.member_shards
    rows = min(layout.rows, few) if platform() == "cpu" else layout.rows
    return layout._replace(rows=rows, part=min(layout.part, rows))


def _timed(call: Callable[[], Result]) -> tuple[Result, float]:
    started = time.perf_counter()
    result = jax.block_until_ready(call())
    return result, time.perf_counter() - started
