"""The learned kernel against pointwise mutual information, entry by entry."""

from typing import Any

import numpy as np
from matplotlib.lines import Line2D

from figures.drawing import style

DIAGONAL: dict[str, Any] = {"color": "0.6", "linewidth": 0.8, "zorder": 0}
PREDICTED: dict[str, Any] = {
    "color": style.PREDICTED, "marker": "+", "linestyle": "none", "markersize": 4.5, "markeredgewidth": 0.6, "zorder": 3
}  # fmt: skip
DOTS: dict[str, Any] = {"linestyle": "none", "markersize": 3.4, "markeredgewidth": 0, "zorder": 2}
MOST_COLUMNS, MOST_VIEWS = 4, 2


@style.styled
def draw(dataset):
    """Draw one panel per regime: learned entries as dots, predicted ones as crosses, PMI as the diagonal.

    The first and third value of blocks are drawn, at the first seed and the first value of other axes.
    """
    n_regimes = dataset.sizes["regime"]
    figure, axes = style.make_panels(n_regimes, MOST_COLUMNS, 1.7)
    n_columns = axes.shape[1]
    for index, ax in enumerate(axes.flat[:n_regimes]):
        _draw_panel(ax, dataset.isel(regime=index))
        if index + n_columns >= n_regimes:
            ax.set_xlabel("centred PMI (nats)")
        if index % n_columns == 0:
            ax.set_ylabel("centred kernel (nats)")
    style.set_regime_titles(axes.flat[:n_regimes], dataset)
    figure.legend(handles=_handles(dataset), loc="outside lower center", ncols=4)
    return figure


def draw_key(ax, dataset) -> None:
    """Draw the panel of the first regime."""
    _draw_panel(ax, dataset.isel(regime=0))
    ax.set_xlabel("centred PMI (nats)")
    ax.set_ylabel("learned kernel (nats)")


def _views(regime):
    """Return the cells to draw: two values of blocks, at the first value of other axes."""
    others = [name for name in regime.cell_blocks.dims if name != "blocks"]
    regime = regime.isel(dict.fromkeys(others, 0))
    axes = list(regime.cell_blocks.dims)
    cells = [dict(zip(axes, index, strict=True)) for index in np.ndindex(*(regime.sizes[name] for name in axes))]
    chosen = [cells[place] for place in (0, 2)[:MOST_VIEWS] if place < len(cells)]
    return [regime.isel(cell) for cell in chosen]


def _draw_panel(ax, regime) -> None:
    ends = []
    for number, view in enumerate(_views(regime)):
        first = view.isel(seed=0)
        pmi, learned, predicted = (
            array.transpose("event", "partner").values.ravel()
            for array in (first.pmi, first.kernel, first.kernel_predicted)
        )
        ax.plot(pmi, learned, **_look(number))
        ax.plot(pmi, predicted, **PREDICTED)
        ends += [np.nanmin(pmi), np.nanmax(pmi)]
    ax.axline((0, 0), slope=1, **DIAGONAL)
    margin = 0.08 * (max(ends) - min(ends) or 1.0)
    ax.set_xlim(min(ends) - margin, max(ends) + margin)


def _look(number: int) -> dict[str, Any]:
    return style.concept_style(number) | DOTS


def _handles(dataset) -> list[Line2D]:
    views = _views(dataset.isel(regime=0))
    blocks = [f"learned, B = {int(view.cell_blocks.values)}" for view in views]
    return [
        *(Line2D([], [], label=label, **_look(number)) for number, label in enumerate(blocks)),
        Line2D([], [], label="predicted", **PREDICTED),
        Line2D([], [], label="PMI", **DIAGONAL),
    ]
