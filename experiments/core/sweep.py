"""Run a planned experiment: train its members, hold each against its prediction, label the result.

From Python::

    from experiments.sweep import run

    dataset = run("uniform-small-sample", seeds=4, vary={"weight_decay": [1e-3, 2e-3]}, epochs=100)
    dataset.learned.sel(quantity="embedding_norm").mean("seed")
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
import xarray

from experiments.core.assembly import assemble, unstack
from experiments.core.attributes import declarations
from experiments.core.experiment import Experiment, Plan
from experiments.core.output import load_finished, prepare_folder
from experiments.core.phenomenon import TRAJECTORY_SUFFIX
from experiments.core.progress import Quiet
from experiments.core.rehearsal import rehearse
from simlab.storage.manifest import OtherSweep
from simlab.storage.parts import PartsRemoved, PartStore, open_store, remove_parts
from simlab.storage.results import RESULTS_FILE, provenance, save_dataset
from simlab.storage.store import MemoryStore, Store
from simlab.sweeps.layout import Layout
from simlab.sweeps.measurements import Measurement, MeasurementSweep
from simlab.sweeps.members import Member
from simlab.sweeps.sweep import Sweep
from simlab.sweeps.work import Listener, Part
from simlab.validation import invalid


class MemberSweep(Protocol):
    """What a sweep of training runs and one of measurements have in common.

    Attributes:
        members: cell by cell and seed by seed, tuples whose last entry is the seed.
        groups: the numbers of the members that share a layout.
    """

    members: tuple
    groups: tuple[tuple[int, ...], ...]

    @property
    def n_steps(self) -> int:
        """Steps of all members together."""
        ...

    def choose_layouts(
        self, *, n_processes: int = 1, chunk: int | None = None, class_shards: int = 1
    ) -> tuple[Layout, ...]:
        """Return the layout of each group, as :meth:`simlab.sweeps.sweep.Sweep.choose_layouts` does."""
        ...

    def parts(self, layouts: Sequence[Layout]) -> list[Part]:
        """Return the parts of all groups."""
        ...

    def run(
        self,
        layouts: Sequence[Layout],
        store: Store,
        analyse: Callable[..., dict[str, np.ndarray]],
        listener: Listener,
        shard: tuple[int, int] = (0, 1),
    ) -> bool:
        """Run the parts that are missing, and return whether every part is complete."""
        ...


def run_experiment(
    experiment: Experiment,
    *,
    preset: str = "quick",
    seeds: int | Sequence[int] | None = None,
    vary: Mapping[str, Iterable] | None = None,
    out: str | Path | None = None,
    trajectories: bool = False,
    progress: Quiet | None = None,
    **overrides: object,
) -> xarray.Dataset:
    """Run an experiment over named axes and return learned and predicted values as one labelled dataset.

    Args:
        experiment: any :class:`experiments.core.experiment.Experiment`, registered or not.
        preset: ``quick`` or ``paper``.
        seeds: how many, from 0; or the seeds themselves. None takes as many as the experiment wants, mostly one.
        vary: values by the name of a field of the experiment's configuration, or of an alias such as ``weight_decay``.
        out: folder for the result; the sweep can be interrupted and goes on when called again. None keeps it in memory.
        trajectories: whether weights are kept at every record.
        progress: told how far the sweep has come.
        overrides: fields of the configuration, or aliases: ``weight_decay`` sets all that the regime has.

    Returns:
        A dataset on ``regime``, the varied axes, ``seed``, ``word``, ``class``, ``position``, ``dimension``,
        ``component``, ``record`` and ``quantity``.

    Raises:
        ValueError: bad input, or the folder holds another sweep; nothing was written.
        OSError: the disk is full; what was saved so far is kept.
    """
    plan = experiment.plan(preset, overrides, seeds, vary or {}, trajectories=trajectories)
    progress = progress or Quiet()
    if out is None:
        return run_plan(plan, progress)
    dataset = prepare_folder(Path(out), plan)
    if dataset is None:
        dataset = run_in_folder(plan, Path(out), lambda sweep: sweep.choose_layouts(), progress)
    if dataset is None:
        raise invalid("out", "a folder that no other process works on", str(out))
    return dataset


def run_plan(plan: Plan, progress: Quiet | None = None) -> xarray.Dataset:
    """Run a plan in memory and return its dataset."""
    rehearse(plan)
    sweep, store = make_sweep(plan), MemoryStore()
    layouts = sweep.choose_layouts()
    train(plan, sweep, layouts, store, progress or Quiet())
    dataset = collect(plan, sweep, layouts, store, provenance(), progress or Quiet())
    if dataset is None:
        raise RuntimeError(f"{plan.name}: a part in memory is not complete")
    return dataset


def run_in_folder(
    plan: Plan,
    folder: Path,
    choose_layouts: Callable[[MemberSweep], tuple[Layout, ...]],
    progress: Quiet,
    *,
    shard: tuple[int, int] = (0, 1),
    overwrite: bool = False,
) -> xarray.Dataset | None:
    """Do in a folder what is left of a sweep, beside any other processes that run parts of it.

    :func:`experiments.core.output.prepare_folder` comes before: there was no result, and every cell is predicted.

    Args:
        plan: what is run.
        folder: of the result; it is made if it does not exist.
        choose_layouts: called if no process has begun yet.
        progress: told how far the sweep has come.
        shard: the number of this process and of all.
        overwrite: whether to replace another sweep's result or parts.

    Returns:
        The result, or None if other processes are still at their parts.

    Raises:
        ValueError: the folder holds another sweep; the message names the fields that differ.
        OSError: the disk is full; what was saved so far is kept.
    """
    rehearse(plan)
    folder.mkdir(parents=True, exist_ok=True)
    sweep = make_sweep(plan)
    try:
        store, layouts = _open(folder, plan, lambda: choose_layouts(sweep), progress, overwrite=overwrite)
        if not overwrite and (finished := load_finished(folder, plan)) is not None:
            store.remove()  # another process has finished since prepare_folder looked
            return finished
        while train(plan, sweep, layouts, store, progress, shard):
            with store.claim("result") as mine:
                if not mine:
                    return None
                dataset = _finish(folder, plan, sweep, layouts, store, progress)
                if dataset is not None:
                    return dataset
        return None
    except PartsRemoved:
        return load_finished(folder, plan)


def make_sweep(plan: Plan) -> Sweep | MeasurementSweep:
    """Return the members of a plan, cell by cell and seed by seed."""
    phenomenon = plan.phenomenon
    if phenomenon.make_training_spec is None:
        return MeasurementSweep([Measurement(cell.configuration, seed) for cell in plan.cells for seed in plan.seeds])
    members = [Member(cell.spec, cell.hyperparameters, seed) for cell in plan.cells for seed in plan.seeds]
    trajectories = plan.trajectories or phenomenon.keeps == "trajectory"
    return Sweep(members, trajectories=trajectories, initials=phenomenon.keeps == "initial")


def _open(folder: Path, plan: Plan, choose_layouts, progress, *, overwrite: bool):
    """Open the parts of a folder: those of an earlier or another process if there are any, with their layouts."""

    def begin():
        layouts = lambda: {"groups": [layout._asdict() for layout in choose_layouts()]}  # noqa: E731
        return open_store(folder, plan.describe(), layouts, provenance(), progress.warn)

    try:
        store = begin()
    except OtherSweep:
        if not overwrite:
            raise
        remove_parts(folder)
        store = begin()
    return store, tuple(Layout(**one) for one in store.manifest["layout"]["groups"])


def train(
    plan: Plan,
    sweep: MemberSweep,
    layouts: Sequence[Layout],
    store: Store,
    progress: Quiet,
    shard: tuple[int, int] = (0, 1),
) -> bool:
    """Train and analyse the parts that are missing, and return whether every part is complete."""
    first_members = sweep.members[:: len(plan.seeds)]
    predictions = {member[:-1]: cell.prediction for member, cell in zip(first_members, plan.cells, strict=True)}

    describe = plan.phenomenon.load_comparison().describe_member

    def analyse(member, run, sample):
        variables = describe(member, run, sample, predictions[member[:-1]])
        names = (name for name in variables if plan.trajectories or not name.endswith(TRAJECTORY_SUFFIX))
        return {name: np.asarray(variables[name]) for name in names}

    progress.start(sweep.n_steps, len(sweep.members))
    return sweep.run(layouts, store, analyse, progress, shard)


def _finish(
    folder: Path, plan: Plan, sweep: MemberSweep, layouts: Sequence[Layout], store: PartStore, progress: Quiet
) -> xarray.Dataset | None:
    """Assemble the dataset from complete parts, save it, and only then remove the parts; None if one is corrupt."""
    begun_by, ended_by = store.manifest["made_by"], provenance()
    made_by = {
        name: value if begun_by.get(name, value) == value else f"{begun_by[name]}; then {value}"
        for name, value in ended_by.items()
    }
    dataset = collect(plan, sweep, layouts, store, made_by, progress)
    if dataset is None:
        return None
    save_dataset(dataset, folder / RESULTS_FILE)
    store.remove()
    return dataset


def collect(
    plan: Plan,
    sweep: MemberSweep,
    layouts: Sequence[Layout],
    store: Store,
    made_by: Mapping[str, str],
    progress: Quiet,
) -> xarray.Dataset | None:
    """Return the dataset of a sweep, or None if a part is not complete: its file may turn out to be corrupt."""
    members: list = [None] * len(sweep.members)
    for part in sweep.parts(layouts):
        columns, complete = store.load(part.name) or ({}, False)
        if not complete:
            return None
        for index, row in zip(part.members, unstack(columns), strict=True):
            members[index] = row
    comparison = plan.phenomenon.load_comparison()
    cells = [comparison.describe_cell(cell.spec, cell.prediction) for cell in plan.cells]
    dataset = assemble(comparison, list(plan.configurations), plan.axes, plan.seeds, cells, members)
    dataset.attrs = {
        "experiment": plan.name,
        "phenomenon": plan.phenomenon.name,
        **declarations(plan, comparison),
        "layout": json.dumps({"groups": [layout._asdict() for layout in layouts]}),
        **made_by,
    }
    if plan.derive is None:
        return dataset
    progress.say(f"all members done: what {plan.name} derives from them", at_once=True)
    return plan.derive(dataset, plan)
