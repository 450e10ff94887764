"""The range of the formulas: learned and exact norms and risks against predicted ones, and the error of kappa."""

import json

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, LogLocator, NullFormatter, NullLocator

from figures.drawing import style
from figures.drawing.seeds import mean_and_error

QUANTITIES = {
    "embedding_norm": "norm of embeddings",
    "classifier_norm": "norm of classifier",
    "test_risk": "risk (nats)",
}
FLOOR = 1e-9  # relative errors below this are drawn at the lower edge
CIRCLE = {"markerfacecolor": "none", "markeredgecolor": style.PREDICTED, "markersize": 4.2, "markeredgewidth": 0.4,
          "linestyle": "none"}  # fmt: skip
LINE = {"color": style.PREDICTED, "linewidth": 0.8, "zorder": 1}
# Types III and I coincide, so the markers of Type III are larger and open.
TYPE_MARKS = {
    "I": {"markersize": 3, "markeredgewidth": 0},
    "II": {"markersize": 3, "markeredgewidth": 0},
    "III": {"markersize": 5, "markeredgewidth": 0.7, "markerfacecolor": "none"},
}


@style.styled
def draw(dataset):
    """Draw learned values against predicted ones, relative errors below, and the error of kappa against K/n_c^L.

    A marker is a setting, with its standard error over seeds; the open circle around it is the exact minimum for its
    latents. In the lower row markers are relative errors of the prediction, circles relative distances of training from
    the exact minimum; values below 1e-9 are at the lower edge. The embedding norms of Type II are omitted, as
    LayerNorm fixes them.
    """
    figure = Figure(figsize=(style.TWO_COLUMNS, 3.6))
    axes = figure.subplots(2, 4, sharex="col", height_ratios=(1.5, 1))
    for column, (name, label) in zip(axes.T[:3], QUANTITIES.items(), strict=True):
        _draw_quantity(column, dataset, name, label)
    axes[0, 0].set_ylabel("learned (marks), exact (circles)")
    axes[1, 0].set_ylabel("relative error")
    for ax in axes[1, 1:3]:
        ax.tick_params(labelleft=False)
    _draw_reach(axes[0, 3], dataset, "risk", "error of the risk")
    _draw_reach(axes[1, 3], dataset, "classifier_norm", "error of |u|")
    axes[1, 3].set_xlabel(r"share of latents, $K/n_c^L$")
    axes[0, 3].legend(loc="lower left", title=dataset.attrs["reach"].replace("n_c", "$n_c$"), title_fontsize=6)
    for ax, letter in zip(axes[0], "abcd", strict=True):
        ax.set_title(letter, loc="left", fontweight="bold", pad=3)
    _add_legend(figure, dataset)
    return figure


def draw_key(ax, dataset) -> None:
    """Draw the error of the predicted risk against the share of latents that are classes."""
    _draw_reach(ax, dataset, "risk", "error of the risk")
    ax.set_xlabel(r"share of latents, $K/n_c^L$")
    ax.legend(loc="lower left")


def _draw_quantity(axes, dataset, name: str, label: str) -> None:
    """Draw a quantity of every setting against its predicted value, and its relative error below."""
    top, bottom = axes
    drawn = []
    for index, regime in enumerate(dataset.regime.values):
        values = dataset.sel(regime=regime, quantity=name)
        if name == "embedding_norm" and "II" in values.collapse_type.values:
            continue
        predicted = values.predicted.values.ravel()
        learned, spread = map(np.ravel, mean_and_error(values.learned))
        exact = mean_and_error(values.exact_minimum)[0].ravel()
        look = style.concept_style(index) | {"linestyle": "none", "markeredgewidth": 0}
        top.plot(predicted, learned, markersize=2.2, zorder=3, **look)
        top.plot(predicted, exact, marker="o", zorder=4, **CIRCLE)
        bars = spread / np.abs(predicted)
        errors = np.abs(learned / predicted - 1)
        lower = np.minimum(bars, np.maximum(errors - FLOOR, 0))
        bottom.errorbar(predicted, np.maximum(errors, FLOOR), (lower, bars), markersize=2.2, elinewidth=0.5, zorder=3,
                        **look)  # fmt: skip
        distances = mean_and_error(np.abs(values.learned / values.exact_minimum - 1))[0].ravel()
        bottom.plot(predicted, np.maximum(distances, FLOOR), marker="o", zorder=4, clip_on=False, **CIRCLE)
        drawn.append(predicted)
    if not drawn:
        for ax in axes:
            ax.set_axis_off()
        return
    ends = np.min(np.concatenate(drawn)) / 1.5, np.max(np.concatenate(drawn)) * 1.5
    top.plot(ends, ends, **LINE)
    for ax in axes:
        ax.set_xscale("log")
        ax.set_yscale("log")
        ax.set_xlim(ends)
    top.set_ylim(ends)
    bottom.set_ylim(FLOOR, 1)
    bottom.yaxis.set_major_locator(FixedLocator([1e-9, 1e-6, 1e-3, 1]))
    bottom.yaxis.set_minor_locator(NullLocator())
    for axis in (top.yaxis, bottom.xaxis):
        _set_ticks(axis, ends)
    bottom.set_xlabel(f"predicted {label}")


def _draw_reach(ax, dataset, name: str, label: str) -> None:
    """Draw the relative error of the kappa approximation for each type, in per cent."""
    for index, kind in enumerate(dataset.type.values):
        reach = dataset.sel(type=kind)
        errors = 100 * (reach[f"reach_{name}_predicted"] / reach[f"reach_{name}"] - 1)
        mean, spread = mean_and_error(errors)
        ax.errorbar(dataset.reach_share, mean, spread, label=f"Type {kind}", linewidth=0.6, elinewidth=0.7, zorder=3,
                    **style.concept_style(index), **TYPE_MARKS[str(kind)])  # fmt: skip
    ax.axvline(1, color=style.PREDICTED, linewidth=0.6, linestyle=(0, (1, 1.5)), zorder=1)
    ax.set_yscale("log")
    ax.yaxis.set_major_locator(LogLocator(numticks=6))
    ax.yaxis.set_major_formatter(lambda value, _: f"{value:g}%")
    ax.yaxis.set_minor_formatter(NullFormatter())
    ax.set_xlim(0, 1.03)
    ax.set_ylabel(label, labelpad=1)


def _set_ticks(axis, ends: tuple[float, float]) -> None:
    """Put ticks at powers of ten, or at 1, 2 and 5 times these over less than two decades."""
    axis.set_major_locator(LogLocator(subs=(1,) if ends[1] > 100 * ends[0] else (1, 2, 5), numticks=8))
    axis.set_major_formatter(lambda value, _: f"{value:g}")
    axis.set_minor_formatter(NullFormatter())


def _add_legend(figure, dataset) -> None:
    """Put a legend below all panels that lists the sizes of each regime."""
    sizes = json.loads(dataset.attrs["configuration"])
    handles = []
    for index, name in enumerate(dataset.regime.values):
        size = sizes[name]
        text = (
            f"{str(name).replace('-', ' ')}: $n_c$ = {size['n_concepts']}, L = {size['sentence_length']}, "
            f"K = {size['n_classes']}, d = {size['embedding_dim']}"
        )
        look = style.concept_style(index)
        handles.append(Line2D([], [], label=text, linestyle="none", markersize=3, markeredgewidth=0, **look))
    handles.append(Line2D([], [], label="exact (lower row: learned against exact)", marker="o", **CIRCLE))
    handles.append(Line2D([], [], label="predicted", **LINE))
    figure.legend(handles=handles, loc="outside lower center", ncols=3, columnspacing=1.5)
