"""The relative error of a variance in float32 against M/V, for five ways to compute it."""

from typing import Any

import numpy as np
from matplotlib.lines import Line2D

from figures.drawing import style

ROUNDED: dict[str, Any] = {"color": style.PREDICTED, "linewidth": 0.9, "linestyle": (0, (3, 1.5))}
LOWEST = 1e-12  # smaller errors are drawn here


@style.styled
def draw(dataset):
    """Draw the median error over seeds, and the rounding of Q as a dashed line."""
    figure, axes = style.make_grid(1, 1, 2.6)
    figure.set_figwidth(style.ONE_COLUMN)
    draw_key(axes[0, 0], dataset)
    return figure


def draw_key(ax, dataset) -> None:
    """Draw the panel on the given axes."""
    run = dataset.isel({name: 0 for name in dataset.learned.dims if name not in ("mean_ratio", "seed", "quantity")})
    run = (
        run.transpose("mean_ratio", "seed", "quantity", ...)
        if "mean_ratio" in run.dims
        else run.expand_dims("mean_ratio")
    )
    ratios = run.mean_ratio.values.astype(float)
    errors = np.maximum(np.median(run.learned.values, axis=1), LOWEST)
    for index, label in enumerate(map(str, run.label.values)):
        look: dict[str, Any] = style.concept_style(index)
        if index:
            look |= {"markerfacecolor": "white"}
        ax.plot(ratios, errors[:, index], markersize=3.5, linewidth=0.9, label=label.partition(":")[0], **look)
    ax.plot(ratios, run.predicted.sel(quantity="difference").values, **ROUNDED)
    ax.set(xscale="log", yscale="log", xlabel="M/V", ylabel="relative error of V")
    handles = [*ax.get_legend_handles_labels()[0], Line2D([], [], label="one rounding of Q", **ROUNDED)]
    ax.legend(handles=handles, loc="upper left")
