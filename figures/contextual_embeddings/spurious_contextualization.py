"""Change of adjusted self-similarity in contrastive training, by kind of word, with predicted end points."""

from typing import Any

import numpy as np
from matplotlib.lines import Line2D

from figures.contextual_embeddings import words
from figures.drawing import style

ARROW: dict[str, Any] = {"arrowstyle": "-|>", "linewidth": 1.0, "shrinkA": 0, "shrinkB": 0, "mutation_scale": 6}
PREDICTED: dict[str, Any] = {"color": style.PREDICTED, "linewidth": 1.4, "solid_capstyle": "butt"}
START: dict[str, Any] = {"linestyle": "none", "marker": "o", "markersize": 3.0, "markerfacecolor": "white"}
SPREAD = 0.16  # horizontal offset of the outermost seeds


@style.styled
def draw(dataset):
    """Draw one panel per regime: an arrow for each kind and seed, and a line at its predicted end."""
    dataset = words.first_cell(dataset)
    figure, axes = style.make_grid(1, dataset.sizes["regime"], 2.5, sharey=True)
    figure.set_figwidth(0.85 * style.TWO_COLUMNS)
    for index, ax in enumerate(axes[0]):
        _draw_panel(ax, dataset.isel(regime=index))
    style.set_titles(axes[0], [style.words_of(name) for name in dataset.regime.values])
    axes[0, 0].set_ylabel("adjusted self-similarity")
    figure.legend(handles=_handles(), loc="outside lower center", ncols=3)
    return figure


def draw_key(ax, dataset) -> None:
    """Draw the panel of the first regime."""
    _draw_panel(ax, words.first_cell(dataset).isel(regime=0))
    ax.set_ylabel("adjusted self-similarity")
    ax.legend(handles=_handles(), loc="upper right")


def _draw_panel(ax, regime) -> None:
    names = words.kind_names(regime)
    before, change, expected = (
        regime[name].transpose("seed", "kind_of_word").values
        for name in ("kind_before", "kind_change", "kind_change_predicted")
    )
    offsets = np.linspace(-SPREAD, SPREAD, len(before)) if len(before) > 1 else [0.0]
    for kind, name in enumerate(names):
        colour = words.kind_style(name)["color"]
        for seed, offset in enumerate(offsets):
            start, place = before[seed, kind], kind + offset
            end = start + change[seed, kind]
            ax.annotate("", (place, end), (place, start), arrowprops=ARROW | {"color": colour})
            ax.plot(place, start, color=colour, **START)
            tip = start + expected[seed, kind]
            ax.plot([place - 0.07, place + 0.07], [tip, tip], **PREDICTED)
    ax.axhline(0, color="0.6", linewidth=0.5, zorder=0)
    ax.set_xticks(range(len(names)), [name.replace(" ", "\n", 1) for name in names])
    ax.set_xlim(-0.5, len(names) - 0.5)
    ax.set_ylim(-0.08, 1.08)


def _handles() -> list[Line2D]:
    return [
        Line2D([], [], color="0.3", label="after masked pre-training", **START),
        Line2D([], [], color="0.3", linestyle="none", marker="^", markersize=4, label="after contrastive training"),
        Line2D([], [], label="predicted", **PREDICTED),
    ]
