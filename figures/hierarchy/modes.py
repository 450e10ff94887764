"""Levels of a tree over training: learned (markers), predicted (lines), and decoupled sigmoids (dashed)."""

from typing import Any

import numpy as np
from matplotlib.lines import Line2D
from matplotlib.ticker import EngFormatter, MaxNLocator

from figures.drawing import style

MOST_COLUMNS = 4
N_MARKS = 20  # markers per level
LEARNED: dict[str, Any] = {"linestyle": "none", "markersize": 2.6, "markeredgewidth": 0, "zorder": 1}
PREDICTED: dict[str, Any] = {"color": style.PREDICTED, "linewidth": 0.8, "zorder": 2}
DECOUPLED: dict[str, Any] = {"color": "0.5", "linewidth": 0.9, "linestyle": (0, (3, 1.5)), "zorder": 0}


@style.styled
def draw(dataset):
    """Draw one panel per regime with predicted curves, for the first seed."""
    dataset = _first_cells(dataset)
    predicted = [
        name for name in dataset.regime.values if np.isfinite(dataset.strengths_predicted.sel(regime=name)).any()
    ]
    names = predicted or list(dataset.regime.values)
    figure, axes = style.make_panels(len(names), MOST_COLUMNS, 1.55)
    for ax, name in zip(axes.flat, names, strict=False):
        _draw_panel(ax, dataset.sel(regime=name))
        ax.set_title(style.words_of(name), pad=2)
    for ax in axes[-1]:
        ax.set_xlabel("training steps")
    for row in axes:
        row[0].set_ylabel("strength of a level")
    figure.legend(handles=_handles(dataset.sizes["mode"]), loc="outside lower center", ncols=5)
    return figure


def draw_key(ax, dataset) -> None:
    """Draw the panel of the first regime."""
    dataset = _first_cells(dataset)
    _draw_panel(ax, dataset.isel(regime=0))
    ax.set_xlabel("training steps")
    ax.set_ylabel("strength of a level")
    ax.legend(handles=_handles(4)[4:], loc="lower right")


def _first_cells(dataset):
    """Return the dataset at the first seed and the first value of every varied axis."""
    grid = [dim for dim in dataset.kind.dims if dim != "regime"]
    return dataset.isel(seed=0, **dict.fromkeys(grid, 0))


def _draw_panel(ax, regime) -> None:
    """Draw all levels of a regime, strongest first."""
    steps = regime.step.values
    step = max(1, len(steps) // N_MARKS)
    for level in range(regime.sizes["mode"]):
        course = regime.isel(mode=level)
        if not np.isfinite(course.strengths.values).any():
            continue
        ax.plot(steps[::step], course.strengths.values[::step], color=_colour(level), marker=_mark(level), **LEARNED)
        ax.plot(steps, course.strengths_predicted.values, **PREDICTED)
        if not np.allclose(course.decoupled.values, course.strengths_predicted.values, atol=1e-3):
            ax.plot(steps, course.decoupled.values, **DECOUPLED)
    ax.set_ylim(bottom=0)
    ax.set_xlim(0, np.nanmax(steps))
    ax.xaxis.set_major_locator(MaxNLocator(3))
    ax.xaxis.set_major_formatter(EngFormatter(sep=""))


def _colour(level: int) -> str:
    return style.COLOURS[level % len(style.COLOURS)]


def _mark(level: int) -> str:
    return style.MARKS[level % len(style.MARKS)]


def _handles(n_levels: int) -> list[Line2D]:
    return [
        *(
            Line2D([], [], label=f"level {level}, learned", color=_colour(level), marker=_mark(level), **LEARNED)
            for level in range(n_levels)
        ),
        Line2D([], [], label="predicted", **PREDICTED),
        Line2D([], [], label="decoupled modes", **DECOUPLED),
    ]
