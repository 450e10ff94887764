"""The training step of every phenomenon: ours beside its limit and beside PyTorch, alone and as a member of a sweep.

A case is the first cell of the experiment that stands for the phenomenon in the atlas, at the start of its run and at
its full learning rate. Where ours and PyTorch search along lines, the searches differ in their rules, and so in the
number of gradients of a step; each turn is then the same first steps, from the same start.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace

from experiments.benchmarks import ours, pytorch
from experiments.benchmarks.limit import LIMIT, LOOP, STATE, bound_by, limit_contestants, limit_of
from experiments.benchmarks.measurement import Contestant, Measurement, Part, compare_steps
from experiments.benchmarks.settings import BenchSettings
from experiments.catalogue import Entry
from experiments.registry import find_experiment
from simlab.runtime.devices import count_cores
from simlab.runtime.settings import precision_of
from simlab.sweeps.layout import Layout
from simlab.sweeps.members import Member
from simlab.training.spec import LINE_SEARCH_OPTIMIZERS
from simlab.validation import first_line

BENCHMARK, UNIT = "training", "us/member and step"
ALONE, SWEEP = "simlab, alone", "simlab, sweep"
EAGER, COMPILED = "PyTorch, eager", "PyTorch, compiled"
PEERS = {"times eager": EAGER, "times compiled": COMPILED}
OF_LIMIT = "times the limit"

# Operations of a turn, about, and between how many steps that makes it; PyTorch calls its kernels one by one.
TURN_OPERATIONS = 3e9
LEAST_STEPS, MOST_STEPS, MOST_IN_PYTORCH = 20, 1000, 100
# Steps of a turn of a line search, which begins anew.
SEARCH_STEPS = 20
# Members of a sweep where a step has fewer operations than this, and where it has more.
SMALL_STEP, MANY_MEMBERS, FEW_MEMBERS = 1e7, 64, 8


def make_parts(settings: BenchSettings) -> Iterator[Part]:
    """Yield a part for each phenomenon: times of a step, how many times longer PyTorch takes, ratio to the limit."""
    for entry in settings.entries:
        yield Part(entry.name, _measure_entry(entry, settings))


def _measure_entry(entry: Entry, settings: BenchSettings) -> Callable[[], list[Measurement]]:
    def measure() -> list[Measurement]:
        member = make_member(entry, settings)
        with precision_of(member.spec.dtype), pytorch.same_threads():
            return _measure(entry, member, settings)

    return measure


def make_member(entry: Entry, settings: BenchSettings) -> Member:
    """Return the run of a phenomenon, cut to a single step; without a schedule and without earlier stages."""
    plan = find_experiment(entry.experiment).plan(settings.preset, {"precision": settings.precision})
    cell = plan.cells[0]
    fields = {"schedule": "constant", "warmup_steps": 0, "pretraining": (), "until_gradient_norm": None}
    return with_steps(Member(replace(cell.spec, **fields), cell.hyperparameters, 0), 1)


def with_steps(member: Member, n_steps: int) -> Member:
    """Return a member whose run has so many steps, in one segment."""
    return member._replace(spec=replace(member.spec, n_steps=n_steps, steps_per_record=n_steps))


def turn_steps(member: Member, flops: int) -> int:
    """Return the steps of a turn: long enough for the clock, short enough that disturbances fall on all alike."""
    if member.spec.optimizer in LINE_SEARCH_OPTIMIZERS:
        return SEARCH_STEPS
    return int(min(MOST_STEPS, max(LEAST_STEPS, TURN_OPERATIONS // max(flops, 1))))


def _measure(entry: Entry, member: Member, settings: BenchSettings) -> list[Measurement]:
    limit = limit_of(member)
    n_steps = turn_steps(member, limit.flops)
    searches = member.spec.optimizer in LINE_SEARCH_OPTIMIZERS
    run = with_steps(member, n_steps)
    layout = ours.even_layout(settings.members or (MANY_MEMBERS if limit.flops < SMALL_STEP else FEW_MEMBERS))
    together = with_steps(member, turn_steps(member, layout.rows * limit.flops))
    members = [together._replace(seed=seed) for seed in range(layout.rows)]
    contestants = [
        ours.sweep(ALONE, [run], Layout(1, 1, 1), restarts=searches),
        ours.sweep(SWEEP, members, layout, restarts=searches),
        *limit_contestants(limit, n_steps),
    ]
    peers, missing = _peers(entry, run, min(n_steps, MOST_IN_PYTORCH), is_small=limit.flops < SMALL_STEP)
    case = f"{entry.name}, {member.spec.optimizer}, {layout.rows} in the sweep"
    measurements = compare_steps(
        BENCHMARK,
        case,
        [*contestants, *peers],
        settings.rounds,
        unit=UNIT,
        peers=PEERS,
        limit=LIMIT,
        limit_quantity=OF_LIMIT,
        missing=missing,
    )
    return list(_told(list(measurements), limit.flops))


def _peers(entry: Entry, member: Member, n_steps: int, *, is_small: bool) -> tuple[list[Contestant], dict[str, str]]:
    """Return the contestants in PyTorch, and the reasons of those that do not run here.

    On small tensors threads only wait for each other, and PyTorch has one; else it has as many as make it faster.
    """
    peers: list[Contestant] = []
    missing: dict[str, str] = {}
    if not pytorch.is_installed():
        return peers, missing
    from experiments.benchmarks.peers.loop import faster_threads, training

    pytorch.set_precision(member.spec.precision)
    module = entry.name.replace("-", "_")
    n_threads = 1 if is_small else faster_threads(module, member, (1, count_cores()))
    peers.append(training(EAGER, module, member, n_steps, n_threads=n_threads))
    try:
        peers.append(training(COMPILED, module, member, n_steps, is_compiled=True, n_threads=n_threads))
    except (ImportError, RuntimeError) as error:
        missing[COMPILED] = first_line(error)
    return peers, missing


def _told(measurements: list[Measurement], flops: int) -> Iterator[Measurement]:
    """Yield the measurements with a note at the limit, what takes most of its time; ratios to peers only of ours."""
    times = {one.contestant: one.value for one in measurements if one.quantity == "time"}
    note = f"mostly {bound_by(times[LIMIT], times[STATE], times[LOOP], is_small=flops < SMALL_STEP)}"
    for one in measurements:
        if (one.contestant, one.quantity) == (LIMIT, "time"):
            yield one._replace(note=note)
        elif one.quantity not in PEERS or one.contestant in (ALONE, SWEEP):
            yield one
