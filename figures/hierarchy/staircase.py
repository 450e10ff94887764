"""Level strengths against weight decay: learned (markers), predicted staircase (lines), thresholds (dotted)."""

from typing import Any

import numpy as np
from matplotlib.lines import Line2D

from figures.drawing import scales, style
from figures.drawing.seeds import mean_and_error
from figures.hierarchy.cells import along_decay

PREDICTED: dict[str, Any] = {"linewidth": 0.9, "zorder": 1}
LINES = ("-", (0, (4, 1.5)), (0, (1, 1)), (0, (6, 1.5, 1, 1.5)), (0, (3, 1, 1, 1, 1, 1)), "-")


@style.styled
def draw(dataset):
    """Draw one panel per regime; predictions for targets other than trees are joined by grey lines."""
    dataset = along_decay(dataset)
    figure, axes = style.make_grid(1, dataset.sizes["regime"], 2.2, sharey=True)
    for ax, name in zip(axes[0], dataset.regime.values, strict=True):
        _draw_panel(ax, dataset.sel(regime=name))
        ax.set_xlabel("c (nats)")
    style.set_titles(axes[0], [style.words_of(name) for name in dataset.regime.values])
    axes[0, 0].set_ylabel(r"level strength $z_l$ (nats)")
    figure.legend(handles=_handles(dataset.sizes["level"]), loc="outside lower center", ncols=3)
    return figure


def draw_key(ax, dataset) -> None:
    """Draw the panel of the first regime."""
    dataset = along_decay(dataset)
    _draw_panel(ax, dataset.isel(regime=0))
    ax.set_xlabel(r"$c = \sqrt{\lambda_W \lambda_H n}$ (nats)")
    ax.set_ylabel(r"level strength $z_l$ (nats)")
    ax.legend(handles=_handles(dataset.sizes["level"]), loc="upper right")


def _draw_panel(ax, regime) -> None:
    """Draw strengths and thresholds of one regime."""
    decays = np.asarray(regime.joint_decay.values, float)
    order = np.argsort(decays)
    for level in range(regime.sizes["level"]):
        cells = regime.isel(level=level)
        if not np.isfinite(cells.level_strengths_predicted.values).any():
            continue
        look = _look(level)
        line, values = cells.line_decay.values, cells.line_strengths.values
        predicted = cells.level_strengths_predicted.isel(seed=0).values
        if np.isfinite(values).any():
            ax.plot(line, values, color=style.PREDICTED, linestyle=LINES[level], **PREDICTED)
        else:
            ax.plot(decays[order], predicted[order], color="0.5", linestyle=LINES[level], **PREDICTED)
        ax.axvline(float(cells.level_thresholds), color="0.6", linewidth=0.5, linestyle=(0, (1, 1.5)), zorder=0)
        mean, error = mean_and_error(cells.level_strengths, skipna=True)
        ax.errorbar(decays, mean, error, color=look["color"], marker=look["marker"], linestyle="none", markersize=2.6,
                    elinewidth=0.6, markeredgewidth=0, zorder=2)  # fmt: skip
    if len(decays) > 1:
        scales.set_numbers(ax, np.sort(decays))


def _look(level: int) -> dict[str, Any]:
    return {"color": style.COLOURS[level % len(style.COLOURS)], "marker": style.MARKS[level % len(style.MARKS)]}


def _handles(n_levels: int) -> list[Line2D]:
    """Return legend entries for each level, learned and predicted, and for the thresholds."""
    handles = []
    for level in range(n_levels):
        look = _look(level)
        handles.append(
            Line2D(
                [],
                [],
                label=f"level {level + 1}: learned, predicted",
                color=look["color"],
                marker=look["marker"],
                markersize=2.6,
                markeredgewidth=0,
                linestyle=LINES[level],
                linewidth=0.9,
            )
        )
    return [*handles, Line2D([], [], label="predicted thresholds", color="0.6", linewidth=0.7, linestyle=(0, (1, 1.5)))]
