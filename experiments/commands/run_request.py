"""The request of ``simlab run``: its flags, parsed and checked before slow imports."""

import argparse
import json
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from experiments.commands.parser import read_axes
from experiments.core.axes import MOST_MEMBERS
from experiments.core.experiment import Experiment, Plan, plan_from_description
from experiments.core.options import convert, flag_of, given_options, read_count, read_options
from experiments.core.output import check_writable
from experiments.ladder import with_ladder
from experiments.phenomena import load_configurations
from experiments.registry import find_experiment
from simlab.runtime.cluster import check_coordinator
from simlab.sizes import MOST_INT32
from simlab.storage.results import load_dataset
from simlab.validation import check_real, invalid, is_digits


class Cluster(NamedTuple):
    """The processes to join; a field is None if JAX detects it."""

    coordinator: str | None
    n_processes: int | None
    process_id: int | None


@dataclass(frozen=True, kw_only=True)
class RunRequest:
    """One call of ``simlab run``.

    Attributes:
        plan: the plan to run.
        folder: folder of the result.
        saved_layouts: the fields of the layouts of the saved run to repeat; None for a new run, or if another layout is
            requested.
        chunk: members trained at once; None for as many as fit into memory.
        class_shards: devices that share the classes.
        shard: index of this process and number of processes in a job array, or None.
        cluster: the processes of a distributed run to join, or None.
        overwrite: whether another run in the folder is replaced.
        relayout: whether a sweep that was started on other devices continues on those of this process.
        only_plan: whether the plan is printed and nothing is run.
        quiet: whether no progress is shown.
        grace: seconds after SIGTERM in which the run is saved and ended.
        as_json: whether the table is printed as JSON.
        has_figures: whether figures are drawn.
    """

    plan: Plan
    folder: Path
    saved_layouts: list[dict] | None
    chunk: int | None
    class_shards: int
    shard: tuple[int, int] | None
    cluster: Cluster | None
    overwrite: bool
    relayout: bool
    only_plan: bool
    quiet: bool
    grace: float
    as_json: bool = False
    has_figures: bool = True


def read_request(arguments: argparse.Namespace) -> RunRequest:
    """Return the request that the flags describe.

    Raises:
        ValueError: a flag is out of range, or two flags conflict.
    """
    shard, cluster = _read_shard(arguments), _read_cluster(arguments)
    if shard and cluster:
        raise invalid("shard", "either --shard or --distributed", "both")
    chunk = None if arguments.chunk is None else read_count("chunk", arguments.chunk, 1)
    class_shards = read_count("class_shards", arguments.class_shards, 1)
    plan, saved_layouts = _read_plan(arguments)
    for cell in plan.cells:
        if cell.spec is not None:
            cell.spec.check_class_shards(class_shards)
    folder = Path(arguments.out or f"runs/{plan.name}-{_preset(arguments)}")
    check_writable(folder)
    if arguments.overwrite and (shard or cluster):
        raise invalid("overwrite", "a single process", "several")
    return RunRequest(
        plan=plan,
        folder=folder,
        saved_layouts=saved_layouts if chunk is None and class_shards == 1 else None,
        chunk=chunk,
        class_shards=class_shards,
        shard=shard,
        cluster=cluster,
        overwrite=arguments.overwrite,
        relayout=arguments.relayout,
        only_plan=arguments.plan,
        quiet=arguments.quiet,
        grace=check_real("grace", convert("grace", float, arguments.grace), positive=True),
        as_json=arguments.json,
        has_figures=not arguments.no_figures,
    )


def _preset(arguments: argparse.Namespace) -> str:
    # The option itself has no default, so that --from can reject it when it is given.
    return arguments.preset or "quick"


