"""One page for a talk: what each of several saved runs found, a panel each."""

import json
from collections.abc import Sequence
from importlib import import_module
from math import ceil
from typing import NamedTuple

from matplotlib.figure import Figure

from figures import check_figure
from figures.declared import check_version
from figures.drawing import style

# 16:9, inches, by the number of rows. Marks and letters have the sizes of print; a slide enlarges the whole page.
PAGES = {1: (7.11, 4.0), 2: (7.11, 4.0), 3: (9.6, 5.4)}
N_COLUMNS = 3


class Question(NamedTuple):
    """What a run declares of its panel: the module of this package that draws it, and the question above it."""

    figure: str
    text: str


def question_of(dataset) -> Question | None:
    """Return the question of a run; None if its experiment has none.

    Raises:
        ValueError: the attribute ``talk`` names no figure that draws a panel.
    """
    fields = json.loads(dataset.attrs.get("talk", "null"))
    if fields is None:
        return None
    return Question(check_figure(fields["figure"], "draw_key"), str(fields["question"]))


def choose_runs(datasets: Sequence) -> list:
    """Return the runs that have a panel, in the order in which they are given, the first one of each experiment.

    Raises:
        ValueError: none of them has a panel; the message names the version for a run that is too old to say so.
    """
    asking = [dataset for dataset in datasets if question_of(dataset) is not None]
    if not asking:
        for dataset in datasets:
            if "figures" not in dataset.attrs:
                check_version(dataset)
        raise ValueError("overview: expected a run of an experiment that asks a question, got none")
    first: dict[str | None, object] = {}
    for dataset in asking:
        first.setdefault(dataset.attrs.get("experiment"), dataset)
    return list(first.values())


@style.styled
def draw(datasets: Sequence):
    """Draw the page.

    Args:
        datasets: saved runs; of several of one experiment the first counts, and those without a panel are left out.

    Raises:
        ValueError: none of them has a panel.
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
