"""The effect of each pooling on tokens: intra-sentence similarity, anisotropy, and the cosine between classes."""

from typing import Any

import numpy as np
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from figures.drawing import style

ROWS = (
    ("intra_sentence", "intra-sentence\nsimilarity"),
    ("anisotropy", "anisotropy"),
    ("sentence_cosine", "mean cosine\nbetween classes"),
)
FREE, NETWORK = "#CDE3F2", style.COLOURS[0]
SEEDS: dict[str, Any] = {"linestyle": "none", "marker": "o", "color": "0.35", "markersize": 2.2, "markeredgewidth": 0}
PREDICTED: dict[str, Any] = {"color": style.PREDICTED, "linewidth": 1.4, "solid_capstyle": "butt"}
WIDTH = 0.66


@style.styled
def draw(dataset):
    """Draw one bar per regime, dots for its seeds, and a line where there is a prediction."""
    figure, axes = style.make_grid(len(ROWS), 1, 1.15, sharex=True)
    figure.set_figwidth(0.8 * style.TWO_COLUMNS)
    for ax, (quantity, label) in zip(axes[:, 0], ROWS, strict=True):
        _draw_bars(ax, dataset, quantity)
        ax.set_ylabel(label)
    axes[0, 0].set_ylim(0, 1.08)
    _name_regimes(axes[-1, 0], dataset)
    figure.legend(handles=_handles(), loc="outside lower center", ncols=4)
    return figure


def draw_key(ax, dataset) -> None:
    """Draw the intra-sentence similarity."""
    _draw_bars(ax, dataset, "intra_sentence")
    ax.set_ylabel("intra-sentence similarity")
    _name_regimes(ax, dataset)


def _draw_bars(ax, dataset, quantity: str) -> None:
    values = _first(dataset.learned.sel(quantity=quantity)).transpose("regime", "seed").values
    predicted = _first(dataset.predicted.sel(quantity=quantity)).values
    for place, (seeds, line) in enumerate(zip(values, predicted, strict=True)):
        is_free = str(dataset.regime.values[place]).startswith("free")
        ax.bar(place, np.mean(seeds), WIDTH, color=FREE if is_free else NETWORK, edgecolor="0.3", linewidth=0.4)
        offsets = np.linspace(-0.12, 0.12, len(seeds)) if len(seeds) > 1 else np.zeros(1)
        ax.plot(place + offsets, seeds, **SEEDS)
        if np.isfinite(line):
            ax.plot([place - 0.46, place + 0.46], [line, line], **PREDICTED)
    ax.axhline(0, color="0.3", linewidth=0.4, zorder=0)


def _first(variable):
    """Return a variable at the first value of every varied axis."""
    names = [name for name in variable.dims if name not in ("regime", "seed")]
    return variable.isel(dict.fromkeys(names, 0))


def _name_regimes(ax, dataset) -> None:
    names = [str(name).partition("-")[2].replace("-", "\n") or str(name) for name in dataset.regime.values]
    names = [name.replace("cls", "CLS").replace("rms", "RMS") for name in names]
    ax.set_xticks(np.arange(len(names)), names)


def _handles() -> list:
    return [
        Patch(facecolor=FREE, edgecolor="0.3", linewidth=0.4, label="free vector per occurrence"),
        Patch(facecolor=NETWORK, edgecolor="0.3", linewidth=0.4, label="transformer"),
        Line2D([], [], label="seeds", **SEEDS),
        Line2D([], [], label="predicted", **PREDICTED),
    ]
