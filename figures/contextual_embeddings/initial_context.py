"""Contextualization of an untrained encoder by layer: networks of several widths (markers), infinite width (lines)."""

from typing import Any

import numpy as np
from matplotlib.lines import Line2D

from figures.drawing import style

ROWS = (
    ("mean_share", "M/Q over all tokens"),
    ("within_share", "variance within\nwords, $V_W/V$"),
    ("mean_similarity", "self-similarity"),
)
LINE: dict[str, Any] = {"color": style.PREDICTED, "linewidth": 0.9, "zorder": 1}
MARK: dict[str, Any] = {"linestyle": "none", "markersize": 3.4, "markeredgewidth": 0.7, "markerfacecolor": "white"}
AXIS = "embedding_dim"
SHIFT = 0.12


@style.styled
def draw(dataset):
    """Draw one column per regime: means over seeds with standard deviations, by layer."""
    n_regimes = dataset.sizes["regime"]
    figure, axes = style.make_grid(len(ROWS), n_regimes, 1.25, sharex="col", sharey="row")
    for column in range(n_regimes):
        regime = dataset.isel(regime=column)
        for row, (name, _) in enumerate(ROWS):
            _draw_panel(axes[row, column], regime, name)
        axes[-1, column].set_xlabel("layer")
    for row, (_, label) in enumerate(ROWS):
        axes[row, 0].set_ylabel(label)
        axes[row, 0].set_ylim(-0.03, 1.03)
    style.set_titles(axes[0], [style.words_of(name) for name in dataset.regime.values])
    figure.legend(handles=_handles(dataset), loc="outside lower center", ncols=4)
    return figure


def draw_key(ax, dataset) -> None:
    """Draw the share of the mean in the first regime."""
    _draw_panel(ax, dataset.isel(regime=0), "mean_share")
    ax.set_xlabel("layer")
    ax.set_ylabel("M/Q over all tokens")
    ax.legend(handles=_handles(dataset), loc="upper left")


def _widths(dataset) -> list:
    return list(dataset[AXIS].values) if AXIS in dataset.dims else []


def _draw_panel(ax, regime, name: str) -> None:
    """Draw one statistic of all layers."""
    first = regime if AXIS not in regime.dims else regime.isel({AXIS: 0})
    predicted = first[f"{name}_predicted"].isel(seed=0).values
    is_there = np.isfinite(predicted)
    layers = np.arange(len(predicted))[is_there]
    ax.plot(layers, predicted[is_there], **LINE)
    widths = _widths(regime) or [None]
    for index, width in enumerate(widths):
        values = (regime if width is None else regime.sel({AXIS: width}))[name].transpose("seed", "layer").values
        places = layers + SHIFT * (index - (len(widths) - 1) / 2)
        spread = np.std(values, axis=0)[is_there]
        look = style.concept_style(index)
        ax.errorbar(places, np.mean(values, axis=0)[is_there], spread, elinewidth=0.6, **MARK, **look)
    ax.set_xticks(layers)


def _handles(dataset) -> list[Line2D]:
    marks = [
        Line2D([], [], label="network" if width is None else f"width {width}", **MARK, **style.concept_style(index))
        for index, width in enumerate(_widths(dataset) or [None])
    ]
    return [Line2D([], [], label="predicted, infinite width", **LINE), *marks]
