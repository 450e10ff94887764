"""``simlab run``: check everything, then train, compare and draw, alone or beside other processes."""

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path

from experiments.axes import parse_axis
from experiments.experiment import Plan, plan_from_description
from experiments.options import given_options, read_count, read_options, read_real
from experiments.output import check_writable, draw_figures, load_finished
from experiments.phenomena import PHENOMENA
from experiments.progress import make_progress
from experiments.registry import find_experiment
from experiments.table import format_result
from simlab.cluster import check_coordinator, join_cluster
from simlab.results import RESULTS_FILE, load_dataset
from simlab.validation import invalid

Action = Callable[[], int]


def prepare_run(arguments: argparse.Namespace) -> Action:
    """Check the whole sweep and its folder before any training: first what needs neither theory nor devices."""
    shard = _read_shard(arguments)
    cluster = _read_cluster(arguments)
    chunk = None if arguments.chunk is None else read_count("chunk", arguments.chunk, 1)
    class_shards = read_count("class_shards", arguments.class_shards, 1)
    plan, saved_layouts = _read_plan(arguments)
    for cell in plan.cells:
        if cell.spec.task.n_classes % class_shards:
            raise invalid("class_shards", f"a divisor of n_classes={cell.spec.task.n_classes}", class_shards)
    folder = Path(arguments.out or f"runs/{plan.name}-{_preset(arguments)}")
    check_writable(folder)
    if arguments.overwrite and (shard is not None or arguments.distributed):
        raise invalid("overwrite", "one process that replaces a run", "several")
    finished = None if arguments.overwrite or arguments.plan else load_finished(folder, plan)
    if finished is not None:
        return lambda: _report_again(finished, folder, plan, quiet=arguments.quiet)
    plan.predict()
    _start_devices()
    if arguments.plan:
        _check_devices(class_shards, None)
        return lambda: _print_plan(plan, shard, chunk, class_shards)
    joined = _join(*cluster) if arguments.distributed else shard or (0, 1)
    # A layout that is asked for goes before the saved one.
    layouts = _check_devices(class_shards, saved_layouts if chunk is None and class_shards == 1 else None)

    def choose_layouts(sweep):
        if layouts is not None and len(layouts) == len(sweep.groups):
            return layouts
        return sweep.choose_layouts(n_processes=joined[1], chunk=chunk, class_shards=class_shards)

    return lambda: _run(plan, folder, choose_layouts, joined, arguments)


def _preset(arguments: argparse.Namespace) -> str:
    # No default of the option's own: beside --from it must be known whether it was given.
    return arguments.preset or "quick"


def _read_plan(arguments: argparse.Namespace) -> tuple[Plan, list[dict] | None]:
    """Return the plan that the options describe, or that of a saved run with the fields of its layouts."""
    options = given_options(arguments, *(one.configuration for one in PHENOMENA))
    if arguments.source_folder is not None:
        others = ("preset", "weight_decay", "vary", "seeds", "first_seed", "trajectories")
        changing = [*options, *(one for one in others if getattr(arguments, one))]
        given = [*filter(None, [arguments.name]), *(f"--{one.replace('_', '-')}" for one in changing)]
        if given:
            raise invalid("from", "nothing beside it that changes what is run", given[0])
        return _read_saved_plan(arguments)
    if arguments.name is None:
        raise ValueError("the following arguments are required: NAME")
    experiment, preset = find_experiment(arguments.name), _preset(arguments)
    configuration = experiment.phenomenon.configuration
    overrides = read_options(arguments, configuration)
    foreign = [one for one in options if one not in overrides]
    if foreign:
        raise invalid("option", f"one of {experiment.phenomenon.name}", f"--{foreign[0].replace('_', '-')}")
    n_seeds = read_count("seeds", arguments.seeds or str(experiment.seeds.get(preset, 1)), 1)
    first = read_count("first_seed", arguments.first_seed or "0", 0)
    if first + n_seeds > 2**32:
        raise invalid("first_seed", "seeds below 2^32", first)
    decay = read_real("weight_decay", arguments.weight_decay, None, positive=False)
    axes = [parse_axis(text, configuration) for text in arguments.vary]
    seeds = range(first, first + n_seeds)
    plan = experiment.plan(preset, overrides, seeds, axes, weight_decay=decay, trajectories=arguments.trajectories)
    return plan, None


def _read_saved_plan(arguments: argparse.Namespace) -> tuple[Plan, list[dict]]:
    """Return plan and layouts of the run that ``--from`` names."""
    if arguments.out is None:
        raise ValueError("out: expected a folder for the run that is made again, got None")
    dataset = load_dataset(arguments.source_folder)
    if "sweep" not in dataset.attrs:
        raise invalid("from", "a folder whose results.nc tells how to make it again", arguments.source_folder)
    groups = json.loads(dataset.attrs["layout"])["groups"]
    description = json.loads(dataset.attrs["sweep"])
    return plan_from_description(description, find_experiment(description["experiment"])), groups


