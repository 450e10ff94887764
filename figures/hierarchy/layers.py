"""Abstraction grows with depth: the strength of each level after each layer, on lines of slope 2 log(s) / N."""

from typing import Any

import numpy as np
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from figures.drawing import scales, style

MOST_COLUMNS = 4
LEARNED: dict[str, Any] = {"linestyle": "none", "markersize": 3.2, "markeredgewidth": 0, "zorder": 2}
LINE: dict[str, Any] = {"color": style.PREDICTED, "linewidth": 0.8, "zorder": 1}


@style.styled
def draw(dataset):
    """Draw one panel per regime of at least three layers, for the first seed; lines start at 1 before layer 1."""
    grid = [dim for dim in dataset.kind.dims if dim != "regime"]
    dataset = dataset.isel(seed=0, **dict.fromkeys(grid, 0))
    deep = dataset.layer_count.values > 2
    names = list(dataset.regime.values[deep]) or list(dataset.regime.values[:1])
    figure, axes = style.make_panels(len(names), MOST_COLUMNS, 1.6, sharey=True)
    for ax, name in zip(axes.flat, names, strict=False):
        _draw_panel(ax, dataset.sel(regime=name))
        ax.set_title(style.words_of(name), pad=2)
        ax.set_xlabel("layer")
    for row in axes:
        row[0].set_ylabel("strength in the\nGram matrix of items")
    figure.legend(handles=_handles(dataset.sel(regime=names)), loc="outside lower center", ncols=5)
    return figure


def _draw_panel(ax, regime) -> None:
    """Draw the levels of a regime on a logarithmic ordinate."""
    n_layers = int(regime.layer_count)
    layers = np.arange(1, n_layers + 1)
    values = []
    for level in range(regime.sizes["mode"]):
        learned = regime.layer_strengths.isel(mode=level).values[:n_layers]
        predicted = regime.layer_strengths_predicted.isel(mode=level).values[:n_layers]
        if not np.isfinite(learned).all() or learned.min() <= 0:
            continue
        look = {"color": style.COLOURS[level % 8], "marker": style.MARKS[level % 7]}
        ax.plot([0, *layers], [1, *predicted], **LINE)
        ax.plot(layers, learned, **look, **LEARNED)
        values.extend([*learned, 1.0])
    if values:
        scales.set_ordinate(ax, np.array(values), "log")
    ax.set_xlim(0, n_layers + 0.3)
    ax.xaxis.set_major_locator(MaxNLocator(6, integer=True))


def _handles(dataset) -> list[Line2D]:
    shown = [
        level
        for level in range(dataset.sizes["mode"])
        if np.isfinite(dataset.layer_strengths.isel(mode=level).values).any()
    ]
    marks = [
        Line2D([], [], label=f"level {level}", color=style.COLOURS[level % 8], marker=style.MARKS[level % 7], **LEARNED)
        for level in shown
    ]
    return [*marks, Line2D([], [], label=r"predicted: slope $2 \log(s) / N$", **LINE)]
