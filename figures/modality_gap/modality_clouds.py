"""The embeddings of images and texts at the start of training, when the gap is halfway, and at the end."""

from typing import Any

import numpy as np
from matplotlib.lines import Line2D

from figures.drawing import style

SIDES = (("images", 0, "o"), ("texts", 1, "^"))
DOTS: dict[str, Any] = {"linestyle": "none", "markersize": 2.8, "markeredgewidth": 0, "alpha": 0.85, "zorder": 2}
PREDICTED: dict[str, Any] = {
    "color": style.PREDICTED, "marker": "o", "markersize": 5.0, "markerfacecolor": "none", "markeredgewidth": 0.5,
    "linestyle": "none", "zorder": 1,
}  # fmt: skip
PAIR: dict[str, Any] = {"color": "0.8", "linewidth": 0.4, "zorder": 0}
MOMENTS = ("start", "halfway", "end")
SHOWN = ("learnable", "cones", "towers")
LIMIT = 1.08


@style.styled
def draw(dataset):
    """Draw one row for each of three regimes: pairs on the axes of the initial gap and of the largest spread."""
    names = [name for name in SHOWN if name in dataset.regime.values] or list(map(str, dataset.regime.values[:3]))
    figure, axes = style.make_grid(len(names), 3, 1.5, sharex=True, sharey=True)
    figure.set_figwidth(style.ONE_COLUMN + 1.2)
    for row, name in zip(axes, names, strict=True):
        regime = _first(dataset).sel(regime=name)
        for moment, ax in enumerate(row):
            _draw_moment(ax, regime, moment)
        row[0].set_ylabel(f"{style.words_of(name)}\naxis of initial gap")
    for ax, moment in zip(axes[0], MOMENTS, strict=True):
        ax.set_title(moment, pad=3)
    for ax in axes[-1]:
        ax.set_xlabel("axis of largest spread")
    figure.legend(handles=_handles(), loc="outside lower center", ncols=3)
    return figure


def draw_key(ax, dataset) -> None:
    """Draw the end of training in the first regime."""
    _draw_moment(ax, _first(dataset).isel(regime=0), 2)
    ax.set_xlabel("axis of largest spread")
    ax.set_ylabel("axis of the gap")
    ax.legend(handles=_handles()[:2], loc="upper left")


def _first(dataset):
    """Return the dataset at the first cell and seed of each regime."""
    return dataset.isel(seed=0, **dict.fromkeys([dim for dim in dataset.kind.dims if dim != "regime"], 0))


def _draw_moment(ax, regime, moment: int) -> None:
    clouds = regime.clouds.isel(moment=moment).transpose("modality", "pair", "axis").values
    clouds = clouds[:, np.isfinite(clouds).all(axis=(0, 2))]
    for pair in clouds.transpose(1, 0, 2):
        ax.plot(pair[:, 1], pair[:, 0], **PAIR)
    for cloud, (_, colour, mark) in zip(clouds, SIDES, strict=True):
        ax.plot(cloud[:, 1], cloud[:, 0], color=style.COLOURS[colour], marker=mark, **DOTS)
    predicted = regime.clouds_predicted.isel(moment=moment).values.reshape(-1, 2)
    ax.plot(predicted[:, 1], predicted[:, 0], **PREDICTED)
    ax.set_xlim(-LIMIT, LIMIT)
    ax.set_ylim(-LIMIT, LIMIT)
    ax.set_aspect("equal")


def _handles() -> list[Line2D]:
    handles = [
        Line2D([], [], label=name, color=style.COLOURS[colour], marker=mark, **DOTS) for name, colour, mark in SIDES
    ]
    return [*handles, Line2D([], [], label="predicted", **PREDICTED)]
