"""The columns of W in two dimensions: learned and predicted polygons for each probability p."""

from typing import Any

import numpy as np
from matplotlib.lines import Line2D

from figures.drawing import style
from figures.superposition.restarts import P, best_restart, over_probability

LEARNED: dict[str, Any] = {"color": style.COLOURS[0]}
PREDICTED: dict[str, Any] = {"color": style.PREDICTED}
LIMIT = 1.45  # of both axes
MOST_COLUMNS = 8
SHORT = 0.15  # features with shorter columns are not represented


@style.styled
def draw(dataset):
    """Draw two rows per regime of two dimensions, by p: the best restart and the prediction aligned to it.

    Lines connect the origin with the end of each column of W, and thin lines join neighbours; a dot at the origin marks
    features that are not represented. The circle has radius 1.
    """
    dataset = best_restart(over_probability(dataset))
    regimes = [name for name in dataset.regime.values if _is_plane(dataset.sel(regime=name))]
    places = _spread(dataset.sizes[P])
    figure, axes = style.make_grid(max(1, 2 * len(regimes)), max(3, len(places)), 0.95)
    for ax in axes.flat:
        ax.set_axis_off()
    if not regimes:
        axes[0, 0].text(0, 0.5, "no regime has two dimensions", fontsize=7)
        return figure
    for number, name in enumerate(regimes):
        rows = axes[2 * number : 2 * number + 2]
        for column, place in enumerate(places):
            cell = dataset.sel(regime=name).isel({P: place})
            _draw_columns(rows[0, column], cell.weights.values, LEARNED)
            _draw_columns(rows[1, column], cell.weights_predicted.values, PREDICTED)
            if number == 0:
                rows[0, column].set_title(f"p = {dataset[P].values[place]:.2g}", pad=2)
        for ax, word in zip(rows[:, 0], ("learned", "predicted"), strict=True):
            ax.text(-0.12, 0.5, f"{style.words_of(name)}\n{word}", transform=ax.transAxes, rotation=90,
                    ha="center", va="center", fontsize=6.5)  # fmt: skip
    _add_legend(figure)
    return figure


def _spread(n_values: int) -> np.ndarray:
    """Return evenly spread indices, at most ``MOST_COLUMNS``."""
    return np.unique(np.linspace(0, n_values - 1, min(n_values, MOST_COLUMNS)).round().astype(int))


def _is_plane(regime) -> bool:
    """Return whether W of a regime has two dimensions."""
    return int(np.isfinite(regime.weights.isel({P: 0, "feature": 0})).sum()) == 2


def _draw_columns(ax, weights: np.ndarray, look: dict[str, Any]) -> None:
    """Draw the columns of ``W``, ``Float[m, n]`` padded with NaN."""
    weights = weights[:2]
    columns = weights[:, np.isfinite(weights).all(axis=0)].T
    ax.set_aspect("equal")
    ax.set_xlim(-LIMIT, LIMIT)
    ax.set_ylim(-LIMIT, LIMIT)
    circle = np.linspace(0, 2 * np.pi, 100)
    ax.plot(np.cos(circle), np.sin(circle), color="0.8", linewidth=0.4)
    if not len(columns):
        ax.text(0, 0, "none", ha="center", va="center", fontsize=6)
        return
    lengths = np.linalg.norm(columns, axis=1)
    shown = columns[lengths > SHORT]
    shown = shown[np.argsort(np.arctan2(shown[:, 1], shown[:, 0]))]
    for end in shown:
        ax.plot([0, end[0]], [0, end[1]], linewidth=0.9, **look)
    ax.plot(*shown.T, marker="o", markersize=2.4, markeredgewidth=0, linestyle="none", **look)
    ax.plot(*np.concatenate([shown, shown[:1]]).T, linewidth=0.5, alpha=0.6, **look)
    n_dropped = int(np.sum(lengths <= SHORT))
    if n_dropped:
        ax.plot(0, 0, marker="o", markersize=3.2, markerfacecolor="white", markeredgewidth=0.6,
                markeredgecolor=look["color"])  # fmt: skip
        # Put the number where columns leave the most room.
        angles = np.arange(0, 2 * np.pi, np.pi / 8)
        nearest = [np.max(shown @ (np.cos(angle), np.sin(angle)), initial=-1.0) for angle in angles]
        free = angles[int(np.argmin(nearest))]
        ax.text(0.28 * np.cos(free), 0.28 * np.sin(free), f"{n_dropped}", fontsize=5.5, ha="center", va="center",
                color=look["color"])  # fmt: skip


def _add_legend(figure) -> None:
    """Put the legend of lines and markers below all panels."""
    dropped = {"marker": "o", "markersize": 3.2, "markerfacecolor": "white", "markeredgecolor": "0.3"}
    figure.legend(
        handles=[
            Line2D([], [], label="column of W", color="0.3", marker="o", markersize=2.4, linewidth=0.9),
            Line2D([], [], label="features not represented (number)", linestyle="none", **dropped),
            Line2D([], [], label="radius 1", color="0.7", linewidth=0.5),
        ],
        loc="outside lower center", ncols=3,
    )  # fmt: skip
