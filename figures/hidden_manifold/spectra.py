"""Learned and predicted eigenvalues of the second moment of the embedding."""

from typing import Any

import numpy as np
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from figures.drawing import style
from figures.hidden_manifold.cells import final, first_cells

LEARNED: dict[str, Any] = {"color": style.COLOURS[0], "marker": "o", "linestyle": "none", "markersize": 2.8}
FOLDED: dict[str, Any] = {
    "color": style.COLOURS[1], "marker": "^", "linestyle": "none", "markersize": 3.2, "markerfacecolor": "white",
    "markeredgewidth": 0.7,
}  # fmt: skip
PREDICTED: dict[str, Any] = {"color": style.PREDICTED, "linewidth": 1.2, "solid_capstyle": "butt"}
MOST_COLUMNS = 3
HALF, SPREAD = 0.4, 0.5  # half the width of a bar, width of the seeds side by side, in directions


@style.styled
def draw(dataset):
    """Draw one panel per regime: predicted values as bars, learned ones as markers, seeds side by side."""
    dataset = first_cells(dataset)
    n_regimes = dataset.sizes["regime"]
    figure, axes = style.make_panels(n_regimes, MOST_COLUMNS, 1.7)
    n_columns = axes.shape[1]
    for index, ax in enumerate(axes.flat[:n_regimes]):
        _draw_panel(ax, dataset.isel(regime=index))
        if index + n_columns >= n_regimes:
            ax.set_xlabel("eigenfunction")
    for row in axes:
        row[0].set_ylabel("eigenvalue")
    style.set_regime_titles(axes.flat[:n_regimes], dataset)
    handles = [Line2D([], [], label="predicted", **PREDICTED), Line2D([], [], label="learned, each seed", **LEARNED)]
    if np.any(dataset.learned.sel(quantity="folded") == 1):
        handles.append(Line2D([], [], label="learned, folded", **FOLDED))
    figure.legend(handles=handles, loc="outside lower center", ncols=len(handles))
    return figure


def draw_key(ax, dataset) -> None:
    """Draw the panel of the first regime."""
    _draw_panel(ax, first_cells(dataset).isel(regime=0))
    ax.set_xlabel("eigenfunction")
    ax.set_ylabel("eigenvalue")


def _draw_panel(ax, regime) -> None:
    learned = regime.eigenvalues.transpose("seed", "dimension").values
    predicted = regime.eigenvalues_predicted.transpose("seed", "dimension").values[0]
    learned = learned[:, np.isfinite(learned).any(axis=0)]
    places = np.arange(1, learned.shape[1] + 1)
    for place, value in zip(places, predicted[: len(places)], strict=True):
        ax.plot([place - HALF, place + HALF], [value, value], zorder=1, **PREDICTED)
    n_seeds = len(learned)
    for seed, (values, folded) in enumerate(zip(learned, final(regime, "folded"), strict=True)):
        shift = SPREAD * ((seed + 0.5) / n_seeds - 0.5)
        ax.plot(places + shift, values, zorder=2, **(FOLDED if folded == 1 else LEARNED))
    ax.set_ylim(0, 1.08 * style.ceiling(learned, predicted))
    ax.set_xlim(0.4, len(places) + 0.6)
    ax.xaxis.set_major_locator(MaxNLocator(6, integer=True))
