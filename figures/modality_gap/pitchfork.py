"""The gap against inverse temperature in units of its threshold: predicted branch and learned gaps by start."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from matplotlib.lines import Line2D

from figures.drawing import style

BRANCH: dict[str, Any] = {"color": style.PREDICTED, "linewidth": 1.1, "zorder": 1}
THRESHOLD: dict[str, Any] = {"color": "0.6", "linewidth": 0.7, "linestyle": (0, (1.0, 1.5)), "zorder": 0}
BELOW: dict[str, Any] = {"color": "0.9", "zorder": 0}
DOTS: dict[str, Any] = {"linestyle": "none", "markersize": 3.4, "markeredgewidth": 0.7, "zorder": 2}
LABEL = r"inverse temperature / threshold, $\beta/z^*$"
LEAST = 1e-13  # smaller differences of the loss are rounding
SIZES = (6.4, 4.4, 2.4)  # of markers of symmetric starts, which overlap


@style.styled
def draw(dataset):
    """Draw the gap of every member, and in an inset its loss above the minimum."""
    figure, axes = style.make_grid(1, 1, 3.3)
    ax = axes[0, 0]
    _draw_gaps(ax, dataset)
    inset = ax.inset_axes((0.12, 0.59, 0.33, 0.3))
    _draw_losses(inset, dataset)
    ax.set_xlabel(LABEL)
    ax.set_ylabel("gap between images and texts")
    figure.legend(handles=_handles(dataset), loc="outside lower center", ncols=2)
    return figure


def draw_key(ax, dataset) -> None:
    """Draw the gaps without the inset."""
    _draw_gaps(ax, dataset)
    ax.set_xlabel(r"$\beta/z^*$")
    ax.set_ylabel("gap")
    ax.legend(handles=_handles(dataset)[:1], loc="upper left")


def _draw_gaps(ax, dataset) -> None:
    inside = dataset.line_ratio.values <= _rightmost(dataset)
    line, branch = dataset.line_ratio.values[inside], dataset.branch.values[inside]
    ax.fill_between(line, 0, branch, linewidth=0, **BELOW)
    ax.plot(line, branch, **BRANCH)
    ax.axvline(1.0, ymax=0.5, **THRESHOLD)  # below the inset
    for regime, look in _regimes(dataset):
        ax.plot(*_points(regime, "gap"), **look)
    _set_abscissa(ax, dataset)
    ax.set_ylim(-0.06, 2.05)


def _draw_losses(ax, dataset) -> None:
    """Draw the loss above its minimum, with values below rounding on the lowest line."""
    ax.axvline(1.0, **THRESHOLD)
    for regime, look in _regimes(dataset):
        ratios, losses = _points(regime, "loss")
        _, least = _points(regime, "loss", "predicted")
        size = 0.6 * look["markersize"]
        ax.plot(ratios, np.maximum(np.abs(losses - least), LEAST), **look | {"markersize": size})
    ax.set_yscale("log")
    ax.set_ylim(LEAST / 3, 3e-5)
    ax.set_yticks([1e-12, 1e-9, 1e-6])
    _set_abscissa(ax, dataset)
    ax.set_title("loss above its minimum (nats)", fontsize=6, pad=3)
    ax.tick_params(labelsize=5)


def _set_abscissa(ax, dataset) -> None:
    ax.set_xscale("log")
    ratios = np.unique(dataset.cell_ratio.values[np.isfinite(dataset.cell_ratio.values)])
    low = min([0.9, *ratios[ratios > 0]])
    ax.set_xlim(low / 1.12, _rightmost(dataset))
    ticks = [tick for tick in (0.25, 0.5, 1, 2, 4, 8) if low / 1.12 <= tick <= _rightmost(dataset)]
    ax.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    ax.minorticks_off()


def _rightmost(dataset) -> float:
    return min(1.15 * max(1.5, float(np.nanmax(dataset.cell_ratio.values))), float(dataset.line_ratio.values[-1]))


def _points(regime, quantity: str, which: str = "learned") -> tuple[np.ndarray, np.ndarray]:
    """Return ``beta/z*`` and a quantity of every member of a regime, flattened."""
    learned = regime.learned.sel(quantity=quantity)
    values = learned if which == "learned" else regime.predicted.sel(quantity=quantity).broadcast_like(learned)
    return regime.cell_ratio.broadcast_like(learned).values.ravel(), values.values.ravel()


def _regimes(dataset) -> Iterator[tuple[Any, dict[str, Any]]]:
    """Yield the regimes and their styles, with open markers for asymmetric starts."""
    n_symmetric = 0
    for index in range(dataset.sizes["regime"]):
        regime = dataset.isel(regime=index)
        is_symmetric = np.nanmax(regime.cell_start.values) == 0
        look = {"color": style.COLOURS[index % 8], "marker": style.MARKS[index % 7]}
        if is_symmetric:
            look |= {"markersize": SIZES[n_symmetric % len(SIZES)], "markeredgewidth": 0}
            n_symmetric += 1
        else:
            look["markerfacecolor"] = "white"
        yield regime, DOTS | look


def _handles(dataset) -> list[Line2D]:
    handles = [Line2D([], [], label=r"predicted largest gap, $2\sqrt{1 - z^*/\beta}$", **BRANCH)]
    return handles + [
        Line2D([], [], label=style.words_of(regime.regime.values), **look) for regime, look in _regimes(dataset)
    ]
