"""Children are orthogonal to their parents in a tree and in a simplex alike; level strengths distinguish the two."""

from typing import Any

import numpy as np
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from figures.drawing import style
from figures.hierarchy.cells import AXIS, along_decay

MARK: dict[str, Any] = {"linestyle": "none", "markersize": 3, "markeredgewidth": 0}
OPEN: dict[str, Any] = {"linestyle": "none", "markersize": 6, "markerfacecolor": "none", "markeredgewidth": 0.8}


@style.styled
def draw(dataset):
    """Draw cosines (a) and level strengths (b) of each regime, at the cell with most resolved levels."""
    dataset = along_decay(dataset).isel(seed=0)
    figure, axes = style.make_grid(1, 2, 2.4)
    figure.set_figwidth(0.8 * style.TWO_COLUMNS)
    cells = [_cell(dataset.isel(regime=index)) for index in range(dataset.sizes["regime"])]
    _draw_cosines(axes[0, 0], cells)
    _draw_strengths(axes[0, 1], cells)
    for ax, letter in zip(axes[0], "ab", strict=True):
        ax.set_title(letter, loc="left", fontweight="bold", pad=2)
    figure.legend(handles=_handles(), loc="outside lower center", ncols=2)
    return figure


def _cell(regime):
    """Return the middle one of the cells of a regime that resolve most levels."""
    resolved = (np.nan_to_num(regime.level_strengths_predicted.transpose(AXIS, "level").values) > 0).sum(axis=1)
    best = np.flatnonzero(resolved == resolved.max())
    return regime.isel({AXIS: int(best[len(best) // 2])})


def _draw_cosines(ax, cells) -> None:
    """Draw one column of cosines per regime, next to those of shuffled leaves."""
    for place, cell in enumerate(cells):
        for shift, name, marker, colour in ((-0.15, "cosines", "o", 0), (0.15, "shuffled_cosines", "^", 1)):
            values = cell[name].values.ravel()
            values = values[np.isfinite(values)]
            ax.plot(np.full(len(values), place + shift), values, marker, color=style.COLOURS[colour], **MARK)
    ax.axhline(0, color="0.6", linewidth=0.5, zorder=0)
    _name(ax, cells)
    ax.set_ylim(-1, 1)
    ax.yaxis.set_major_locator(MaxNLocator(4))
    ax.set_ylabel("cosine of (child - parent)\nand (parent - root)")


def _draw_strengths(ax, cells) -> None:
    """Draw the level strengths of each regime relative to level 1, from coarse to fine."""
    for place, cell in enumerate(cells):
        learned, predicted = cell.level_strengths.values, cell.level_strengths_predicted.values
        shifts = np.linspace(-0.25, 0.25, len(learned)) if len(learned) > 1 else np.zeros(1)
        ax.plot(place + shifts, predicted / predicted[0], "s", color=style.PREDICTED, **OPEN)
        ax.plot(place + shifts, learned / predicted[0], "o", color=style.COLOURS[0], **MARK)
    _name(ax, cells)
    ax.set_ylim(0, 1.15)
    ax.set_ylabel("level strength\nrelative to level 1")


def _name(ax, cells) -> None:
    names = [style.words_of(cell.regime.values) for cell in cells]
    ax.set_xticks(range(len(names)), names, rotation=40, ha="right", rotation_mode="anchor")
    ax.set_xlim(-0.5, len(names) - 0.5)


def _handles() -> list[Line2D]:
    return [
        Line2D([], [], label="a: tree of the task; b: learned", marker="o", color=style.COLOURS[0], **MARK),
        Line2D([], [], label="a: 20 shuffles of the leaves", marker="^", color=style.COLOURS[1], **MARK),
        Line2D([], [], label="b: predicted, levels 1, 2, ... from the left", marker="s", color=style.PREDICTED, **OPEN),
    ]