def _read_shard(arguments: argparse.Namespace) -> tuple[int, int] | None:
    """Return ``i`` and ``n`` of ``--shard i/n``."""
    if arguments.shard is None:
        return None
    index, slash, count = arguments.shard.partition("/")
    if not (slash and index.isdigit() and count.isdigit() and int(index) < int(count)):
        raise invalid("shard", "I/N with I from 0 to N-1", arguments.shard)
    if arguments.distributed:
        raise invalid("shard", "either --shard or --distributed", "both")
    return int(index), int(count)


def _read_cluster(arguments: argparse.Namespace) -> tuple[str | None, int | None, int | None]:
    """Return coordinator, number of processes and number of this one, each None where JAX is to find it."""
    given = (arguments.coordinator, arguments.n_processes, arguments.process_id)
    if not arguments.distributed:
        return None, None, None
    if any(one is not None for one in given) and any(one is None for one in given):
        raise invalid("distributed", "all of --coordinator, --n-processes and --process-id, or none", given)
    counts = [None if text is None else read_count("processes", text, 0) for text in given[1:]]
    check_coordinator(arguments.coordinator)
    return arguments.coordinator, *counts


def _start_devices() -> None:
    """Set up what must be set before JAX touches a device: one CPU device per core, and the cache of compilations."""
    from simlab.devices import use_all_cores
    from simlab.kept_programs import keep_compilations

    use_all_cores()
    keep_compilations(_say)


def _check_devices(class_shards: int, saved_layouts: list[dict] | None) -> tuple | None:
    """Raise ``ValueError`` if there are too few devices for the class axis; return the saved layouts if they fit."""
    import jax

    n_devices = len(jax.local_devices())
    if class_shards > n_devices:
        raise invalid("class_shards", f"at most the {n_devices} devices of this process", class_shards)
    if saved_layouts is None:
        return None
    from simlab.programs import Layout

    layouts = tuple(Layout(**one) for one in saved_layouts)
    needed = max(layout.member_shards * layout.class_shards for layout in layouts)
    if needed > n_devices:
        print(
            f"that run used {needed} devices, here are {n_devices}: another layout, equal to rounding", file=sys.stderr
        )
        return None
    return layouts


def _join(coordinator: str | None, n_processes: int | None, process_id: int | None) -> tuple[int, int]:
    return join_cluster(coordinator, n_processes, process_id, say=_say)


def _say(text: str) -> None:
    print(f"simlab: {text}", file=sys.stderr)


def _print_plan(plan: Plan, shard: tuple[int, int] | None, chunk: int | None, class_shards: int) -> int:
    """Print what a run would do."""
    from experiments.plan_report import format_plan
    from experiments.sweep import make_sweep

    sweep = make_sweep(plan)
    layouts = sweep.choose_layouts(n_processes=(shard or (0, 1))[1], chunk=chunk, class_shards=class_shards)
    print(format_plan(plan, sweep, layouts))
    return 0


def _run(plan: Plan, folder: Path, choose_layouts, shard: tuple[int, int], arguments: argparse.Namespace) -> int:
    """Do the share of this process; the one that finds every part complete writes the result."""
    import jax

    from experiments.sweep import run_in_folder

    folder.mkdir(parents=True, exist_ok=True)
    try:
        with make_progress(quiet=arguments.quiet) as progress:
            dataset = run_in_folder(plan, folder, choose_layouts, progress, shard=shard, overwrite=arguments.overwrite)
    except jax.errors.JaxRuntimeError as error:
        if "RESOURCE_EXHAUSTED" not in str(error):
            raise
        raise MemoryError(f"out of memory: {str(error).splitlines()[0]} (fewer members at once: --chunk)") from error
    if dataset is None:
        if not arguments.quiet:
            print(f"{folder}: the rest is left to the other processes; the last writes the result", file=sys.stderr)
        return 0
    return _report(dataset, folder, plan, quiet=arguments.quiet)


def _report_again(dataset, folder: Path, plan: Plan, *, quiet: bool) -> int:
    """Report a run that is finished, and clear away the parts that a process killed at its very end has left."""
    from simlab.parts import PARTS_FOLDER, remove_parts
    from simlab.sweep_manifest import belongs

    if belongs(folder / PARTS_FOLDER, plan.describe()):
        remove_parts(folder)
    return _report(dataset, folder, plan, quiet=quiet)


def _report(dataset, folder: Path, plan: Plan, *, quiet: bool) -> int:
    """Print the table, draw the figures, and return the exit status: 1 if a member diverged."""
    print(format_result(dataset))
    n_figures = draw_figures(dataset, folder, filter(callable, plan.figures))
    if not quiet:
        print(f"{folder}: {RESULTS_FILE} and {n_figures} figures, as PDF and PNG", file=sys.stderr)
    diverged = int((dataset.status == "diverged").sum())
    if diverged:
        print(f"simlab: {diverged} of {dataset.status.size} members diverged, see 'status'", file=sys.stderr)
    return 1 if diverged else 0
