"""Self-similarity of each word against C_t, before, during and after training, by kind of word."""

from typing import Any

import numpy as np
from matplotlib.lines import Line2D

from figures.contextual_embeddings import words
from figures.drawing import style

DIAGONAL: dict[str, Any] = {"color": style.PREDICTED, "linewidth": 0.8, "zorder": 3}
DOTS: dict[str, Any] = {"linestyle": "none", "markersize": 2.6, "markeredgewidth": 0.5, "alpha": 0.75}
LIMITS = (-0.12, 1.06)


@style.styled
def draw(dataset):
    """Draw one row of three panels per regime, for the first seed."""
    dataset = words.first_cell(dataset)
    n_regimes = dataset.sizes["regime"]
    figure, axes = style.make_grid(n_regimes, 3, 2.5, sharex=True, sharey=True)
    for row, index in zip(axes, range(n_regimes), strict=True):
        regime = dataset.isel(regime=index, seed=0)
        for moment, ax in enumerate(row):
            _draw_moment(ax, regime, moment)
            ax.set_title(_title(regime, moment))
        row[0].set_ylabel("self-similarity of a word")
    for ax in axes[-1]:
        ax.set_xlabel(r"predicted, $C_t$")
    figure.legend(handles=_handles(dataset), loc="outside lower center", ncols=5)
    return figure


def draw_key(ax, dataset) -> None:
    """Draw the end of training in the first regime."""
    dataset = words.first_cell(dataset).isel(regime=[0])
    _draw_moment(ax, dataset.isel(regime=0, seed=0), 2)
    ax.set_xlabel(r"class specificity of a word, $C_t$")
    ax.set_ylabel("self-similarity of the word")
    ax.legend(handles=_handles(dataset), loc="upper left")


def _draw_moment(ax, regime, moment: int) -> None:
    """Draw all words at a moment, with the diagonal that tokens equal to class vectors lie on."""
    ax.plot(LIMITS, LIMITS, **DIAGONAL)
    predicted, learned = regime.self_similarity_predicted.values, regime.course.values[moment]
    for number, name in enumerate(words.kind_names(regime)):
        is_there = words.of_kind(regime, number) & np.isfinite(learned) & np.isfinite(predicted)
        ax.plot(predicted[is_there], learned[is_there], **words.kind_style(name), **DOTS)
    ax.set_xlim(*LIMITS)
    ax.set_ylim(*LIMITS)
    ax.set_aspect("equal")


def _title(regime, moment: int) -> str:
    step = regime.moment_step.values[moment]
    return ("before training", f"after {step:,.0f} steps", f"at the end, {step:,.0f} steps")[moment]


def _handles(dataset) -> list[Line2D]:
    names = dict.fromkeys(
        name for index in range(dataset.sizes["regime"]) for name in words.kind_names(dataset.isel(regime=index))
    )
    marks = [Line2D([], [], label=name, **words.kind_style(name), **DOTS) for name in names]
    return [Line2D([], [], label="predicted", **DIAGONAL), *marks]
