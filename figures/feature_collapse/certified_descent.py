"""Excess of the risk over its certified lower bound: over training by initial scale, and at the end by batch size."""

from typing import Any

import numpy as np
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator, NullFormatter

from figures.drawing import scales, style
from figures.drawing.seeds import mean_and_error
from figures.sweeps.arrangement import is_numeric
from figures.sweeps.axes import keep_axes

AXES = ("initial_scale", "batch_size")
PROVED = {"color": style.PREDICTED, "linewidth": 0.8, "linestyle": (0, (4, 1.5)), "zorder": 1}
LEAST = 1e-9  # share of the risk; float32 rounding of the weights costs less


@style.styled
def draw(dataset):
    """Draw one column per regime: the excess over training with one line per seed, and the final excess by batch size.

    In the lower row filled markers are the excess over the best lower bound proved on the training set, open ones over
    the bound that each network proves itself: means over seeds with standard errors. The bound is proved to be tight
    up to the dashed line.
    """
    dataset = _arrange(dataset)
    n_regimes = dataset.sizes["regime"]
    middle = dataset.sizes["batch_size"] // 2
    figure, axes = style.make_grid(2, n_regimes, 1.7, sharey=True)
    for column, (above, below) in enumerate(axes.T):
        regime = dataset.isel(regime=column)
        _draw_training(above, regime.isel(batch_size=middle))
        _draw_ends(below, regime)
    size = dataset.batch_size.values[middle]
    axes[0, 0].set_ylabel(f"relative excess risk\n(batch size {size})")
    axes[1, 0].set_ylabel("relative excess risk\n(end of training)")
    for ax in axes[:, 0]:
        ax.yaxis.set_major_locator(LogLocator(numticks=7))
        ax.yaxis.set_minor_formatter(NullFormatter())
    names = [style.words_of(name) for name in dataset.regime.values]
    style.set_titles(axes[0], names)
    figure.align_ylabels(axes[:, 0])
    _add_legend(figure, dataset)
    figure.set_figheight(figure.get_figheight() + 0.3)
    return figure


def draw_key(ax, dataset) -> None:
    """Draw the excess of the first regime over training at the largest batch size, one line per seed."""
    dataset = _arrange(dataset)
    _draw_training(ax, dataset.isel(regime=0, batch_size=-1))
    ax.yaxis.set_minor_formatter(NullFormatter())
    ax.set_ylim(top=20 * ax.get_ylim()[1])  # room for the legend in a low panel
    ax.set_ylabel("relative excess risk")
    ax.legend(handles=_scale_handles(dataset), ncols=2, loc="upper right")


def _arrange(dataset):
    """Return the dataset with the axes of the figure, numeric ones sorted."""
    dataset = keep_axes(dataset, AXES)
    return dataset.sortby([name for name in AXES if is_numeric(dataset[name])])


def _draw_training(ax, regime) -> None:
    """Draw the excess at each record after the first, for each initial scale."""
    steps = regime.step.values
    for index in range(regime.sizes["initial_scale"]):
        look = _look(index)
        for seed in range(regime.sizes["seed"]):
            values = regime.history_excess.isel(initial_scale=index, seed=seed).values
            ax.plot(steps[1:], np.maximum(values[1:], LEAST), linewidth=0.8, color=look["color"], zorder=2)
            last = np.flatnonzero(np.isfinite(values))[-1:]
            ax.plot(steps[last], np.maximum(values[last], LEAST), markersize=3, markeredgewidth=0, **look)
    _draw_proved(ax, regime)
    scales.set_log_steps(ax)
    ax.set_yscale("log")


def _draw_ends(ax, regime) -> None:
    """Draw the final excess by batch size: filled over the best bound, open over the network's own bound."""
    n_scales = regime.sizes["initial_scale"]
    for index in range(n_scales):
        aside = np.arange(regime.sizes["batch_size"]) + 0.15 * (index - (n_scales - 1) / 2)
        for name, filled in (("excess", True), ("relative_gap", False)):
            mean, error = mean_and_error(regime[name].isel(initial_scale=index))
            look = _mark(index, filled=filled)
            ax.errorbar(aside, np.maximum(mean, LEAST), error, elinewidth=0.7, linestyle="none", zorder=3, **look)
    _draw_proved(ax, regime)
    ax.set_yscale("log")
    scales.set_names(ax, [str(size) for size in regime.batch_size.values])
    ax.set_xlabel("batch size (sentences)")


def _draw_proved(ax, regime) -> None:
    """Draw the mean excess over seeds of the network that proves the bound, below which tightness is not proved."""
    excesses = regime.descended_excess.values
    if np.isfinite(excesses).any():
        ax.axhline(max(float(np.nanmean(excesses)), LEAST), **PROVED)


def _look(index: int) -> dict[str, Any]:
    return style.concept_style(index)


def _mark(index: int, *, filled: bool) -> dict[str, Any]:
    """Return the marker style of an initial scale, filled or open."""
    return _look(index) | {
        "markersize": 3.2,
        "markeredgewidth": 0 if filled else 0.6,
        "markerfacecolor": None if filled else "none",
    }


def _scale_handles(dataset) -> list[Line2D]:
    """Return a legend entry for each initial scale."""
    return [
        Line2D([], [], label=f"initial scale {scale:g}", linewidth=0.8, **_mark(index, filled=True))
        for index, scale in enumerate(dataset.initial_scale.values)
    ]


def _add_legend(figure, dataset) -> None:
    """Put one legend below all panels."""
    grey = {"color": "0.4", "linestyle": "none", "marker": "o", "markersize": 3.2}
    handles = [
        *_scale_handles(dataset),
        Line2D([], [], label="excess over the best proved bound", markeredgewidth=0, **grey),
        Line2D(
            [],
            [],
            label="excess over the network's own bound",
            markeredgewidth=0.6,
            markerfacecolor="none",
            **grey,
        ),
        Line2D([], [], label="best bound proved tight up to here", **PROVED),
    ]
    figure.legend(
        handles=handles, loc="outside lower center", ncols=3 if figure.get_figwidth() > style.ONE_COLUMN else 1
    )
