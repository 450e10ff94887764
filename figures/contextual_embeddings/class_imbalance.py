"""Anisotropy of sentences with unequal classes against temperature, between its low-temperature limit and its floor."""

from typing import Any

import numpy as np
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, NullLocator

from figures.drawing import style

DOTS: dict[str, Any] = {"linestyle": "none", "markersize": 4, "markeredgewidth": 0}
LINE: dict[str, Any] = {"color": style.PREDICTED, "linewidth": 0.9}
LIMIT: dict[str, Any] = {"color": "0.5", "linewidth": 0.8, "linestyle": (0, (1, 1.3))}
FLOOR: dict[str, Any] = {"color": "0.5", "linewidth": 0.8, "linestyle": (0, (4, 1.5))}
TICKS = (0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50)


@style.styled
def draw(dataset):
    """Draw the learned anisotropy of each temperature and seed, and the prediction."""
    figure, axes = style.make_grid(1, 1, 3.1)
    _draw(axes[0, 0], dataset)
    figure.legend(handles=_handles(dataset), loc="outside lower center", ncols=2)
    return figure


def draw_key(ax, dataset) -> None:
    """Draw the panel of the figure."""
    _draw(ax, dataset)
    ax.legend(handles=_handles(dataset), loc="best")


def _regimes(dataset):
    """Yield the cells of each regime, sorted by temperature, and the style of its markers."""
    for index in range(dataset.sizes["regime"]):
        regime = dataset.isel(regime=index)
        cells = regime.expand_dims("cell") if not regime.cell_temperature.dims else regime
        cells = cells.stack(place=cells.cell_temperature.dims, create_index=False).sortby("cell_temperature")
        yield cells, style.concept_style(index) | DOTS


def _draw(ax, dataset) -> None:
    for cells, look in _regimes(dataset):
        temperatures = cells.cell_temperature.values
        learned = cells.learned.sel(quantity="anisotropy").transpose("place", "seed").values
        predicted = cells.predicted.sel(quantity="anisotropy").values
        floor, limit, threshold = (
            float(cells[name].values[0]) for name in ("floor_anisotropy", "simplex_anisotropy", "floor_temperature")
        )
        ends = temperatures[0] / 1.3, temperatures[-1] * 1.3
        ax.plot(ends, [limit, limit], **LIMIT)
        ax.plot(ends, [floor, floor], **FLOOR)
        if ends[0] < threshold < ends[1]:  # the line bends at the threshold
            order = np.argsort(np.append(temperatures, threshold))
            temperatures_of_line = np.append(temperatures, threshold)[order]
            ax.plot(temperatures_of_line, np.append(predicted, floor)[order], **LINE)
            ax.plot(threshold, floor, marker="|", markersize=9, color=style.PREDICTED)
        else:
            ax.plot(temperatures, predicted, **LINE)
        ax.plot(np.repeat(temperatures, learned.shape[1]), learned.ravel(), zorder=3, **look)
    ax.set_xscale("log")
    low, high = ax.get_xlim()
    ax.xaxis.set_major_locator(FixedLocator([tick for tick in TICKS if low <= tick <= high]))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    ax.set_ylim(bottom=-0.01)
    ax.set_xlabel(r"temperature $\tau$")
    ax.set_ylabel("anisotropy")


def _handles(dataset) -> list[Line2D]:
    learned = [
        Line2D([], [], label=f"learned, {style.words_of(cells.regime.values)}", **look)
        for cells, look in _regimes(dataset)
    ]
    return [
        *learned,
        Line2D([], [], label="predicted", **LINE),
        Line2D([], [], label=r"limit $\tau \to 0$: simplex", **LIMIT),
        Line2D([], [], label=r"floor $(2 \pi_{\max} - 1)_+^2$", **FLOOR),
    ]
