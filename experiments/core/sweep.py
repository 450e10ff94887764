"""Run a plan: train its members, compare each with its prediction, and assemble the labelled dataset."""

import json
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
import xarray

from experiments.core.assembly import assemble, unstack
from experiments.core.attributes import declarations
from experiments.core.experiment import Plan
from experiments.core.fine_prediction import add_fine_prediction
from experiments.core.output import load_finished
from experiments.core.phenomenon import TRAJECTORY_SUFFIX
from experiments.core.progress import Quiet
from experiments.core.rehearsal import rehearse
from simlab.runtime.devices import local_devices
from simlab.runtime.settings import other_settings, precision_of
from simlab.storage.manifest import OtherSweep
from simlab.storage.parts import PARTS_FOLDER, PartsRemoved, PartStore, SaveError, open_store, remove_parts
from simlab.storage.results import RESULTS_FILE, provenance, save_dataset
from simlab.storage.store import MemoryStore, Store
from simlab.sweeps.layout import Layout
from simlab.sweeps.measurements import Measurement, MeasurementSweep
from simlab.sweeps.members import Member
from simlab.sweeps.sweep import Sweep
from simlab.sweeps.work import Listener, Part
from simlab.validation import invalid

# Default precision of JAX arrays outside training; NumPy arrays keep their own.
_HOST = "float32"


class MemberSweep(Protocol):
    """The common interface of sweeps of training runs and of measurements.

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
        """Run the missing parts, and return whether every part is complete."""
        ...


@precision_of(_HOST)
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


@precision_of(_HOST)
def run_in_folder(
    plan: Plan,
    folder: Path,
    choose_layouts: Callable[[MemberSweep], tuple[Layout, ...]],
    progress: Quiet,
    *,
    shard: tuple[int, int] = (0, 1),
    overwrite: bool = False,
    relayout: bool = False,
) -> xarray.Dataset | None:
    """Run the remaining parts of a sweep in a folder, concurrently with other processes that run the same sweep.

    Call :func:`experiments.core.output.prepare_folder` first: it finds no result and predicts every cell.

    Args:
        plan: the plan to run.
        folder: folder of the result; created if it does not exist.
        choose_layouts: ``sweep -> layouts``; called if no process has started the sweep.
        progress: receives the progress of the sweep.
        shard: index of this process, and number of processes.
        overwrite: whether to replace another sweep's result or parts.
        relayout: whether to continue a sweep that was started on other devices with a layout for the present ones;
            finished parts are kept, the others start again.

    Returns:
        The result, or None while other processes still run their parts.

    Raises:
        ValueError: the folder holds another sweep; the message names the fields that differ.
        OSError: the disk is full, and finished parts are kept; or the parts were removed or replaced.
    """
    rehearse(plan)
    folder.mkdir(parents=True, exist_ok=True)
    sweep = make_sweep(plan)
    try:
        store = _open(folder, plan, lambda: choose_layouts(sweep), progress, overwrite=overwrite)
        if relayout:
            store = _change_layout(store, choose_layouts(sweep))
        layouts = _layouts_of(store)
        _check_devices(layouts, folder)
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
    except PartsRemoved as removed:
        return _finished_elsewhere(folder, plan, removed)


def _finished_elsewhere(folder: Path, plan: Plan, removed: PartsRemoved) -> xarray.Dataset:
    """Return the result of another process, which removed the parts after it had saved the result.

    Raises:
        SaveError: there is no result, or it is that of another sweep.
    """
    try:
        dataset = load_finished(folder, plan)
    except OtherSweep as error:
        raise SaveError(f"{folder}: another process has replaced this run, which ends without a result") from error
    if dataset is None:
        line = f"{folder / PARTS_FOLDER}: removed while the sweep ran, before a result was saved; rerun the command"
        raise SaveError(line) from removed
    return dataset


def make_sweep(plan: Plan) -> Sweep | MeasurementSweep:
    """Return the members of a plan, cell by cell and seed by seed."""
    phenomenon = plan.phenomenon
    if phenomenon.make_training_spec is None:
        return MeasurementSweep([Measurement(cell.configuration, seed) for cell in plan.cells for seed in plan.seeds])
    members = [Member(cell.spec, cell.hyperparameters, seed) for cell in plan.cells for seed in plan.seeds]
    trajectories = plan.trajectories or phenomenon.keeps == "trajectory"
    samples = phenomenon.load_comparison().reads_sample
    return Sweep(members, trajectories=trajectories, initials=phenomenon.keeps == "initial", samples=samples)


def describe_sweep(plan: Plan) -> dict:
    """Return what all parts of a folder must share: the plan, and non-default settings of JAX and XLA."""
    settings = other_settings()
    return plan.describe() | ({"settings": settings} if settings else {})


def _open(folder: Path, plan: Plan, choose_layouts, progress, *, overwrite: bool):
    """Open the parts of a folder, with the layouts of the process that created them if there are any."""

    def begin():
        layouts = lambda: {"groups": [layout._asdict() for layout in choose_layouts()]}  # noqa: E731
        return open_store(folder, describe_sweep(plan), layouts, provenance(), progress.warn)

    try:
        store = begin()
    except OtherSweep:
        if not overwrite:
            raise
        remove_parts(folder)
        store = begin()
    return store


def _layouts_of(store: PartStore) -> tuple[Layout, ...]:
    """Return the layouts of a folder's parts."""
    return tuple(Layout(**fields) for fields in store.manifest["layout"]["groups"])


