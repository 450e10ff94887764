"""The output folder of a command: checks before a run, an existing result, and figures."""

import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

from experiments.core.experiment import Plan
from figures.declared import check_version
from simlab.runtime.garbage import collection_paused
from simlab.storage.manifest import OtherSweep, differences, summarise
from simlab.storage.results import RESULTS_FILE, load_dataset, save_dataset, write_atomically
from simlab.validation import invalid


def check_folder(folder: Path, *, overwrite: bool) -> None:
    """Raise ``ValueError`` if new results cannot go to ``folder``."""
    check_writable(folder)
    if (folder / RESULTS_FILE).exists() and not overwrite:
        raise invalid("out", "a folder without a run in it (or --overwrite)", str(folder))


def check_writable(folder: Path) -> None:
    """Raise ``ValueError`` if nothing can be written to ``folder``."""
    parent = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    if not parent.is_dir():
        raise invalid("out", "a folder", str(folder))
    if not os.access(parent, os.W_OK | os.X_OK):
        raise invalid("out", "a folder that can be written to", str(folder))


def load_finished(folder: Path, plan: Plan):
    """Return the ``xarray.Dataset`` that a folder holds, or None if it holds none.

    Raises:
        ValueError: it is the result of another sweep, and the message names the fields that differ; or it was written
            by a version of simlab whose results this version cannot read.
    """
    if not (folder / RESULTS_FILE).exists():
        return None
    dataset = load_dataset(folder)
    try:
        check_version(dataset)
    except ValueError as error:
        raise OtherSweep(f"{error}; --overwrite replaces it") from error
    differing = differences(json.loads(dataset.attrs.get("sweep", "{}")), plan.describe())
    if differing:
        wanted = f"a folder without another run in it ({summarise(differing)}), or --overwrite"
        raise OtherSweep(invalid("out", wanted, str(folder)))
    return dataset


def prepare_folder(folder: Path, plan: Plan, *, reuse: bool = True):
    """Return the finished result of a folder; if there is none, predict every cell and return None.

    Nothing is written, so a solver that fails leaves no folder behind.

    Args:
        folder: folder of the result.
        plan: the plan to run.
        reuse: whether an existing result is accepted.

    Raises:
        ValueError: the folder holds the result of another sweep.
        ArithmeticError: a solver did not converge.
    """
    finished = load_finished(folder, plan) if reuse else None
    if finished is None:
        plan.predict()
    return finished


def save_and_draw(dataset, folder: Path) -> None:
    """Save a dataset and draw its figures in a folder, which is created if needed."""
    folder.mkdir(parents=True, exist_ok=True)
    save_dataset(dataset, folder / RESULTS_FILE)
    draw_figures(dataset, folder)


class Drawing(NamedTuple):
    """How figures are drawn.

    Attributes:
        names: file names, without suffix, of the figures to draw; None for all.
        kinds: file formats: pdf, png, svg.
        width: width in inches; None for that of each figure.
        venue: venue whose text width and typeface are used; None for the style of simlab.
    """

    names: tuple[str, ...] | None = None
    kinds: tuple[str, ...] = ("pdf", "png")
    width: float | None = None
    venue: str | None = None

    @property
    def words(self) -> str:
        """The file formats as text, such as "PDF and PNG"."""
        *others, last = (kind.upper() for kind in self.kinds)
        return " and ".join(filter(None, (", ".join(others), last)))


DRAWING = Drawing()


def draw_figures(dataset, folder: Path, own: Iterable[Callable] = (), drawing: Drawing = DRAWING) -> int:
    """Draw the figures of a run into its folder, and return their number.

    Args:
        dataset: the result of the run; its attribute ``figures`` lists its figures.
        folder: an existing folder.
        own: functions of the dataset that return further figures, each drawn under the function's name.
        drawing: selection, file formats and width of the figures.
    """
    from figures import draw, figures_of, file_name

    functions = {file_name(name): partial(draw, name) for name in figures_of(dataset)}
    functions |= {function.__name__: function for function in own}
    chosen = {name: draw for name, draw in functions.items() if drawing.names is None or name in drawing.names}
    from figures.drawing.style import figure_width
    from figures.receipt import make_receipt

    with collection_paused():
        for name, function in chosen.items():
            with figure_width(drawing.width, drawing.venue):
                _save_figure(function(dataset), folder / name, drawing.kinds, make_receipt(name, dataset))
    return len(chosen)


def _save_figure(figure, path: Path, kinds: Sequence[str], receipt: Mapping[str, object]) -> None:
    from figures.drawing.style import save

    for kind in kinds:
        write_atomically(path.with_name(f"{path.name}.{kind}"), lambda temporary: save(figure, temporary, receipt))
