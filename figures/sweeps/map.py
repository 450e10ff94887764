"""A sweep over two numeric axes as a map: learned values as colours, with predicted boundaries.

A dot marks a cell whose learned value lies below the predicted one, which a greyscale print does not show; cells with
diverged members are hatched.
"""

from __future__ import annotations

import json
from textwrap import fill
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.collections import PatchCollection
from matplotlib.colors import BoundaryNorm, LinearSegmentedColormap, LogNorm, Normalize, SymLogNorm
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle
from matplotlib.typing import LineStyleType

from figures.declared import Panel, Threshold, axis_label, headlines, panels_of, quantities_of, thresholds_of
from figures.drawing import scales, style
from figures.sweeps.arrangement import is_numeric, title
from figures.sweeps.sweep import settle, summarise

if TYPE_CHECKING:
    from jaxtyping import Bool, Float

SEQUENTIAL = "viridis"  # monotonically lighter for larger values
DIVERGING = LinearSegmentedColormap.from_list("below-above", [style.COLOURS[0], "white", style.COLOURS[6]])
LEAST_DEVIATION = 1e-4  # smaller deviations are drawn as zero
MOST_LEVELS = 12  # maximum number of integers with separate colours
LONGEST_LINE = 24  # characters beside a colour bar
BOUNDARY: dict[str, Any] = {"color": style.PREDICTED, "linewidth": 0.9}
HALO = {"color": "white", "linewidth": 2.0, "solid_capstyle": "projecting"}  # below a line, against dark cells
HATCH = {"facecolor": "none", "edgecolor": "0.25", "hatch": "//////", "linewidth": 0.0}
BELOW = {"marker": "o", "color": "0.15", "linestyle": "none", "markersize": 1.3, "markeredgewidth": 0}
PREDICTED, DIVERGED, LESS = "predicted boundary", "diverged seeds", "below the predicted value"


class Grid(NamedTuple):
    """The two axes of a map: names, sorted values, and edges of the cells around the values."""

    names: tuple[str, str]
    values: tuple[Float[np.ndarray, " J"], Float[np.ndarray, " I"]]
    edges: tuple[Float[np.ndarray, " J+1"], Float[np.ndarray, " I+1"]]


@style.styled
def draw(dataset):
    """Draw one row per declared panel of a headline quantity and one column per regime, as means over seeds.

    Raises:
        ValueError: the varied axes are not two numeric ones, or the dataset does not declare its quantities.
    """
    names = json.loads(dataset.attrs.get("axes", "[]"))
    if len(names) != 2 or not all(is_numeric(dataset[name]) and dataset.sizes[name] > 1 for name in names):
        raise ValueError(f"axes: expected two numeric axes of several values each, got {', '.join(names) or 'none'}")
    declared = panels_of(dataset)
    cells = settle(summarise(dataset), declared).sortby(names)
    panels = _rows(cells, declared)
    grid = make_grid(cells, names)
    thresholds = {name: threshold for name, threshold in thresholds_of(cells).items() if threshold.axis in names}
    n_regimes = cells.sizes["regime"]
    figure, axes = style.make_grid(len(panels), n_regimes, 1.35, sharex=True, sharey=True)
    for row, panel in zip(axes, panels, strict=True):
        _draw_row(figure, row, cells, panel, grid, thresholds)
    regimes = [cells.isel(regime=index) for index in range(n_regimes)]
    style.set_titles(axes[0], [title(regime, "") for regime in regimes])
    for ax in axes[-1]:
        scales.set_label(ax, axis_label(cells, names[0]))
    for ax in axes[:, 0]:
        ax.set_ylabel(axis_label(cells, names[1]))
    _add_legend(figure, thresholds)
    figure.set_figheight(figure.get_figheight() + 0.6)
    return figure


def make_grid(cells, names: list[str]) -> Grid:
    """Return the axes of a map, the first along the abscissa."""
    abscissa, ordinate = names
    x, y = (cells[name].values.astype(float) for name in names)
    return Grid((abscissa, ordinate), (x, y), (cell_edges(x), cell_edges(y)))


