"""Figures: a saved dataset in, a matplotlib figure out.

Every module that is a figure has one function ``draw(dataset) -> matplotlib.figure.Figure``. A figure shows what the
dataset holds and computes nothing but what its axes need; it never trains and never predicts. The attribute ``figures``
of a dataset names the modules of this package that are drawn from it.
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
    """Return the names of the figures that a saved dataset has, as modules of this package: ``sweeps.sweep``.

    Raises:
        ValueError: simlab wrote the dataset before it named its figures, or a name is that of no figure.
    """
    if "figures" not in dataset.attrs:
        from figures.declared import check_version

        check_version(dataset)
    names = dict.fromkeys(json.loads(dataset.attrs.get("figures", "[]")))  # each once
    return tuple(map(check_figure, names))


def check_figure(name: object, function: str = "draw") -> str:
    """Return the name of a figure, or raise ``ValueError`` if none has it; nothing is imported.

    Args:
        name: as a dataset gives it.
        function: which the module must have: ``draw``, or ``draw_key`` for a panel of a talk.
    """
    if isinstance(name, str) and _NAME.fullmatch(name):
        path = Path(__file__).parent.joinpath(*name.split(".")).with_suffix(".py")
        if path.is_file() and re.search(
            rf"^def {function}\({_FIRST_ARGUMENT[function]}\b", path.read_text(encoding="utf-8"), re.MULTILINE
        ):
            return name
    raise ValueError(f"figures: expected the name of a figure, such as sweeps.sweep, got {name!r}")


def file_name(name: str) -> str:
    """Return the name of a figure's files: that of its module, unless the module has one of its own."""
    return getattr(_load(name), "FILE_NAME", name.rpartition(".")[2])


def draw(name: str, dataset):
    """Return the figure called ``name``, drawn from an ``xarray.Dataset``.

    Raises:
        ValueError: there is no such figure.
    """
    from figures.drawing.plain_text import without_mathematics

    return _load(name).draw(without_mathematics(dataset))


def load_matplotlib() -> None:
    """Import matplotlib, also where ``MPLBACKEND`` names a backend that this environment lacks.

    Figures are saved by the writers of PDF, PNG and SVG, and need no backend of ``pyplot``; but matplotlib refuses to
    be imported if it cannot find the one of the environment, such as that of a notebook.
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
