"""Loss and margin over time, in and out of distribution: learned (markers) and from the ODE (lines)."""

from typing import Any

import numpy as np

from figures.drawing import style
from figures.drawing.seeds import mean_and_error
from figures.feature_contamination.cells import first_cells, is_followed, natural_time, title

ROWS = {"loss": "loss", "margin": "mean margin"}
PLACES = (
    ("", style.COLOURS[0], "o", "-", "in distribution"),
    ("ood_", style.COLOURS[1], "^", (0, (4, 1.5)), "out of distribution"),
)
MARK: dict[str, Any] = {"linestyle": "none", "markersize": 2.6, "markeredgewidth": 0, "elinewidth": 0.7, "zorder": 2}
MOST_MARKS = 14


@style.styled
def draw(dataset):
    """Draw one column per regime with predicted curves: losses above, margins below."""
    dataset = first_cells(dataset)
    names = [name for name in dataset.regime.values if is_followed(dataset.sel(regime=name))]
    figure, axes = style.make_grid(len(ROWS), max(1, len(names)), 1.35, sharex="col")
    figure.set_figwidth(style.TWO_COLUMNS if len(names) > 2 else style.ONE_COLUMN)
    for column, name in enumerate(names):
        time = natural_time(dataset, name)
        for ax, quantity in zip(axes[:, column], ROWS, strict=True):
            _draw_panel(ax, dataset.sel(regime=name), time, quantity)
        axes[0, column].set_title(title(name), pad=2)
        axes[-1, column].set_xlabel(r"time $\tau$")
    for ax, label in zip(axes[:, 0], ROWS.values(), strict=True):
        ax.set_ylabel(label)
    figure.align_ylabels(axes[:, 0])
    if names:
        handles, labels = axes[0, 0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=4)
    return figure


def draw_key(ax, dataset) -> None:
    """Draw the losses of the first regime with predicted curves."""
    dataset = first_cells(dataset)
    name = next(name for name in dataset.regime.values if is_followed(dataset.sel(regime=name)))
    _draw_panel(ax, dataset.sel(regime=name), natural_time(dataset, name), "loss")
    ax.set_xlabel(r"time $\tau = \mu_c^2 d_c$ rate steps$/m$")
    ax.set_ylabel(f"loss ({title(name)})")
    ax.legend(loc="upper right")


def _draw_panel(ax, regime, time: np.ndarray, quantity: str) -> None:
    """Draw one quantity in and out of distribution."""
    step = max(1, -(-len(time) // MOST_MARKS))
    for prefix, colour, mark, line, label in PLACES:
        learned = regime[f"history_{prefix}{quantity}"]
        mean, error = mean_and_error(learned)
        predicted = regime[f"history_{prefix}{quantity}_predicted"].isel(seed=0).values
        ax.plot(time, predicted, color=style.PREDICTED, linewidth=0.8, linestyle=line, label=f"ODE, {label}", zorder=1)
        chosen = slice(None, None, step)
        ax.errorbar(
            time[chosen], mean[chosen], yerr=error[chosen], color=colour, marker=mark, label=f"learned, {label}", **MARK
        )
    ax.set_ylim(bottom=0)
    ax.set_xlim(left=0)