def cell_edges(positions: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n+1"]:
    """Return the edges of cells around sorted numbers, midway between them on a linear or logarithmic scale."""
    logarithmic = scales.is_logarithmic(positions)
    places = np.log(positions) if logarithmic else positions
    between = (places[1:] + places[:-1]) / 2
    edges = np.concatenate([[2 * places[0] - between[0]], between, [2 * places[-1] - between[-1]]])
    return np.exp(edges) if logarithmic else edges


def _rows(cells, declared: list[Panel]) -> list[Panel]:
    """Return the panels of headline quantities with finite learned values, or all if there are none."""
    shown = {name for names in headlines(cells) for name in names}
    panels = [panel for panel in declared if panel.quantity in shown] or declared
    finite = [panel for panel in panels if np.isfinite(cells.learned.sel(quantity=panel.quantity)).any()]
    return finite or panels


def _draw_row(figure, row, cells, panel: Panel, grid: Grid, thresholds: dict[str, Threshold]) -> None:
    """Draw a panel for every regime with a common colour bar."""
    cells = cells.transpose(*grid.names[::-1], ...)
    chosen = cells.sel(quantity=panel.quantity)
    nonzero = chosen.predicted.where(chosen.predicted != 0)
    deviates = panel.scale == "deviation"
    values = chosen.learned / nonzero - 1 if deviates else chosen.learned
    norm = choose_norm(values.values[np.isfinite(values.values)], panel.scale)
    colours = {"norm": norm, "cmap": DIVERGING if deviates else SEQUENTIAL}
    for index, ax in enumerate(row):
        regime = chosen.isel(regime=index)
        shown = values.isel(regime=index).values
        ax.pcolormesh(*grid.edges, shown, **colours)
        _set_axes(ax, grid)
        if deviates:
            below = shown < -LEAST_DEVIATION
            ax.plot(*(centre[below] for centre in np.meshgrid(*grid.values)), label=LESS, **BELOW)
        _hatch(ax, regime.diverged.values > 0, grid)
        if not _draw_thresholds(ax, regime, grid, thresholds) and _is_stepped(regime.predicted.values, panel.scale):
            _draw_steps(ax, regime.predicted.values, grid)
    bar = figure.colorbar(ScalarMappable(**colours), ax=list(row), pad=0.02, aspect=12)
    bar.set_label(_deviation_label(cells, panel) if deviates else panel.label)
    _set_bar(bar, norm, deviates=deviates)


def _set_bar(bar, norm: Normalize, *, deviates: bool) -> None:
    """Set the ticks of a colour bar: integers at the middle of their colours, deviations in per cent."""
    if deviates:
        bar.ax.yaxis.set_major_formatter(scales.percent)
    if isinstance(norm, BoundaryNorm):
        bar.set_ticks((norm.boundaries[1:] + norm.boundaries[:-1]) / 2)
        bar.ax.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
    bar.outline.set_linewidth(0.4)
    bar.ax.minorticks_off()


def _deviation_label(cells, panel: Panel) -> str:
    """Return the label of a colour bar of deviations: those of the panel and of the quantity."""
    quantity = quantities_of(cells)[panel.quantity].label
    return fill(f"{' '.join(panel.label.split())}: {quantity}", LONGEST_LINE)


def choose_norm(values: Float[np.ndarray, " n"], scale: str) -> Normalize:
    """Return the norm that maps numbers to colours.

    Args:
        values: finite numbers of all regimes.
        scale: scale of the panel.

    Returns:
        A norm, logarithmic where the ordinate of a sweep would be; for deviations centred at 0.
    """
    if scale == "unit interval":
        return Normalize(0, 1)
    if scale == "deviation":
        most = max(np.abs(values).max(initial=0.0), LEAST_DEVIATION)
        return SymLogNorm(0.1, vmin=-most, vmax=most) if most > 1 else Normalize(-most, most)
    if scales.is_decades(values, scale):
        return LogNorm(values.min(), values.max() if values.max() > values.min() else 2 * values.min())
    if scale == "whole" and len(values) and values.max() - values.min() < MOST_LEVELS:
        levels = np.arange(np.floor(values.min()), np.ceil(values.max()) + 2)
        return BoundaryNorm(levels - 0.5, 256)
    low, high = min([0.0, *values]), max([0.0, *values])
    return Normalize(low, high if high > low else low + 1)


def _set_axes(ax, grid: Grid) -> None:
    """Scale both axes to the spacing of their numbers, with limits at the outermost cells."""
    for axis, values, edges in zip("xy", grid.values, grid.edges, strict=True):
        scales.set_numbers(ax, values, axis)
        getattr(ax, f"set_{axis}lim")(edges[0], edges[-1])


def _hatch(ax, marked: Bool[np.ndarray, "I J"], grid: Grid) -> None:
    """Hatch the marked cells."""
    x, y = grid.edges
    boxes = [
        Rectangle((float(x[j]), float(y[i])), float(x[j + 1] - x[j]), float(y[i + 1] - y[i]))
        for i, j in np.argwhere(marked)
    ]
    if boxes:
        ax.add_collection(PatchCollection(boxes, label=DIVERGED, **HATCH))


def _draw_thresholds(ax, regime, grid: Grid, thresholds: dict[str, Threshold]) -> bool:
    """Draw each threshold as a line through the cells; return whether any lies inside the map."""
    drawn = False
    for name, threshold in thresholds.items():
        along = grid.names.index(threshold.axis)
        across = 1 - along
        places = regime[name].isel({threshold.axis: 0}).values
        edges = grid.edges[across]
        there = np.concatenate([places[:1], places, places[-1:]])
        through = np.concatenate([edges[:1], grid.values[across], edges[-1:]])
        points = (there, through) if along == 0 else (through, there)
        low, high = grid.edges[along][[0, -1]]
        if np.any((places > low) & (places < high)):
            ax.plot(*points, **HALO)
            ax.plot(*points, linestyle=(0, threshold.line), label=threshold.label, **BOUNDARY)
            drawn = True
    return drawn


def _is_stepped(predicted: Float[np.ndarray, "I J"], scale: str) -> bool:
    """Return whether predicted values are integers or take only two values."""
    return scale == "whole" or len(np.unique(predicted[np.isfinite(predicted)])) == 2


def _draw_steps(ax, predicted: Float[np.ndarray, "I J"], grid: Grid) -> None:
    """Draw the edges between neighbouring cells with different predicted values."""
    x, y = grid.edges
    lines = [([x[j + 1]] * 2, y[i : i + 2]) for i, j in np.argwhere(_differ(predicted[:, 1:], predicted[:, :-1]))]
    lines += [(x[j : j + 2], [y[i + 1]] * 2) for i, j in np.argwhere(_differ(predicted[1:], predicted[:-1]))]
    if lines:
        gap = np.array([np.nan])
        points = [np.concatenate([part for line in lines for part in (line[k], gap)]) for k in (0, 1)]
        ax.plot(*points, **HALO)
        ax.plot(*points, label=PREDICTED, solid_capstyle="projecting", **BOUNDARY)


def _differ(left: Float[np.ndarray, ...], right: Float[np.ndarray, ...]) -> Bool[np.ndarray, ...]:
    """Return where two arrays of predictions differ; NaN differs from nothing."""
    return np.isfinite(left) & np.isfinite(right) & ~np.isclose(left, right, rtol=1e-9, atol=1e-12)


def _add_legend(figure, thresholds: dict[str, Threshold]) -> None:
    """Put a legend of the drawn lines and markers below all panels."""
    drawn = {artist.get_label() for ax in figure.axes for artist in (*ax.lines, *ax.collections)}
    lines: dict[str, LineStyleType] = {threshold.label: (0, threshold.line) for threshold in thresholds.values()}
    lines[PREDICTED] = "-"
    handles = [Line2D([], [], linestyle=line, label=name, **BOUNDARY) for name, line in lines.items() if name in drawn]
    marked = any(line.get_label() == LESS and len(line.get_xdata()) for ax in figure.axes for line in ax.lines)
    handles += [Line2D([], [], label=LESS, **BELOW)] if marked else []
    handles += [Patch(label=DIVERGED, **HATCH)] if DIVERGED in drawn else []
    if handles:
        n_columns = style.legend_columns(figure, [str(handle.get_label()) for handle in handles])
        figure.legend(handles=handles, loc="outside lower center", ncols=n_columns)
