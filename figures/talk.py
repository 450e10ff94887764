"""One page for a talk: one panel with the main result of each of several saved runs."""

import json
from collections.abc import Sequence
from importlib import import_module
from math import ceil
from typing import NamedTuple

from matplotlib.figure import Figure

from figures import check_figure
from figures.declared import check_version
from figures.drawing import style

# 16:9, inches, by number of rows. Markers and text have the sizes of print; a slide enlarges the whole page.
PAGES = {1: (7.11, 4.0), 2: (7.11, 4.0), 3: (9.6, 5.4)}
N_COLUMNS = 3


class Question(NamedTuple):
    """The declaration of a run's panel: the module of this package that draws it, and the question in its title."""

    figure: str
    text: str


def question_of(dataset) -> Question | None:
    """Return the question of a run, None if its experiment has none.

    Raises:
        ValueError: the attribute ``talk`` names a figure that does not draw a panel.
    """
    fields = json.loads(dataset.attrs.get("talk", "null"))
    if fields is None:
        return None
    return Question(check_figure(fields["figure"], "draw_key"), str(fields["question"]))


def choose_runs(datasets: Sequence) -> list:
    """Return the first run of each experiment that has a panel, in the given order.

    Raises:
        ValueError: no run has a panel; for a run of an old version the message names the version.
    """
    with_question = [dataset for dataset in datasets if question_of(dataset) is not None]
    if not with_question:
        for dataset in datasets:
            if "figures" not in dataset.attrs:
                check_version(dataset)
        raise ValueError("overview: expected a run of an experiment with a panel for talks, got none")
    first: dict[str | None, object] = {}
    for dataset in with_question:
        first.setdefault(dataset.attrs.get("experiment"), dataset)
    return list(first.values())


@style.styled
def draw(datasets: Sequence):
    """Draw the page.

    Args:
        datasets: saved runs; the first of each experiment is used, and runs without a panel are ignored.

    Raises:
        ValueError: no run has a panel.
    """
    runs = [(question, run) for run in choose_runs(datasets) if (question := question_of(run)) is not None]
    n_rows = ceil(len(runs) / N_COLUMNS)
    figure = Figure(figsize=PAGES[n_rows])
    axes = figure.subplots(n_rows, ceil(len(runs) / n_rows), squeeze=False).ravel()
    for ax, (question, dataset) in zip(axes, runs, strict=False):
        import_module(f"figures.{question.figure}").draw_key(ax, dataset)
        ax.set_title(question.text, loc="left", fontweight="bold")
    for ax in axes[len(runs) :]:
        ax.set_visible(False)
    style.set_spacing(figure, w_pad=0.06, h_pad=0.08)
    return figure
