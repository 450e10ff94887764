"""Sums of core and background weights of each neuron, learned and from the ODE with the same initial weights."""

from typing import Any

import numpy as np

from figures.drawing import style
from figures.feature_contamination.cells import first_cells

PANELS = {
    "core_sums": ("core_r2", "core sum $S_c$"),
    "background_sums": ("background_r2", "background sum $S_b$"),
}
SIGNS = ((1, style.COLOURS[0], "o", "$a_k > 0$"), (-1, style.COLOURS[1], "^", "$a_k < 0$"))
DOT: dict[str, Any] = {"linestyle": "none", "markersize": 2.4, "markeredgewidth": 0, "alpha": 0.7}


@style.styled
def draw(dataset):
    """Draw learned against predicted sums of all neurons and seeds, in regimes that predict single neurons."""
    dataset = first_cells(dataset)
    followed = dataset.learned.sel(quantity="core_r2").notnull().any("seed").values
    regimes = dataset.isel(regime=followed)
    if not followed.any():
        figure, axes = style.make_grid(1, 1, 0.8)
        axes[0, 0].set_axis_off()
        axes[0, 0].text(0.5, 0.5, "no regime predicts single neurons", ha="center")
        return figure
    figure, axes = style.make_grid(regimes.sizes["regime"], 2, 1.9)
    for row, name in zip(axes, regimes.regime.values, strict=True):
        for ax, (array, (r2, label)) in zip(row, PANELS.items(), strict=True):
            _draw_panel(ax, regimes.sel(regime=name), array, r2)
            ax.set_xlabel(f"{label},\npredicted")
        row[0].set_ylabel("learned")
    handles, labels = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3)
    return figure


def _draw_panel(ax, regime, array: str, r2: str) -> None:
    """Draw the neurons of a regime, with different markers for the two output signs."""
    learned, predicted = regime[array].values, regime[f"{array}_predicted"].values
    half = learned.shape[-1] // 2
    ends = [np.nanmin(predicted), np.nanmax(predicted)]
    ax.plot(ends, ends, color=style.PREDICTED, linewidth=0.8, label="ODE", zorder=1)
    for sign, colour, mark, label in SIGNS:
        part = slice(half) if sign > 0 else slice(half, None)
        ax.plot(predicted[..., part].ravel(), learned[..., part].ravel(), color=colour, marker=mark, label=label, **DOT)
    value = float(regime.learned.sel(quantity=r2).mean())
    ax.text(0.04, 0.96, f"$R^2$ of growth = {value:.5f}", transform=ax.transAxes, va="top", fontsize=6)
