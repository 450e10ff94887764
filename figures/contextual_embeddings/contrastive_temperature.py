"""The time to isotropy against temperature: a U-shaped curve with its optimum, and the error of gradient descent."""

from typing import Any

import numpy as np
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, NullLocator

from figures.drawing import style
from figures.drawing.scales import percent

LINE: dict[str, Any] = {"color": style.PREDICTED, "linewidth": 0.9, "zorder": 1}
BEST: dict[str, Any] = {
    "linestyle": "none", "marker": "*", "markersize": 8, "color": style.COLOURS[1], "markeredgecolor": "black",
    "markeredgewidth": 0.4, "zorder": 4,
}  # fmt: skip
DOTS: dict[str, Any] = {"linestyle": "none", "markersize": 3.6, "markeredgewidth": 0.7, "markerfacecolor": "white"}
TICKS = (0.05, 0.1, 0.2, 0.5, 1, 2, 5)
NAMES = ("time_to_half", "time_to_tenth", "time_to_hundredth")
MARGIN = 1.6  # factor by which the ordinate extends beyond the learned times


@style.styled
def draw(dataset):
    """Draw the times with the predicted curves, and below the relative error of each regime."""
    figure, axes = style.make_grid(2, 1, 1.0, sharex=True, height_ratios=[1.7, 1.0])
    figure.set_figheight(4.3)
    time_ax, error_ax = axes[:, 0]
    _draw_times(time_ax, dataset)
    _draw_errors(error_ax, dataset)
    time_ax.set_ylabel("time to a mean cosine\n(steps x learning rate)")
    error_ax.set_ylabel("learned /\npredicted - 1")
    error_ax.set_xlabel(r"temperature $\tau$")
    figure.legend(handles=_handles(dataset), loc="outside lower center", ncols=2)
    return figure


def draw_key(ax, dataset) -> None:
    """Draw the times with the predicted curves."""
    _draw_times(ax, dataset)
    ax.set_xlabel(r"temperature $\tau$")
    ax.set_ylabel("time to isotropy")
    ax.legend(handles=_handles(dataset), loc="upper right")


def _cells(regime):
    """Return the temperatures of a regime's cells, and the cells stacked along ``cell``."""
    dims = [name for name in regime.predicted.dims if name != "quantity"]
    cells = regime.stack(cell=dims, create_index=False) if dims else regime.expand_dims("cell")
    return cells.cell_temperature.values, cells


def _draw_times(ax, dataset) -> None:
    line = dataset.line_temperature.values
    highest = np.nanmax(dataset.learned.sel(quantity=list(NAMES)).values, initial=1.0)
    for index, target in enumerate(dataset.target.values):
        times = dataset.time_line.sel(target=target).values
        ax.plot(line, times, **LINE)
        ax.plot(float(dataset.best_temperature[index]), float(dataset.best_time[index]), **BEST)
        right = f"{target:g}"
        ax.annotate(right, (line[-1], times[-1]), (3, 0), textcoords="offset points", fontsize=6, va="center")
    for index in range(dataset.sizes["regime"]):
        temperatures, cells = _cells(dataset.isel(regime=index))
        for name in NAMES:
            learned = cells.learned.sel(quantity=name).transpose("cell", "seed").values
            places = np.repeat(temperatures, learned.shape[1])
            ax.plot(places, learned.ravel(), zorder=2, **(style.concept_style(index) | DOTS))
    ax.set_yscale("log")
    ax.set_ylim(np.nanmin(dataset.time_line.values) / MARGIN, highest * MARGIN)
    _set_temperatures(ax)


def _draw_errors(ax, dataset) -> None:
    ax.axhline(0, color="0.6", linewidth=0.7)
    for index in range(dataset.sizes["regime"]):
        temperatures, cells = _cells(dataset.isel(regime=index))
        for name in NAMES:
            learned = cells.learned.sel(quantity=name).mean("seed").values
            errors = learned / cells.predicted.sel(quantity=name).values - 1
            ax.plot(temperatures, errors, **(style.concept_style(index) | DOTS))
    ax.yaxis.set_major_formatter(percent)
    _set_temperatures(ax)


def _set_temperatures(ax) -> None:
    ax.set_xscale("log")
    ax.xaxis.set_major_locator(FixedLocator(list(TICKS)))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.xaxis.set_major_formatter(lambda value, _: f"{value:g}")


def _handles(dataset) -> list[Line2D]:
    learned = [
        Line2D([], [], label=style.words_of(name), **(style.concept_style(index) | DOTS))
        for index, name in enumerate(dataset.regime.values)
    ]
    return [
        Line2D([], [], label="predicted: gradient flow", **LINE),
        Line2D([], [], label="predicted: best temperature", **BEST),
        *learned,
    ]
