"""What each command does: check its input at once, then return the action."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from experiments.commands.environment import adapt_settings
from experiments.commands.failures import drawing_of
from experiments.core.output import check_folder, check_writable, draw_figures, save_and_draw
from experiments.core.progress import show_line
from experiments.registry import NAMES, find_experiment
from experiments.tables.columns import format_columns
from experiments.verification.claim import FAIL, Claim
from experiments.verification.report import claims_to_dataset, claims_to_json, format_claims
from experiments.verification.suite import any_failed, choose_groups, verify
from simlab.storage.results import load_dataset, write_atomically
from simlab.validation import invalid

Action = Callable[[], int]


def prepare_list(arguments: argparse.Namespace) -> Action:
    """List name, summary and time of every experiment."""

    def action() -> int:
        experiments = [find_experiment(name) for name in NAMES]
        rows = [
            ("experiment", "quick", "paper (one seed)"),
            *((e.name, e.quick_time, e.paper_time) for e in experiments),
        ]
        lines = format_columns(rows).splitlines()
        summaries = ["", *(experiment.summary for experiment in experiments)]
        print("\n".join(f"{line}   {summary}".rstrip() for line, summary in zip(lines, summaries, strict=True)))
        return 0

    return action


def prepare_plot(arguments: argparse.Namespace) -> Action:
    """Load the saved runs."""
    if arguments.overview is not None:
        return _prepare_overview(Path(arguments.overview), arguments.folders)
    from figures import figures_of

    datasets = {folder: load_dataset(folder) for folder in arguments.folders}
    for folder, dataset in datasets.items():
        with drawing_of(folder):
            figures_of(dataset)  # raises for a run that cannot be drawn, before another one is drawn

    def action() -> int:
        for folder, dataset in datasets.items():
            with drawing_of(folder):
                n_figures = draw_figures(dataset, Path(folder))
            print(f"{folder}: {n_figures} figure{'s' if n_figures != 1 else ''}, as PDF and PNG", file=sys.stderr)
        return 0

    return action


def _prepare_overview(path: Path, folders: list[str]) -> Action:
    """Load the runs of a page, and check that it can be drawn and written."""
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
        print(claims_to_json(claims) if arguments.json else format_claims(claims))
        if folder is not None:
            save_and_draw(claims_to_dataset(claims), folder)
        return 1 if any_failed(claims) else 0

    return action


def _show_progress(claim: Claim, *, quiet: bool) -> None:
    """Show on stderr that a claim is decided: on a terminal in place of the last one, in a log only if it failed."""
    if quiet:
        return
    if sys.stderr.isatty():
        show_line(f"{claim.status}: {claim.claim}")
    elif claim.status == FAIL:
        print(f"{claim.status}: {claim.claim}", file=sys.stderr, flush=True)
