"""The effect of centring each modality: the cosine of pairs, and retrieval from both modalities, by regime."""

from typing import Any

import numpy as np
from matplotlib.lines import Line2D

from figures.drawing import style

PANELS = (("matched", "cosine between an image and its text"), ("mixed_retrieval", "retrieval from both modalities"))
BEFORE: dict[str, Any] = {"color": style.COLOURS[0], "marker": "o", "linestyle": "none", "markersize": 3.6,
                          "markeredgewidth": 0.8, "zorder": 3}  # fmt: skip
AFTER: dict[str, Any] = BEFORE | {"color": style.COLOURS[6], "marker": "^", "markerfacecolor": "white"}
PREDICTED: dict[str, Any] = {"color": style.PREDICTED, "marker": "|", "markersize": 9.0, "linestyle": "none",
                             "zorder": 2}  # fmt: skip
LINK: dict[str, Any] = {"color": "0.8", "linewidth": 0.8, "zorder": 1}


@style.styled
def draw(dataset):
    """Draw one line per regime: means over seeds before and after centring, with the predictions."""
    dataset = dataset.isel(dict.fromkeys([dim for dim in dataset.kind.dims if dim != "regime"], 0))
    names = list(dataset.regime.values)
    figure, axes = style.make_grid(1, 2, 0.8 + 0.24 * len(names), sharey=True)
    figure.set_figwidth(style.TWO_COLUMNS * 0.75)
    places = np.arange(len(names))[::-1]
    for ax, (name, label) in zip(axes[0], PANELS, strict=True):
        learned = [dataset.learned.sel(quantity=key).mean("seed").values for key in (name, f"centred_{name}")]
        for place, ends in zip(places, zip(*learned, strict=True), strict=True):
            ax.plot(ends, [place, place], **LINK)
        for values, key, look in zip(learned, (name, f"centred_{name}"), (BEFORE, AFTER), strict=True):
            ax.plot(dataset.predicted.sel(quantity=key).values, places, **PREDICTED)
            ax.plot(values, places, **look)
        ax.set_xlabel(label)
        ax.set_xlim(-0.08 if name == "mixed_retrieval" else None, 1.08)
    axes[0, 0].set_yticks(places, [style.words_of(name) for name in names])
    axes[0, 0].set_ylim(-0.6, len(names) - 0.4)
    figure.legend(handles=_handles(), loc="outside lower center", ncols=3)
    return figure


def _handles() -> list[Line2D]:
    return [
        Line2D([], [], label="as trained", **BEFORE),
        Line2D([], [], label="each modality centred", **AFTER),
        Line2D([], [], label="predicted", **PREDICTED),
    ]
