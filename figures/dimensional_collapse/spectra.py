"""Learned and predicted eigenvalues of the embedding covariance, by direction."""

from typing import Any

import numpy as np
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from figures.drawing import style

LEARNED: dict[str, Any] = {"color": style.COLOURS[0], "marker": "o", "linestyle": "none", "markersize": 2.6}
PREDICTED: dict[str, Any] = {"color": style.PREDICTED, "linewidth": 1.1, "solid_capstyle": "butt"}
CORRECTED: dict[str, Any] = {"color": "0.6", "linewidth": 2.6, "solid_capstyle": "butt"}
COLLAPSED: dict[str, Any] = LEARNED | {"markerfacecolor": "white", "markeredgewidth": 0.7}
MOST_COLUMNS = 3
# Eigenvalues below this share of the smallest non-zero prediction are drawn on the line of collapsed directions.
FLOOR, FLOOR_OF_NONE = 0.1, 0.5
HALF = 0.38  # half the width of a bar, in directions


@style.styled
def draw(dataset):
    """Draw one panel per regime at the first value of varied axes, the largest eigenvalue first.

    Dots are seeds, black bars the prediction, grey bars the prediction corrected for the batch. Collapsed directions
    are on the lowest line, as open dots where learned.
    """
    names = [name for name in dataset.eigenvalues_predicted.dims if name not in ("regime", "seed", "direction")]
    dataset = dataset.isel(dict.fromkeys(names, 0))
    n_regimes = dataset.sizes["regime"]
    figure, axes = style.make_panels(n_regimes, MOST_COLUMNS, 1.8)
    n_columns = axes.shape[1]
    for index, ax in enumerate(axes.flat[:n_regimes]):
        _draw_panel(ax, dataset.isel(regime=index))
        if index + n_columns >= n_regimes:
            ax.set_xlabel("direction")
    for row in axes:
        row[0].set_ylabel("eigenvalue of\nthe embedding")
    style.set_regime_titles(axes.flat[:n_regimes], dataset)
    figure.legend(handles=_handles(dataset), loc="outside lower center", ncols=2 if n_columns < 3 else 4)
    return figure


def draw_key(ax, dataset) -> None:
    """Draw the panel of the first regime."""
    _draw_panel(ax, dataset.isel(regime=0))
    ax.set_xlabel("direction")
    ax.set_ylabel("eigenvalue of the embedding")


def _draw_panel(ax, regime) -> None:
    """Draw learned and predicted eigenvalues of a regime on a logarithmic scale, with zeros on the lowest line."""
    learned = regime.eigenvalues.transpose("seed", "direction").values
    predicted = regime.eigenvalues_predicted.isel(seed=0).values
    corrected = regime.finite_batch_eigenvalues.values
    is_there = np.isfinite(predicted)
    learned, predicted, corrected = learned[:, is_there], predicted[is_there], corrected[is_there]
    positive = predicted[predicted > 0]
    share = FLOOR if len(positive) < len(predicted) else FLOOR_OF_NONE
    floor = share * (positive.min() if len(positive) else 1.0)
    directions = np.arange(1, len(predicted) + 1)
    for values, look in ((corrected, CORRECTED), (predicted, PREDICTED)):
        for place, value in zip(directions, values, strict=True):
            if np.isfinite(value):
                ends = max(value, floor)
                ax.plot([place - HALF, place + HALF], [ends, ends], zorder=1, **look)
    for values in learned:
        survives = values > floor
        ax.plot(directions[survives], values[survives], zorder=2, markeredgewidth=0, **LEARNED)
        ax.plot(directions[~survives], np.full(np.sum(~survives), floor), zorder=2, **COLLAPSED)
    ax.set_yscale("log")
    top = max(style.ceiling(predicted), style.ceiling(learned))
    ax.set_ylim(floor * (floor / top) ** 0.06, top * (top / floor) ** 0.06)
    ax.set_xlim(0.3, len(predicted) + 0.7)
    ax.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    if not np.all(predicted > 0):
        ax.text(0.02, 0.1, "collapsed", transform=ax.transAxes, fontsize=6, va="bottom")


def _handles(dataset) -> list[Line2D]:
    """Return the legend entries that occur in the figure."""
    handles = [
        Line2D([], [], label="predicted", **PREDICTED),
        Line2D([], [], label="learned, each seed", markeredgewidth=0, **LEARNED),
        Line2D([], [], label="learned, collapsed", **COLLAPSED),
    ]
    if np.isfinite(dataset.finite_batch_eigenvalues.values).any():
        handles.append(Line2D([], [], label="predicted, batch-corrected", **CORRECTED))
    return handles
