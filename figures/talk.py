"""One page for a talk: what each of several saved runs found, a panel each."""

import textwrap
from collections.abc import Sequence
from importlib import import_module
from math import ceil

from matplotlib.figure import Figure

from figures.drawing import style

# The module that draws an experiment's panel, and the question above it.
PANELS = {
    "neural-collapse": ("neural_collapse.class_means", "Where do features end?"),
    "tail-or-sample": ("feature_collapse.tail_or_sample", "What breaks collapse: the tail or the sample?"),
    "formula-reach": ("feature_collapse.formula_reach", "How far do the formulas reach?"),
    "no-weight-decay": ("feature_collapse.no_weight_decay", "What is left without weight decay?"),
    "normalisations": ("feature_collapse.normalisations", "Which normalisation keeps the simplex?"),
    "escape": ("feature_collapse.escape", "How long is nothing seen to happen?"),
    "noise": ("feature_collapse.noise", "What does noise do?"),
    "deep-networks": ("layer_collapse.deep_networks", "Where does the theory of one layer stop?"),
    "certified-descent": ("feature_collapse.certified_descent", "Is the global minimum what SGD finds?"),
}
# 16:9, inches, by the number of rows. Marks and letters have the sizes of print; a slide enlarges the whole page.
PAGES = {1: (7.11, 4.0), 2: (7.11, 4.0), 3: (9.6, 5.4)}
N_COLUMNS = 3
LONGEST_LINE = 30  # characters of a question


def names_of(datasets: Sequence) -> list[str]:
    """Return the experiments of saved runs that have a panel, each once, in the order of :data:`PANELS`."""
    return [name for name in PANELS if any(one.attrs.get("experiment") == name for one in datasets)]


@style.styled
def draw(datasets: Sequence):
    """Draw the page.

    Args:
        datasets: saved runs; of several of one experiment the first counts, and those without a panel are left out.

    Raises:
        ValueError: none of them has a panel.
    """
    names = names_of(datasets)
    if not names:
        raise ValueError(f"overview: expected a run of one of {', '.join(PANELS)}, got none")
    n_rows = ceil(len(names) / N_COLUMNS)
    figure = Figure(figsize=PAGES[n_rows])
    axes = figure.subplots(n_rows, ceil(len(names) / n_rows), squeeze=False).ravel()
    for ax, name in zip(axes, names, strict=False):
        module, question = PANELS[name]
        dataset = next(one for one in datasets if one.attrs.get("experiment") == name)
        import_module(f"figures.{module}").draw_key(ax, dataset)
        ax.set_title(textwrap.fill(question, LONGEST_LINE), loc="left", fontweight="bold")
    for ax in axes[len(names) :]:
        ax.set_visible(False)
    figure.get_layout_engine().set(w_pad=0.06, h_pad=0.08)
    return figure
