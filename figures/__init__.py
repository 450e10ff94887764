"""Figures: a saved dataset in, a matplotlib figure out.

Every figure module has a function ``draw(dataset) -> matplotlib.figure.Figure``. A figure shows the contents of the
dataset and computes only what its axes need; it never trains or predicts. The attribute ``figures`` of a dataset names
the modules of this package that draw it.
"""

import json
import os
import re
import sys
from contextlib import suppress
from importlib import import_module
from pathlib import Path

_NAME = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*", re.ASCII)
_FIRST_ARGUMENT = {"draw": "dataset", "draw_key": "ax"}


def figures_of(dataset) -> tuple[str, ...]:
    """Return the names of the figures of a saved dataset, as modules of this package such as ``sweeps.sweep``.

    Raises:
        ValueError: the dataset was written by a version that did not name figures, or a named figure does not exist.
    """
    if "figures" not in dataset.attrs:
        from figures.declared import check_version

        check_version(dataset)
    names = dict.fromkeys(json.loads(dataset.attrs.get("figures", "[]")))  # without repetitions
    return tuple(map(check_figure, names))


def check_figure(name: object, function: str = "draw") -> str:
    """Return the name of a figure, or raise ``ValueError`` if there is no such figure; nothing is imported.

    Args:
        name: name of the figure in a dataset.
        function: function the module must define: ``draw``, or ``draw_key`` for a panel of a talk.
    """
    if isinstance(name, str) and _NAME.fullmatch(name):
        path = Path(__file__).parent.joinpath(*name.split(".")).with_suffix(".py")
        if path.is_file() and re.search(
            rf"^def {function}\({_FIRST_ARGUMENT[function]}\b", path.read_text(encoding="utf-8"), re.MULTILINE
        ):
            return name
    raise ValueError(f"figures: expected the name of a figure, such as sweeps.sweep, got {name!r}")


def file_name(name: str) -> str:
    """Return the name of a figure's files: ``FILE_NAME`` of its module if defined, otherwise the module's name."""
    return getattr(_load(name), "FILE_NAME", name.rpartition(".")[2])


def draw(name: str, dataset):
    """Draw the figure ``name`` from an ``xarray.Dataset`` and return it.

    Raises:
        ValueError: there is no such figure.
    """
    from figures.drawing.plain_text import without_mathematics

    return _load(name).draw(without_mathematics(dataset))


def load_matplotlib() -> None:
    """Import matplotlib, even if ``MPLBACKEND`` names a backend that is not installed.

    Figures are saved by the PDF, PNG and SVG writers and need no ``pyplot`` backend, but importing matplotlib fails if
    the backend named in the environment, such as that of a notebook, cannot be found.
    """
    if "matplotlib" in sys.modules or not (backend := os.environ.pop("MPLBACKEND", None)):
        return
    try:
        import matplotlib

        with suppress(ValueError):
            matplotlib.rcParams["backend"] = backend
    finally:
        os.environ["MPLBACKEND"] = backend


def _load(name: str):
    load_matplotlib()
    return import_module(f"figures.{check_figure(name)}")
