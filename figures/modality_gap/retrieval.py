"""Cosines and retrieval over the inverse temperature, before and after each modality is centred."""

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
    ("mixed_retrieval", "from both modalities", 0, "o"),
    ("retrieval", "from the other modality", 1, "D"),
)


@style.styled
def draw(dataset):
    """Draw cosines above and retrieval below, of the last regime with a symmetric start; every mismatch rate."""
    starts = dataset.cell_start.max([dim for dim in dataset.cell_start.dims if dim != "regime"]).values
    symmetric = np.flatnonzero(starts == 0)
    regime = dataset.isel(regime=int(symmetric[-1]) if len(symmetric) else 0)
    figure, axes = style.make_grid(2, 1, 1.5, sharex=True, height_ratios=[1.5, 1.0])
    figure.set_figheight(3.9)
    for ax, names in zip(axes[:, 0], (COSINES, RETRIEVALS), strict=True):
        ax.axvline(1.0, **THRESHOLD)
        for name, _, colour, mark in names:
            _draw_quantity(ax, regime, name, {"color": style.COLOURS[colour], "marker": mark})
        centred = f"centred_{names[0][0]}"
        _draw_quantity(ax, regime, centred, {"color": style.COLOURS[names[0][2]], "marker": names[0][3], **OPEN})
    axes[1, 0].axvline(_mixed_ratio(regime), **THRESHOLD)
    axes[0, 0].set_ylabel("cosine")
    axes[1, 0].set_ylabel("retrieval of the pair")
    axes[1, 0].set_ylim(-0.08, 1.08)
    axes[1, 0].set_xscale("log")
    ticks = [tick for tick in (0.5, 1, 2, 4) if tick >= 0.9 * np.nanmin(regime.cell_ratio.values)]
    axes[1, 0].set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axes[1, 0].minorticks_off()
    axes[1, 0].set_xlabel(LABEL)
    style.set_titles(axes[0], [style.words_of(regime.regime.values)])
    figure.legend(handles=_handles(), loc="outside lower center", ncols=2)
    return figure


def _mixed_ratio(regime) -> float:
    """Return ``1 + N/(2(N - 1))``, from which retrieval from both modalities fails on the branch."""
    n_pairs = float(np.nanmax(regime.cell_pairs.values))
    return 1 + n_pairs / (2 * (n_pairs - 1))


def _draw_quantity(ax, regime, name: str, look: dict[str, Any]) -> None:
    """Draw learned values as marks and predicted ones as a line from cell to cell; steps for shares."""
    learned = regime.learned.sel(quantity=name)
    ratios = regime.cell_ratio.broadcast_like(learned).values.ravel()
    predicted = regime.predicted.sel(quantity=name).broadcast_like(learned).values.ravel()
    order = np.argsort(ratios, kind="stable")
    if name != "mixed_retrieval":
        ax.plot(ratios[order], predicted[order], **LINE)
    else:
        edge = _mixed_ratio(regime)
        ax.plot([ratios.min(), edge, edge, ratios.max()], [1, 1, 0, 0], **LINE)
    ax.plot(ratios, learned.values.ravel(), **DOTS | look)


def _handles() -> list[Line2D]:
    handles = [
        Line2D([], [], label=label, color=style.COLOURS[colour], marker=mark, **DOTS)
        for _, label, colour, mark in (*COSINES, RETRIEVALS[1])
    ]
    label = f"{COSINES[0][1]}; {RETRIEVALS[0][1]}"
    handles[0].set_label(label)
    handles.insert(
        1, Line2D([], [], label="the same after centring", color=style.COLOURS[0], marker="o", **DOTS | OPEN)
    )
    return [*handles, Line2D([], [], label="predicted", **LINE)]
