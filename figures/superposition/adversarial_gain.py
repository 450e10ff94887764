"""The cost of sharing dimensions: adversarial gain against p, and flip distance against k averaged clusters."""

from typing import Any

import numpy as np
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, NullLocator

from figures.drawing import style
from figures.drawing.seeds import mean_and_error
from figures.superposition.restarts import best_restart

LINE: dict[str, Any] = {"color": style.PREDICTED, "linewidth": 0.9, "zorder": 1}
DASHED, DOTTED = (0, (4, 1.5)), (0, (1, 1.2))
MARK: dict[str, Any] = {"linestyle": "none", "marker": "o", "markersize": 3.5, "markeredgewidth": 0}
GRADIENT: dict[str, Any] = {
    "linestyle": "none", "marker": "s", "markersize": 3.2, "markerfacecolor": "white", "markeredgewidth": 0.8,
}  # fmt: skip


@style.styled
def draw(dataset):
    """Draw the gain against p and the flip distance against k, learned (markers) and predicted (lines)."""
    figure, axes = style.make_grid(1, 2, 2.6)
    figure.set_figwidth(0.8 * style.TWO_COLUMNS)
    halves = (_draw_gain, "feature_probability"), (_draw_flips, "cluster_count")
    for ax, (draw_half, name), letter in zip(axes[0], halves, "ab", strict=True):
        if not np.isfinite(dataset[name].values).any():
            ax.set_axis_off()
            continue
        draw_half(ax, dataset)
        ax.set_title(letter, loc="left", fontweight="bold", pad=2)
    figure.legend(handles=[*_gain_handles(), *_flip_handles()], loc="outside lower center", ncols=2)
    return figure


def draw_key(ax, dataset) -> None:
    """Draw the gain against p, or the flip distance if no regime has features."""
    if np.isfinite(dataset.feature_probability.values).any():
        _draw_gain(ax, dataset)
        predicted, learned = _gain_handles()
        predicted.set_label("predicted")
        ax.set_xlabel("p (active)")
        ax.legend(handles=[predicted, learned], loc="lower left")
    else:
        _draw_flips(ax, dataset)
        ax.legend(handles=_flip_handles(), loc="lower left")


def _cells(dataset, name: str):
    """Return the cells with a value of ``name``, stacked along ``cell`` and sorted by it."""
    cells = dataset.stack(cell=dataset[name].dims, create_index=False)
    return cells.isel(cell=np.isfinite(cells[name].values)).sortby(name)


def _draw_gain(ax, dataset) -> None:
    """Draw the adversarial gain of the best restart against p, and the prediction."""
    if "gain_line" in dataset:
        for p, gain in _pieces(dataset.line_active_probability.values, dataset.gain_line.values):
            ax.plot(p, gain, **LINE)
    cells = best_restart(_cells(dataset, "feature_probability"))
    learned = cells.learned.sel(quantity="gain")
    ax.plot(cells.feature_probability.values, learned.values, color=style.COLOURS[0], **MARK)
    ax.set_xscale("log")
    ax.xaxis.set_major_locator(FixedLocator([0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0]))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    ax.set_xlabel("probability p that a feature is active")
    ax.set_ylabel("adversarial gain of an output")
    ax.set_ylim(bottom=1)
    for kind in dict.fromkeys(map(str, cells.kind.values)):
        _name_kind(ax, cells.isel(cell=cells.kind.values == kind), kind)


def _name_kind(ax, cells, kind: str) -> None:
    """Write the predicted geometry below the markers of its cells."""
    learned = cells.learned.sel(quantity="gain").values
    place = float(np.exp(np.mean(np.log(cells.feature_probability.values))))
    ax.text(place, float(np.min(learned)) - 0.04, kind.replace(" + ", " +\n"), fontsize=6, ha="center", va="top")


def _gain_handles() -> list[Line2D]:
    return [
        Line2D([], [], label=r"predicted; b: $|\mu|/\sqrt{k}$, along averages", **LINE),
        Line2D([], [], label="learned", color=style.COLOURS[0], **MARK),
    ]


def _pieces(places: np.ndarray, values: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return a line in pieces, cut at jumps, where the best geometry changes."""
    steps = np.abs(np.diff(values))
    cuts = np.flatnonzero(steps > max(0.1, 4 * np.median(steps))) + 1
    return list(zip(np.split(places, cuts), np.split(values, cuts), strict=True))


def _draw_flips(ax, dataset) -> None:
    """Draw flip distances against k along two attacks, and the largest possible distance."""
    cells = _cells(dataset, "cluster_count")
    k = cells.cluster_count.values
    predicted = {name: cells.predicted.sel(quantity=name).values for name in ("flip_distance", "gradient_attack")}
    ax.plot(k, cells.robust_distance.values, **LINE, linestyle=DASHED)
    ax.plot(k, predicted["gradient_attack"], **LINE, linestyle=DOTTED)
    ax.plot(k, predicted["flip_distance"], **LINE)
    for name, look, colour in (("gradient_attack", GRADIENT, style.COLOURS[6]),
                               ("flip_distance", MARK, style.COLOURS[0])):  # fmt: skip
        mean, _ = mean_and_error(cells.learned.sel(quantity=name), skipna=True)
        ax.plot(k, mean, color=colour, **look)
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.xaxis.set_major_locator(FixedLocator(k.tolist()))
    ax.xaxis.set_minor_locator(NullLocator())
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_formatter(lambda value, _: f"{value:g}")
        axis.set_minor_formatter(lambda value, _: f"{value:g}")
    ax.set_xlabel("number of averaged clusters, k")
    ax.set_ylabel("perturbation that flips a label")


def _flip_handles() -> list[Line2D]:
    return [
        Line2D([], [], label=r"b: $|\mu|\sqrt{2/k}$, along the gradient", **LINE, linestyle=DOTTED),
        Line2D([], [], label="b: learned, along the gradient", color=style.COLOURS[6], **GRADIENT),
        Line2D([], [], label=r"b: $|\mu|/\sqrt{2}$, largest possible", **LINE, linestyle=DASHED),
    ]
