"""The gap before training: random towers of several depths, with the prediction for infinite width."""

from typing import Any

import numpy as np
from matplotlib.lines import Line2D

from figures.drawing import style

LINE: dict[str, Any] = {"color": style.PREDICTED, "linewidth": 0.9, "zorder": 1}
LIMIT: dict[str, Any] = {"color": "0.6", "linewidth": 0.7, "linestyle": (0, (1.0, 1.5)), "zorder": 0}
DOTS: dict[str, Any] = {"color": style.COLOURS[0], "marker": "o", "linestyle": "none", "markersize": 3.4,
                        "markerfacecolor": "white", "markeredgewidth": 0.8, "zorder": 2}  # fmt: skip


@style.styled
def draw(dataset):
    """Draw the gap of every depth and seed, with the prediction."""
    figure, axes = style.make_grid(1, 1, 2.3)
    draw_key(axes[0, 0], dataset)
    axes[0, 0].legend(handles=_handles(), loc="lower right")
    return figure


def draw_key(ax, dataset) -> None:
    """Draw the gap against depth."""
    ax.axhline(np.sqrt(2), **LIMIT)
    ax.plot(dataset.line_depth.values, dataset.tower_gap_predicted.values, **LINE)
    for depth, gaps in zip(
        dataset.tower_depth.values, dataset.tower_gap.transpose("tower", "seed").values, strict=True
    ):
        ax.plot(np.full(len(gaps), depth), gaps, **DOTS)
    ax.set_ylim(0, 1.52)
    ax.set_xlabel("hidden layers of a random tower")
    ax.set_ylabel("gap before training")


def _handles() -> list[Line2D]:
    return [
        Line2D([], [], label="measured, each seed", **DOTS),
        Line2D([], [], label="predicted, infinite width", **LINE),
        Line2D([], [], label=r"$\sqrt{2}$: two orthogonal points", **LIMIT),
    ]
