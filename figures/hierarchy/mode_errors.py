"""The error of the closed form of levels over training, and of the sigmoid that neglects their coupling."""

from typing import Any

import numpy as np
from matplotlib.lines import Line2D
from matplotlib.ticker import EngFormatter, LogLocator, MaxNLocator, NullLocator

from figures.drawing import style

FLOOR = 1e-10  # smaller errors are rounding
COUPLED: dict[str, Any] = {"color": style.COLOURS[0], "linewidth": 1.1}
DECOUPLED: dict[str, Any] = {"color": "0.45", "linewidth": 1.1, "linestyle": (0, (3, 1.5))}


@style.styled
def draw(dataset):
    """Draw the largest error over levels and seeds, relative to the largest singular value, for coupled modes."""
    grid = [dim for dim in dataset.kind.dims if dim != "regime"]
    dataset = dataset.isel(dict.fromkeys(grid, 0))
    names = [name for name in dataset.regime.values if _couples(dataset.sel(regime=name))]
    names = names or list(dataset.regime.values[:1])
    figure, axes = style.make_grid(1, len(names), 1.9, sharey=True)
    for ax, name in zip(axes[0], names, strict=True):
        _draw_panel(ax, dataset.sel(regime=name))
        ax.set_xlabel("training steps")
    style.set_titles(axes[0], [style.words_of(name) for name in names])
    axes[0, 0].set_ylabel("largest error /\nlargest singular value")
    handles = [
        Line2D([], [], label="closed form, coupled modes", **COUPLED),
        Line2D([], [], label="decoupled sigmoids", **DECOUPLED),
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=2)
    return figure


def _couples(regime) -> bool:
    """Return whether both predictions exist and differ."""
    gap = np.abs(regime.decoupled - regime.strengths_predicted).values
    return bool(np.nanmax(gap, initial=0.0) > 1e-6) if np.isfinite(gap).any() else False


def _draw_panel(ax, regime) -> None:
    """Draw both errors over training, with rounding errors at the lower edge."""
    largest = np.nanmax(regime.singular_values_predicted.values)
    for name, look in (("strengths_predicted", COUPLED), ("decoupled", DECOUPLED)):
        error = np.abs(regime.strengths - regime[name]).max(["seed", "mode"]) / largest
        ax.plot(regime.step.values, np.maximum(error.values, FLOOR), **look)
    ax.set_yscale("log")
    ax.set_ylim(FLOOR, 1)
    ax.yaxis.set_major_locator(LogLocator(numticks=6))
    ax.yaxis.set_minor_locator(NullLocator())
    ax.set_xlim(0, np.nanmax(regime.step.values))
    ax.xaxis.set_major_locator(MaxNLocator(2))
    ax.xaxis.set_major_formatter(EngFormatter(sep=""))
