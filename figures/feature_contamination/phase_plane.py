"""The plane of core and background weights: stream lines and path of the ODE, and paths of SGD."""

from typing import Any

import numpy as np

from figures.drawing import style
from figures.feature_contamination.cells import first_cells, is_followed, title

STREAM: dict[str, Any] = {"color": "0.72", "linewidth": 0.5, "arrowsize": 0.5, "density": 0.7, "zorder": 0}
PATH: dict[str, Any] = {"color": style.PREDICTED, "linewidth": 1.0, "linestyle": (0, (4, 1.5)), "zorder": 3}
SGD: dict[str, Any] = {
    "color": style.COLOURS[0], "linewidth": 0.9, "marker": "o", "markersize": 2.0, "markeredgewidth": 0, "zorder": 2,
}  # fmt: skip
MOST_COLUMNS = 5


@style.styled
def draw(dataset):
    """Draw one panel per regime with a predicted vector field."""
    dataset = first_cells(dataset)
    names = [name for name in dataset.regime.values if np.isfinite(dataset.sel(regime=name).core_drift.values).any()]
    n_columns = max(1, min(MOST_COLUMNS, len(names)))
    n_rows = max(1, -(-len(names) // n_columns))
    figure, axes = style.make_grid(n_rows, n_columns, 1.75)
    for ax in axes.flat[len(names) :]:
        ax.set_axis_off()
    for ax, name in zip(axes.flat, names, strict=False):
        _draw_panel(ax, dataset.sel(regime=name))
        ax.set_title(title(name), pad=2)
        ax.set_xlabel("core $c$")
    for row in axes:
        row[0].set_ylabel("background $b$")
    if names:
        handles, labels = axes.flat[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=2)
    return figure


def draw_key(ax, dataset) -> None:
    """Draw the first regime with predicted curves."""
    dataset = first_cells(dataset)
    regimes = [dataset.sel(regime=name) for name in dataset.regime.values]
    _draw_panel(ax, next(regime for regime in regimes if is_followed(regime)))
    ax.set_xlabel("weight along the core, $c$")
    ax.set_ylabel("weight along the background, $b$")


def _draw_panel(ax, regime) -> None:
    core, background = regime.grid_core.values, regime.grid_background.values
    ax.streamplot(core, background, regime.core_drift.values, regime.background_drift.values, **STREAM)
    learned = {name: regime[f"history_{name}_weight"].values for name in ("core", "background")}
    for index, (c, b) in enumerate(zip(learned["core"], learned["background"], strict=True)):
        ax.plot(c, b, label="SGD, each seed" if index == 0 else None, **SGD)
    path = (regime[f"history_{name}_weight_predicted"].isel(seed=0).values for name in ("core", "background"))
    ax.plot(*path, label="ODE path", **PATH)
    end = float(core[-1])
    ax.set_xlim(0, end)
    ax.set_ylim(-0.04 * end, end)
    ax.set_aspect("equal")