def _read_plan(arguments: argparse.Namespace) -> tuple[Plan, list[dict] | None]:
    """Return the plan that the flags describe, or that of a saved run with the fields of its layouts."""
    if arguments.source_folder is not None:
        return _read_saved_plan(arguments)
    experiment, preset = _find_experiment(arguments), _preset(arguments)
    configuration = experiment.phenomenon.configuration
    overrides = read_options(arguments, configuration)
    seeds = _read_seeds(arguments, experiment, preset)
    ladder = [] if arguments.ladder is None else [arguments.ladder]
    axes = read_axes([*arguments.vary, *ladder], configuration, load_configurations())
    plan = experiment.plan(preset, overrides, seeds, axes, trajectories=arguments.trajectories)
    return with_ladder(plan, axes[-1].name if ladder else None), None


def _find_experiment(arguments: argparse.Namespace) -> Experiment:
    """Return the experiment of the parser, or the named one."""
    if arguments.experiment is not None:
        return arguments.experiment
    if arguments.name is None:
        raise ValueError("the following arguments are required: NAME")
    return find_experiment(arguments.name)


def _read_seeds(arguments: argparse.Namespace, experiment: Experiment, preset: str) -> range:
    n_seeds = read_count("seeds", arguments.seeds or str(experiment.seeds.get(preset, 1)), 1, MOST_MEMBERS)
    first = read_count("first_seed", arguments.first_seed or "0", 0)
    if first + n_seeds > 2**32:
        raise invalid("first_seed", "seeds below 2^32", first)
    return range(first, first + n_seeds)


def _read_saved_plan(arguments: argparse.Namespace) -> tuple[Plan, list[dict]]:
    """Return the plan of the run that ``--from`` names, and the fields of its layouts."""
    others = ("preset", "vary", "ladder", "seeds", "first_seed", "trajectories")
    own = arguments.experiment
    records = load_configurations().values() if own is None else [own.phenomenon.configuration]
    changing = given_options(arguments, *records)
    changing += [name for name in others if getattr(arguments, name)]
    given = [*filter(None, [arguments.name]), *map(flag_of, changing)]
    if given:
        raise invalid("from", "no option that changes the saved run", given[0])
    if arguments.out is None:
        raise ValueError("out: expected a folder for the rerun of --from, got none")
    dataset = load_dataset(arguments.source_folder)
    if "sweep" not in dataset.attrs:
        raise invalid("from", "a folder whose results.nc holds the configuration of its run", arguments.source_folder)
    groups = json.loads(dataset.attrs["layout"])["groups"]
    description = json.loads(dataset.attrs["sweep"])
    experiment = find_experiment(description["experiment"]) if own is None else own
    written_by = str(dataset.attrs.get("simlab_version", "unknown"))
    plan = plan_from_description(description, experiment, written_by)
    return with_ladder(plan, description.get("ladder")), groups


def _read_shard(arguments: argparse.Namespace) -> tuple[int, int] | None:
    """Return ``i`` and ``n`` of ``--shard i/n``."""
    if arguments.shard is None:
        return None
    index, slash, count = arguments.shard.partition("/")
    if not (slash and is_digits(index) and is_digits(count) and int(index) < int(count) <= MOST_INT32):
        raise invalid("shard", "I/N with I from 0 to N-1", arguments.shard)
    return int(index), int(count)


def _read_cluster(arguments: argparse.Namespace) -> Cluster | None:
    """Return the processes that ``--distributed`` joins."""
    names = ("coordinator", "n_processes", "process_id")
    given = [flag_of(name) for name in names if getattr(arguments, name) is not None]
    if not arguments.distributed:
        if given:
            raise ValueError(f"distributed: expected with {' '.join(given)}, which only a distributed run has")
        return None
    if not given:
        return Cluster(None, None, None)
    if len(given) < len(names):
        raise ValueError(
            f"distributed: expected all of {', '.join(map(flag_of, names))} or none, got {' '.join(given)}"
        )
    n_processes = read_count("n_processes", arguments.n_processes, 1, MOST_INT32)
    process_id = read_count("process_id", arguments.process_id, 0, n_processes - 1)
    check_coordinator(arguments.coordinator)
    return Cluster(arguments.coordinator, n_processes, process_id)
