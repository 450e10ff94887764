"""``simlab atlas``: run one experiment of every phenomenon, and plot learned against predicted values on one page."""

import argparse
import sys
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from pathlib import Path

from experiments.atlas.entries import choose_entries
from experiments.catalogue import Entry
from experiments.commands.run import start_devices
from experiments.core.experiment import Plan
from experiments.core.output import check_folder, draw_figures, load_finished
from experiments.core.progress import make_progress
from experiments.registry import find_experiment
from experiments.run_all.measured_time import measured_times, timed
from simlab.storage.manifest import read_manifest
from simlab.storage.parts import PARTS_FOLDER
from simlab.storage.results import RESULTS_FILE, load_dataset, save_dataset, write_atomically
from simlab.validation import check_choice

PAGE_FILE = "atlas.html"


def prepare_atlas(arguments: argparse.Namespace) -> Callable[[], int]:
    """Check the names, and that each folder is free or holds a run of the same plan; return the action."""
    entries = choose_entries(arguments.only)
    preset = check_choice("preset", arguments.preset, ("quick", "paper"))
    folder = Path(arguments.out or f"runs/atlas-{preset}")
    check_folder(folder, overwrite=True)
    plans = {entry.name: find_experiment(entry.experiment).plan(preset, {}) for entry in entries}
    for entry in entries:
        load_finished(folder / entry.name, plans[entry.name])

    def action() -> int:
        start_devices()
        return _run_all(entries, plans, folder, preset, as_json=arguments.json, quiet=arguments.quiet)

    return action


def _run_all(
    entries: Sequence[Entry], plans: dict[str, Plan], folder: Path, preset: str, *, as_json: bool, quiet: bool
) -> int:
    """Run the missing experiments, save and draw the page, print the table, and return the exit status."""
    from experiments.atlas.page import atlas_to_json, format_atlas, make_atlas_page
    from experiments.atlas.values import atlas_dataset, values_of

    earlier, values, diverged = _saved_seconds(folder), {}, {}
    for place, entry in enumerate(entries, start=1):
        if not quiet:
            print(f"{place} of {len(entries)}: {entry.name}", file=sys.stderr, flush=True)
        run, is_new = _run_one(plans[entry.name], folder, entry.name, quiet=quiet)
        seconds = earlier | {name: time.seconds for name, time in measured_times(folder).items()}
        values[entry], diverged[entry] = values_of(entry, run), int((run.status == "diverged").sum())
        if is_new or place == len(entries):  # after each new one, so that its time survives a kill
            dataset = atlas_dataset(values, diverged, seconds, preset)
            save_dataset(dataset, folder / RESULTS_FILE)
    draw_figures(dataset, folder)
    page = make_atlas_page(dataset).encode()
    write_atomically(folder / PAGE_FILE, lambda temporary: temporary.write_bytes(page))
    print(atlas_to_json(dataset) if as_json else format_atlas(dataset))
    if not quiet:
        print(f"{folder}: {RESULTS_FILE}, {PAGE_FILE}, and the figure as PDF and PNG", file=sys.stderr)
    n_diverged = sum(diverged.values())
    if n_diverged:
        print(f"simlab: {n_diverged} members diverged, see 'diverged'", file=sys.stderr)
    return 1 if n_diverged else 0


def _run_one(plan: Plan, folder: Path, name: str, *, quiet: bool):
    """Return the dataset of a plan, and whether it was computed now."""
    from experiments.sweep import run_or_load

    is_new = not (folder / name / RESULTS_FILE).exists()  # a result that is there was checked to be of this plan
    has_begun = read_manifest(folder / name / PARTS_FOLDER) is not None
    timing = timed(folder, name, is_new=not has_begun) if is_new else nullcontext()
    with make_progress(quiet=quiet or not is_new) as progress, timing:
        dataset = run_or_load(plan, folder / name, progress)
    if dataset is None:
        raise OSError(f"{folder / name}: another process is running this experiment")
    return dataset, is_new


def _saved_seconds(folder: Path) -> dict[str, float]:
    """Return the seconds of each run in the dataset of an earlier ``simlab atlas`` in this folder."""
    if not (folder / RESULTS_FILE).exists():
        return {}
    saved = load_dataset(folder)
    if "seconds" not in saved or "phenomenon" not in saved.dims:
        return {}
    return {str(name): float(saved.seconds.sel(phenomenon=name)) for name in saved.phenomenon.values}
