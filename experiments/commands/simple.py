"""The commands ``list``, ``plot`` and ``verify``: each checks its input, then returns the action."""

import argparse
import json
import shutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from experiments.commands.environment import adapt_settings
from experiments.commands.failures import drawing_of
from experiments.core.output import Drawing, check_folder, check_writable, draw_figures, save_and_draw
from experiments.core.progress import show_line
from experiments.registry import NAMES, find_experiment
from experiments.tables.columns import format_columns
from experiments.verification.claim import FAIL, Claim
from experiments.verification.report import claims_to_dataset, claims_to_json, format_claims
from experiments.verification.suite import any_failed, choose_groups, verify
from figures.drawing.venues import VENUES
from simlab.storage.results import RESULTS_FILE, load_dataset, write_atomically
from simlab.validation import check_choice, invalid

NARROWEST, WIDEST = 2.0, 20.0  # inches
Action = Callable[[], int]


def prepare_list(arguments: argparse.Namespace) -> Action:
    """List name, summary and time of every experiment."""

    def action() -> int:
        experiments = [find_experiment(name) for name in NAMES]
        if arguments.json:
            fields = ("name", "summary", "quick_time", "paper_time")
            records = [{field: getattr(experiment, field) for field in fields} for experiment in experiments]
            print(json.dumps(records, indent=1))
            return 0
        rows = [
            ("experiment", "quick preset", "paper preset"),
            *((e.name, e.quick_time or "-", e.paper_time or "-") for e in experiments),
        ]
        lines = format_columns(rows).splitlines()
        summaries = ["", *(experiment.summary for experiment in experiments)]
        print("\n".join(f"{line}   {summary}".rstrip() for line, summary in zip(lines, summaries, strict=True)))
        return 0

    return action


def prepare_plot(arguments: argparse.Namespace) -> Action:
    """Load the saved runs, and check that they have the requested figures."""
    if arguments.check:
        return _prepare_check(arguments)
    kinds, width = _read_kinds(arguments.format or "pdf,png"), _read_width(arguments.width)
    venue = None if arguments.style is None else check_choice("style", arguments.style, VENUES)
    if arguments.overview is not None:
        if arguments.figures or arguments.format or arguments.width or venue:
            raise invalid("overview", "none of --figures, --format, --width and --style with it", "some")
        return _prepare_overview(Path(arguments.overview), arguments.folders)
    from figures import figures_of

    datasets = {folder: load_dataset(folder) for folder in arguments.folders}
    for folder, dataset in datasets.items():
        with drawing_of(folder):
            figures_of(dataset)  # raises for a run that cannot be drawn, before any run is drawn
    names = None if arguments.figures is None else _choose_figures(arguments.figures, list(datasets.values()))
    drawing = Drawing(names, kinds, width, venue)

    def action() -> int:
        for folder, dataset in datasets.items():
            with drawing_of(folder):
                n_figures = draw_figures(dataset, Path(folder), drawing=drawing)
            plural = "" if n_figures == 1 else "s"
            print(f"{folder}: {n_figures} figure{plural}, as {drawing.words}", file=sys.stderr)
        return 0

    return action


def _prepare_check(arguments: argparse.Namespace) -> Action:
    """Read the provenance of figure files, and load the runs in their folders."""
    from figures.receipt import moved, read_receipt

    if arguments.figures or arguments.format or arguments.width or arguments.overview or arguments.style:
        raise invalid("check", "figures and no other option", "some")
    receipts = {path: read_receipt(path) for path in map(Path, arguments.folders)}
    datasets = {folder: load_dataset(folder) for folder in {path.parent for path in receipts}}

    def action() -> int:
        status = 0
        for path, receipt in receipts.items():
            names = moved(receipt, datasets[path.parent])
            status = max(status, bool(names))
            print(f"{path}: {'not that of' if names else 'that of'} {path.parent / RESULTS_FILE}")
            print("".join(f"  differs: {name}\n" for name in names), end="")
        return status

    return action


def _read_kinds(text: str) -> tuple[str, ...]:
    """Return the file formats in a text such as ``pdf,png``, without duplicates."""
    return tuple(dict.fromkeys(check_choice("format", kind, ("pdf", "png", "svg")) for kind in text.split(",")))


def _read_width(text: str | None) -> float | None:
    """Return a width in inches, from ``single`` or ``double`` column or a number."""
    if text is None:
        return None
    columns = {"single": 3.35, "double": 6.9}  # those of figures.drawing.style, which imports matplotlib
    try:
        width = columns[text] if text in columns else float(text)
    except ValueError:
        width = 0.0
    if not NARROWEST <= width <= WIDEST:
        raise invalid("width", f"single, double or inches from {NARROWEST:g} to {WIDEST:g}", text)
    return width


def _choose_figures(text: str, datasets: Sequence) -> tuple[str, ...]:
    """Return the names in a list separated by commas, each of a figure of at least one run."""
    from figures import figures_of, file_name

    available = dict.fromkeys(file_name(name) for dataset in datasets for name in figures_of(dataset))
    return tuple(check_choice("figures", name.replace("-", "_"), available) for name in text.split(","))


def _prepare_overview(path: Path, folders: list[str]) -> Action:
    """Load the runs of an overview page, and check that the page can be drawn and written."""
    if path.suffix not in (".pdf", ".png", ".svg"):
        raise invalid("overview", "a file that ends in .pdf, .png or .svg", str(path))
    check_writable(path.parent)
    datasets = [load_dataset(Path(folder)) for folder in folders]
    from figures import load_matplotlib

    load_matplotlib()
    from figures import talk
    from figures.drawing import style
    from figures.drawing.plain_text import without_mathematics

    with drawing_of(*folders):
        talk.choose_runs(datasets)

    def action() -> int:
        with drawing_of(*folders):
            figure = talk.draw([without_mathematics(dataset) for dataset in datasets])
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, lambda temporary: style.save(figure, temporary))
        return 0

    return action


def prepare_verify(arguments: argparse.Namespace) -> Action:
    """Check the names of the claims and the folder before anything is computed."""
    groups = choose_groups(arguments.names)
    folder = None if arguments.out is None else Path(arguments.out)
    if folder is not None:
        check_folder(folder, overwrite=arguments.overwrite)

    def action() -> int:
        adapt_settings(lambda text: print(f"simlab: {text}", file=sys.stderr))
        claims = verify(groups, lambda claim: _show_progress(claim, quiet=arguments.quiet))
        if not arguments.quiet:
            show_line("")
        width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
        print(claims_to_json(claims) if arguments.json else format_claims(claims, width))
        if folder is not None:
            save_and_draw(claims_to_dataset(claims), folder)
        return 1 if any_failed(claims) else 0

    return action


def _show_progress(claim: Claim, *, quiet: bool) -> None:
    """Show the status of a claim on stderr: on a terminal in place of the last one, in a log only if it failed."""
    if quiet:
        return
    if sys.stderr.isatty():
        show_line(f"{claim.status}: {claim.claim}")
    elif claim.status == FAIL:
        print(f"{claim.status}: {claim.claim}", file=sys.stderr, flush=True)
