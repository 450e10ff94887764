"""Cosines and retrieval against inverse temperature, before and after centring each modality."""

from typing import Any

import numpy as np
from matplotlib.lines import Line2D

from figures.drawing import style
from figures.modality_gap.pitchfork import LABEL, THRESHOLD

LINE: dict[str, Any] = {"color": style.PREDICTED, "linewidth": 0.9, "zorder": 1}
DOTS: dict[str, Any] = {"linestyle": "none", "markersize": 3.4, "markeredgewidth": 0.7, "zorder": 2}
OPEN: dict[str, Any] = {"markerfacecolor": "white"}
COSINES = (
    ("matched", "image and its text", 0, "o"),
    ("within", "within a modality", 6, "^"),
    ("unmatched", "image and another text", 2, "s"),
)
RETRIEVALS = (
    ("mixed_retrieval", "both modalities", 0, "o"),
    ("retrieval", "the other modality", 1, "D"),
)


@style.styled
def draw(dataset):
    """Draw cosines and retrieval of the last regime with a symmetric start, for all mismatch rates."""
    starts = dataset.cell_start.max([dim for dim in dataset.cell_start.dims if dim != "regime"]).values
    symmetric = np.flatnonzero(starts == 0)
    regime = dataset.isel(regime=int(symmetric[-1]) if len(symmetric) else 0)
    figure, axes = style.make_grid(2, 1, 1.5, sharex=True, height_ratios=[1.5, 1.0])
    figure.set_figheight(3.9)
    upper, lower = axes[:, 0]
    ratios = regime.cell_ratio.values
    limits = 0.9 * np.nanmin(ratios), 1.1 * np.nanmax(ratios)
    _draw_lines(upper, lower, regime, limits)
    for ax, names in ((upper, COSINES), (lower, RETRIEVALS)):
        ax.axvline(1.0, **THRESHOLD)
        for name, _, colour, mark in names:
            _draw_marks(ax, regime, name, {"color": style.COLOURS[colour], "marker": mark})
        name, _, colour, mark = names[0]
        _draw_marks(ax, regime, f"centred_{name}", {"color": style.COLOURS[colour], "marker": mark, **OPEN})
    lower.axvline(_mixed_ratio(regime), **THRESHOLD)
    upper.set_ylabel("cosine")
    lower.set_ylabel("retrieval from")
    lower.set_ylim(-0.08, 1.08)
    lower.set_xscale("log")
    lower.set_xlim(*limits)
    ticks = [tick for tick in (0.25, 0.5, 1, 2, 4, 8) if limits[0] <= tick <= limits[1]]
    lower.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    lower.minorticks_off()
    lower.set_xlabel(LABEL)
    style.set_titles(axes[0], [style.words_of(regime.regime.values)])
    lower.legend(handles=_handles(RETRIEVALS)[:-1], loc="center left", frameon=True, edgecolor="none", framealpha=1)
    figure.legend(handles=_handles(COSINES), loc="outside lower center", ncols=2)
    return figure


def _mixed_ratio(regime) -> float:
    """Return ``1 + N/(2(N - 1))``, the ratio above which retrieval from both modalities fails on the branch."""
    n_pairs = float(np.nanmax(regime.cell_pairs.values))
    return 1 + n_pairs / (2 * (n_pairs - 1))


def _draw_lines(upper, lower, regime, limits: tuple[float, float]) -> None:
    """Draw the predictions on the branch: cosines, and the step of retrieval from both modalities."""
    cells = regime.isel(dict.fromkeys([dim for dim in regime.cell_pairs.dims if dim != "regime"], 0))
    for name, *_ in COSINES:
        upper.plot(cells.line_ratio.values, cells[f"line_{name}"].values, **LINE)
    edge = _mixed_ratio(regime)
    lower.plot([limits[0], edge, edge, limits[1]], [1, 1, 0, 0], **LINE)
    for ax in (upper, lower):
        ax.plot(limits, [1, 1], **LINE)


def _draw_marks(ax, regime, name: str, look: dict[str, Any]) -> None:
    """Draw the learned values of every member."""
    learned = regime.learned.sel(quantity=name)
    ax.plot(regime.cell_ratio.broadcast_like(learned).values.ravel(), learned.values.ravel(), **DOTS | look)


def _handles(names) -> list[Line2D]:
    handles = [
        Line2D([], [], label=label, color=style.COLOURS[colour], marker=mark, **DOTS)
        for _, label, colour, mark in names
    ]
    _, label, colour, mark = names[0]
    look = DOTS | OPEN | {"color": style.COLOURS[colour], "marker": mark}
    handles.insert(1, Line2D([], [], label=f"{label}, centred", **look))
    return [*handles, Line2D([], [], label="predicted", **LINE)]
