"""Shares of the second moment of tokens by layer, before and after training, with the prediction."""

from typing import Any

import numpy as np
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from figures.contextual_embeddings import words
from figures.drawing import style

PARTS = ("mean", "between concepts", "between words of a concept", "context")
FACES: tuple[dict[str, Any], ...] = (
    {"facecolor": "0.25"},
    {"facecolor": style.COLOURS[0]},
    {"facecolor": style.COLOURS[1], "hatch": "////"},
    {"facecolor": "#CDE3F2"},
)
EDGE: dict[str, Any] = {"edgecolor": "white", "linewidth": 0.3}
PREDICTED: dict[str, Any] = {"color": style.PREDICTED, "linewidth": 1.4, "solid_capstyle": "butt"}
WIDTH, OVERHANG = 0.7, 0.09


@style.styled
def draw(dataset):
    """Draw stacked bars by layer before and after training, means over seeds; one row per regime."""
    dataset = words.first_cell(dataset)
    n_regimes = dataset.sizes["regime"]
    figure, axes = style.make_grid(n_regimes, 2, 2.1, sharey=True)
    figure.set_figwidth(0.75 * style.TWO_COLUMNS)
    for row, index in zip(axes, range(n_regimes), strict=True):
        regime = dataset.isel(regime=index)
        for ax, name, title in zip(row, ("initial_shares", "shares"), ("before training", "at the end"), strict=True):
            _draw_bars(ax, regime, name)
            ax.set_title(title if n_regimes == 1 else f"{style.words_of(regime.regime.values)}, {title}")
        row[0].set_ylabel("share of the second moment")
    figure.legend(handles=_handles(), loc="outside lower center", ncols=3)
    return figure


def draw_key(ax, dataset) -> None:
    """Draw the end of training in the first regime."""
    _draw_bars(ax, words.first_cell(dataset).isel(regime=0), "shares")
    ax.set_ylabel("share of the second moment")
    ax.legend(handles=_handles(), loc="lower left")


def _draw_bars(ax, regime, name: str) -> None:
    """Draw the shares of every layer as stacked bars, with lines at the predicted boundaries."""
    layers = words.layer_names(regime)
    shares = regime[name].mean("seed").transpose("layer", "share").values[: len(layers)]
    bottoms = np.zeros(len(layers))
    for part, face in enumerate(FACES):
        heights = np.maximum(shares[:, part], 0)
        ax.bar(np.arange(len(layers)), heights, WIDTH, bottoms, **face, **EDGE)
        bottoms += heights
    predicted = regime[f"{name}_predicted"].isel(seed=0).transpose("layer", "share").values[: len(layers)]
    for layer, row in enumerate(predicted):
        for height in np.cumsum(row)[:-1]:
            if np.isfinite(height):
                half = WIDTH / 2 + OVERHANG
                ax.plot([layer - half, layer + half], [height, height], **PREDICTED)
    ax.set_xticks(np.arange(len(layers)), layers)
    ax.set_ylim(0, 1)


def _handles() -> list:
    patches = [Patch(label=part, **face, **EDGE) for part, face in zip(PARTS, FACES, strict=True)]
    return [*patches, Line2D([], [], label="predicted boundaries", **PREDICTED)]
