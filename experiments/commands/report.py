"""``simlab report``: check the input, then write one page from saved runs."""

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from experiments.commands.failures import drawing_of
from experiments.core.output import check_writable
from simlab.storage.results import write_atomically
from simlab.validation import invalid

SUFFIXES = (".html", ".htm")


def prepare_report(arguments: argparse.Namespace) -> Callable[[], int]:
    """Check title, page and folders, load every run, and return the action that writes the page."""
    title = _check_title(arguments.title)
    path = _check_path(Path(arguments.out), overwrite=arguments.overwrite)
    folders = _check_folders(arguments.folders)

    from experiments.report.saved_run import load_run

    runs = [load_run(folder) for folder in folders]

    def action() -> int:
        from experiments.report.page import make_page

        with drawing_of(*folders):
            page = make_page(runs, title).encode()
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, lambda temporary: temporary.write_bytes(page), replace=arguments.overwrite)
        print(f"{path}: {len(runs)} run{'s' if len(runs) > 1 else ''}, {len(page) / 1e6:.1f} MB", file=sys.stderr)
        return 0

    return action


def _check_title(title: str | None) -> str | None:
    if title is not None and not (title.strip() and title.isprintable()):
        raise invalid("title", "a line of text", title)
    return title


def _check_path(path: Path, *, overwrite: bool) -> Path:
    if path.suffix.lower() not in SUFFIXES:
        raise invalid("out", "a file name that ends in .html", str(path))
    check_writable(path.parent)
    if path.is_dir():
        raise invalid("out", "a file, not a folder", str(path))
    if path.exists() and not overwrite:
        raise invalid("out", "a file that does not exist yet (or --overwrite)", str(path))
    return path


def _check_folders(folders: Sequence[str]) -> Sequence[str]:
    seen = set()
    for folder in folders:
        place = Path(folder).resolve()
        if place in seen:
            raise invalid("folder", "each run once", folder)
        seen.add(place)
    return folders
