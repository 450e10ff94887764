"""Variance against norm of the mean of each word, by layer, with the line of the formula."""

from typing import Any

import numpy as np
from matplotlib.lines import Line2D

from figures.drawing import style

FORMULA: dict[str, Any] = {"color": style.PREDICTED, "linewidth": 1.0}
WORDS: dict[str, Any] = {"linestyle": "none", "markersize": 2.6, "markeredgewidth": 0.5, "markerfacecolor": "none"}
STAGES = ("before training", "after training")


@style.styled
def draw(dataset):
    """Draw one column per regime, before and after training, at the first seed and first value of varied axes."""
    names = [name for name in dataset.mean_share.dims if name not in ("regime", "stage", "layer")]
    run = dataset.isel(dict.fromkeys(names, 0))
    figure, axes = style.make_grid(2, run.sizes["regime"], 1.6)
    for stage in range(2):
        for index, ax in enumerate(axes[stage]):
            _draw_panel(ax, run.isel(regime=index, stage=stage))
        axes[stage, 0].set_ylabel(f"V/d of a word,\n{STAGES[stage]}")
    for ax in axes[-1]:
        ax.set_xlabel("M/d of a word")
    style.set_regime_titles(axes[0], run)
    figure.legend(handles=_handles(run.sizes["layer"]), loc="outside lower center", ncols=4)
    return figure


def _draw_panel(ax, part) -> None:
    """Draw the words of each layer, and the line of slope ``r s - 1`` through their mean."""
    part = part.transpose("layer", "word", ...)
    for layer in range(part.sizes["layer"]):
        norm, variance = part.token_mean_square.values[layer], part.token_variance.values[layer]
        is_there = np.isfinite(norm) & np.isfinite(variance)
        norm, variance, slope = norm[is_there], variance[is_there], float(part.slope_predicted[layer])
        ax.plot(norm, variance, zorder=2, **style.concept_style(layer) | WORDS)
        if len(norm) and np.isfinite(slope):
            ends = np.array([norm.min(), norm.max()])
            ax.plot(ends, variance.mean() + slope * (ends - norm.mean()), zorder=1, **FORMULA)
    ax.set_xlim(0, None)
    ax.set_ylim(0, None)


def _handles(n_layers: int) -> list[Line2D]:
    names = ["embeddings", *(f"block {number}" for number in range(1, n_layers))]
    handles = []
    for index, name in enumerate(names):
        look: dict[str, Any] = style.concept_style(index) | WORDS
        handles.append(Line2D([], [], label=name, **look))
    return [*handles, Line2D([], [], label="slope r s - 1", **FORMULA)]