def _change_layout(store: PartStore, wanted: Sequence[Layout]) -> PartStore:
    """Return the store with new rows and devices but the same parts, so that finished parts remain valid."""
    before = _layouts_of(store)
    after = tuple(_with_parts_of(old, layout) for layout, old in zip(wanted, before, strict=True))
    if after == before:
        return store
    return store.with_layout({"groups": [layout._asdict() for layout in after]})


def _with_parts_of(before: Layout, layout: Layout) -> Layout:
    """Return a layout with the parts of an earlier one, and no more rows than these fill."""
    part, shards = before.part, layout.member_shards
    layout = layout._replace(rows=min(layout.rows, math.ceil(part / shards) * shards), part=part)
    is_aligned = part % layout.same_seed == 0 and layout.rows % (shards * layout.same_seed) == 0
    if layout.by_seed and before.by_seed and is_aligned and part <= layout.rows:
        return layout
    return layout._replace(by_seed=before.by_seed, same_seed=1, same_task=False)


def _check_devices(layouts: Sequence[Layout], folder: Path) -> None:
    """Raise ``OtherSweep`` unless this process has as many devices as the sweep in a folder was started on."""
    needed = max(layout.n_devices for layout in layouts)
    n_devices = len(local_devices())
    if needed > n_devices:
        wanted = f"the {needed} on which the sweep in {folder} was started (or --relayout, which keeps finished parts)"
        raise OtherSweep(invalid("devices", wanted, n_devices))


def train(
    plan: Plan,
    sweep: MemberSweep,
    layouts: Sequence[Layout],
    store: Store,
    progress: Quiet,
    shard: tuple[int, int] = (0, 1),
) -> bool:
    """Train and analyse the missing parts, and return whether every part is complete."""
    first_members = sweep.members[:: len(plan.seeds)]
    predictions = {member[:-1]: cell.prediction for member, cell in zip(first_members, plan.cells, strict=True)}

    describe = plan.phenomenon.load_comparison().describe_member

    @precision_of(_HOST)
    def analyse(member, run, sample):
        variables = describe(member, run, sample, predictions[member[:-1]])
        names = (name for name in variables if plan.trajectories or not name.endswith(TRAJECTORY_SUFFIX))
        return {name: np.asarray(variables[name]) for name in names}

    progress.start(sweep.n_steps, len(sweep.members))
    return sweep.run(layouts, store, analyse, progress, shard)


def _finish(
    folder: Path, plan: Plan, sweep: MemberSweep, layouts: Sequence[Layout], store: PartStore, progress: Quiet
) -> xarray.Dataset | None:
    """Assemble the dataset, save it, then remove the parts; return the dataset, or None if a part is corrupt."""
    begun_by, ended_by = store.manifest["made_by"], provenance()
    made_by = {
        name: value if begun_by.get(name, value) == value else f"{begun_by[name]}; then {value}"
        for name, value in ended_by.items()
    }
    dataset = collect(plan, sweep, layouts, store, made_by, progress)
    if dataset is None:
        return None
    dataset.attrs["layout"] = json.dumps(store.manifest["layout"])
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
    """Return the dataset of a sweep, or None if a part is incomplete or its file corrupt."""
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
        "topic": plan.phenomenon.topic,
        **declarations(plan, comparison),
        "layout": json.dumps({"groups": [layout._asdict() for layout in layouts]}),
        "settings": json.dumps(other_settings()),
        **made_by,
    }
    if plan.derive is not None:
        progress.say(f"all members done: computing the derived quantities of {plan.name}", at_once=True)
        dataset = plan.derive(dataset, plan)
    return add_fine_prediction(dataset, plan, comparison)
