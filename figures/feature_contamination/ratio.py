"""The contamination ratio against the number of features, the leaky slope and the background mean, with r*."""

from typing import Any

import numpy as np
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, NullLocator

from figures.drawing import style
from figures.drawing.seeds import mean_and_error
from figures.feature_contamination.cells import in_a_row

LABELS = {
    "core_features": "core and background features, $d$ each",
    "leaky_slope": r"leaky slope $\alpha$",
    "background_mean": "mean strength of the background",
}
LINE: dict[str, Any] = {"color": style.PREDICTED, "linewidth": 0.9, "zorder": 1}
LAW: dict[str, Any] = {"color": style.COLOURS[1], "linewidth": 1.2, "linestyle": (0, (4, 1.5)), "zorder": 2}
DOTS: dict[str, Any] = {
    "color": style.COLOURS[0], "linestyle": "none", "marker": "o", "markersize": 3.2, "markeredgewidth": 0,
    "elinewidth": 0.8, "capsize": 1.5, "zorder": 3,
}  # fmt: skip
PERCENT = 100


@style.styled
def draw(dataset):
    """Draw learned ratios on the curve r*, and below their deviations in per cent, with standard errors."""
    cells = in_a_row(dataset)
    rows = {name: row for name in LABELS if len(np.unique((row := _row(cells, name))[name].values)) > 1}
    figure, axes = style.make_grid(2, max(1, len(rows)), 1.5, sharex="col", height_ratios=[2, 1])
    figure.set_figwidth(style.TWO_COLUMNS if len(rows) > 1 else style.ONE_COLUMN)
    for column, (name, row) in enumerate(rows.items()):
        top, bottom = axes[0, column], axes[1, column]
        _draw_ratio(top, dataset, row, name)
        _draw_deviation(bottom, row, name)
        top.set_title("abc"[column], loc="left", fontweight="bold", pad=2)
        bottom.set_xlabel(LABELS[name])
    axes[0, 0].set_ylabel("contamination ratio $b/c$")
    axes[1, 0].set_ylabel("deviation\nfrom $r^*$ (%)")
    figure.align_ylabels(axes[:, 0])
    figure.legend(handles=_handles(), loc="outside lower center", ncols=3)
    return figure


def draw_key(ax, dataset) -> None:
    """Draw the ratio against the number of features."""
    _draw_ratio(ax, dataset, _row(in_a_row(dataset), "core_features"), "core_features")
    ax.set_xlabel(LABELS["core_features"])
    ax.set_ylabel("contamination ratio $b/c$")
    ax.legend(handles=_handles(), loc="lower right")


def _row(cells, name: str):
    """Return the cells that vary one field, with the most frequent values of the others, sorted by it."""
    keep = np.ones(cells.sizes["cell"], bool)
    for other in LABELS:
        if other != name:
            values, counts = np.unique(cells[other].values, return_counts=True)
            keep &= cells[other].values == values[np.argmax(counts)]
    return cells.isel(cell=keep).sortby(name)


def _draw_ratio(ax, dataset, row, name: str) -> None:
    """Draw learned ratios and the curve r*; against the number of features also the one-line law."""
    place = dataset[f"{name}_place"].values
    ax.plot(place, dataset[f"{name}_line"].values, **LINE)
    if name == "core_features":
        ax.plot(place, dataset[f"{name}_one_line"].values, **LAW)
    mean, error = mean_and_error(row.learned.sel(quantity="ratio"))
    ax.errorbar(row[name].values, mean, yerr=error, **DOTS)
    if name == "core_features":
        _count_axis(ax, row[name].values)
    else:
        ax.set_ylim(bottom=-0.03)


def _draw_deviation(ax, row, name: str) -> None:
    """Draw the deviation from r* in per cent where r* is not zero; the shaded band is +-1 per cent."""
    limit = row.limit_ratio.values
    is_positive = limit > 0
    mean, error = mean_and_error(row.learned.sel(quantity="ratio"))
    ax.axhspan(-1, 1, color="0.92", linewidth=0, zorder=0)
    ax.axhline(0, **LINE)
    places = row[name].values[is_positive]
    deviation, bar = (
        PERCENT * (mean[is_positive] / limit[is_positive] - 1),
        PERCENT * error[is_positive] / limit[is_positive],
    )
    ax.errorbar(places, deviation, yerr=bar, **DOTS | {"markersize": 2.0})
    ax.set_ylim(-1.5, 1.5)


def _count_axis(ax, counts: np.ndarray) -> None:
    ax.set_xscale("log")
    ax.xaxis.set_major_locator(FixedLocator(np.unique(counts).tolist()))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.xaxis.set_major_formatter(lambda value, _: f"{value:g}")


def _handles() -> list[Line2D]:
    dots = {name: value for name, value in DOTS.items() if name not in ("elinewidth", "capsize")}
    return [
        Line2D([], [], label="$r^*$", **LINE),
        Line2D([], [], label="one-line law $(1-q)/(1+q)$", **LAW),
        Line2D([], [], label="learned, mean and standard error", **dots),
    ]
