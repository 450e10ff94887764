"""A learnable temperature: gap against inverse temperature during training, on lines of slope -k."""

from typing import Any

import numpy as np
from matplotlib.lines import Line2D

from figures.drawing import style

LINE: dict[str, Any] = {"color": style.PREDICTED, "linewidth": 0.8, "zorder": 1}
COURSE: dict[str, Any] = {"linestyle": "none", "markersize": 2.8, "markeredgewidth": 0, "zorder": 2}
END: dict[str, Any] = {
    "color": style.PREDICTED, "marker": "o", "markersize": 6.5, "markerfacecolor": "none", "markeredgewidth": 0.9,
    "linestyle": "none", "zorder": 3,
}  # fmt: skip
FLOOR = 0.03  # smaller gaps are not drawn


@style.styled
def draw(dataset):
    """Draw the records, conserved line and predicted end point of each regime with a learnable temperature."""
    figure, axes = style.make_grid(1, 1, 3.2)
    draw_key(axes[0, 0], dataset)
    figure.legend(handles=_handles(dataset), loc="outside lower center", ncols=2)
    return figure


def draw_key(ax, dataset) -> None:
    """Draw the panel without a legend."""
    for regime, look in _regimes(dataset):
        betas, gaps = _course(regime)
        seen = gaps > FLOOR
        ax.plot(betas[seen], gaps[seen], **look, **COURSE)
        _draw_line(ax, regime, betas, gaps)
        end = float(regime.end_inverse_temperature), float(regime.end_gap)
        if np.isfinite(end[0]) and end[1] > FLOOR:
            ax.plot(*end, **END)
    ax.set_xscale("log")
    ax.set_yscale("log")
    for axis, ticks in ((ax.xaxis, (2, 3, 5, 8, 12)), (ax.yaxis, (0.05, 0.1, 0.2, 0.5, 1))):
        axis.set_ticks(ticks, [f"{tick:g}" for tick in ticks])
    ax.minorticks_off()
    ax.set_xlabel(r"inverse temperature $\beta$")
    ax.set_ylabel("gap between images and texts")


def _course(regime) -> tuple[np.ndarray, np.ndarray]:
    """Return the recorded inverse temperatures and gaps of the first seed."""
    betas, gaps = regime.history_inverse_temperature.values, regime.history_gap.values
    is_there = np.isfinite(betas)
    return betas[is_there], gaps[is_there]


def _draw_line(ax, regime, betas: np.ndarray, gaps: np.ndarray) -> None:
    """Draw the line of constant ``gap beta^k`` from the start to the predicted end of beta, or to the last record."""
    end = float(regime.end_inverse_temperature)
    end = betas[-1] if not np.isfinite(end) else end
    line = np.geomspace(betas[0], end, 50)
    ax.plot(line, gaps[0] * (betas[0] / line) ** float(regime.cell_exponent), **LINE)


def _regimes(dataset):
    """Yield regimes with learnable temperature and symmetric start, at the first cell and seed, and their styles."""
    axes = [dim for dim in dataset.cell_exponent.dims if dim != "regime"]
    dataset = dataset.isel(seed=0, **dict.fromkeys(axes, 0))
    for index in range(dataset.sizes["regime"]):
        regime = dataset.isel(regime=index)
        if np.isfinite(regime.cell_exponent.values) and regime.cell_start.values == 0:
            yield regime, {"color": style.COLOURS[index % 8], "marker": style.MARKS[index % 7]}


def _handles(dataset) -> list[Line2D]:
    handles = [
        Line2D([], [], label=style.words_of(regime.regime.values), **look, **COURSE)
        for regime, look in _regimes(dataset)
    ]
    return [
        *handles,
        Line2D([], [], label=r"predicted: gap $\cdot\,\beta^k$ constant", **LINE),
        Line2D([], [], label="predicted end point", **END),
    ]
