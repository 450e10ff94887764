"""Learned and predicted values over a sweep: markers with error bars, predicted values as lines.

Series differ in colour and marker. Each quantity declares its rows and their scales.
"""

import json
import textwrap
from collections.abc import Sequence
from itertools import product
from math import ceil
from typing import Any

import numpy as np
import xarray
from matplotlib.lines import Line2D
from matplotlib.transforms import offset_copy

from figures.declared import Panel, Threshold, as_shown, axis_label, panels_of, thresholds_of
from figures.drawing import scales, style
from figures.drawing.seeds import standard_error
from figures.sweeps.arrangement import (
    NAME_WIDTH,
    Arrangement,
    arrange,
    describe,
    is_numeric,
    title,
)

LINES = {
    "predicted": "-",
    "exact minimum": (0, (4, 2)),
}
FINE = "predicted_fine"  # predictions on a finer axis than the sweep
ZERO = 1e-6  # of the largest prediction: where zero is predicted, smaller learned values are shown as zero
DIVERGED = "diverged seeds"
OPEN = {"linestyle": "none", "markersize": 2.6, "markerfacecolor": "none", "markeredgewidth": 0.6}
MOST_NAMED = 8  # omitted series that are listed; of more, only the number is given
LANE = 5.5  # points between the rows of counts above a column


@style.styled
def draw(dataset):
    """Draw one column per regime and one row per declared panel: learned and predicted values, exact minimum.

    Error bars are standard errors of the mean over seeds; diverged members are counted above each column. The exact
    minimum is drawn where it differs from the predicted value.

    Raises:
        ValueError: no axis was varied, or the dataset does not declare its quantities.
    """
    names = json.loads(dataset.attrs.get("axes", "[]"))
    if not names:
        raise ValueError("axes: expected a dataset with at least one varied axis, got none")
    all_rows = panels_of(dataset)
    cells = settle(summarise(dataset), all_rows).sortby([name for name in names if is_numeric(dataset[name])])
    arrangement = arrange(cells, names)
    if cells.attrs.get("fine_axis") != arrangement.abscissa:
        cells = cells.drop_vars(FINE, errors="ignore")
    cells = cells.isel({name: 0 for name in names if cells.sizes[name] == 1 and name != arrangement.abscissa})
    on_axis = {} if arrangement.names else thresholds_of(cells)
    thresholds = {name: threshold for name, threshold in on_axis.items() if threshold.axis == arrangement.abscissa}
    rows = [row for row in all_rows if np.isfinite(cells.learned.sel(quantity=row.quantity)).any()] or all_rows
    columns = list(product(range(cells.sizes["regime"]), arrangement.columns))
    heights = [row.height for row in rows]
    figure, axes = style.make_grid(len(rows), len(columns), 1.0, sharex=True, height_ratios=heights)
    style.set_spacing(figure, h_pad=0.02, hspace=0.01)
    n_lanes = 0
    for panels, (regime, selection) in zip(axes.T, columns, strict=True):
        series = [cells.isel(regime=regime, **selection, **point) for point in arrangement.series]
        n_lanes = max(n_lanes, _draw_column(panels, series, rows, arrangement, thresholds))
    headings = [
        title(cells.isel(regime=index, **selection), describe(cells, selection)) for index, selection in columns
    ]
    style.set_titles(axes[0], headings, pad=4 + LANE * n_lanes)
    for ax, row in zip(axes[:, 0], rows, strict=True):
        ax.set_ylabel(row.label)
    figure.align_ylabels(axes[:, 0])
    n_lines = _add_legend(figure, cells, arrangement, thresholds)
    n_lines += axes[-1, 0].get_xlabel().count("\n")
    figure.set_figheight(sum(heights) + 0.75 + 0.12 * n_lines + LANE * n_lanes / 72)
    return figure


def summarise(dataset):
    """Return the mean of every cell over seeds that did not diverge, its standard error, and the number that diverged.

    The error is the larger of the standard error over seeds and the sampling error; NaN if both are undefined. Exact
    values are NaN for a regime and quantity where they all equal the predicted ones.
    """
    dataset = as_shown(dataset)
    diverged = dataset.status == "diverged"
    finite = np.isfinite(dataset.learned) & ~diverged
    count = finite.sum("seed")
    learned = dataset.learned.where(finite)
    sampled = np.sqrt((dataset.sampling_error.where(finite, 0.0) ** 2).sum("seed", skipna=False))
    exact = dataset.exact_minimum.mean("seed")
    differs = abs(exact - dataset.predicted) > 1e-6 * abs(dataset.predicted)
    differs = differs.any(set(differs.dims) - {"regime", "quantity"})
    fine = [FINE] if FINE in dataset else []
    return dataset[["predicted", "kind", *fine, *thresholds_of(dataset)]].assign(
        learned=learned.mean("seed"),
        error=np.fmax(standard_error(learned), sampled / count.where(count > 0)),
        exact=exact.where(differs),
        diverged=diverged.sum("seed"),
    )


def settle(cells, rows: Sequence[Panel]):
    """Return the cells with rounding errors replaced by exact zeros, so that they do not affect the scale.

    Where zero is predicted, a learned value below 1e-6 of the largest prediction (of 1, if all are zero) becomes zero;
    so does that of a quantity which is undefined where another one is zero. Where such a quantity has no prediction,
    as the accuracy of the zero network, the learned value becomes NaN.
    """
    others = set(cells.predicted.dims) - {"regime", "quantity"}
    largest = abs(cells.predicted).max(others)
    least = ZERO * largest.where(largest > 0, 1.0)
    foreseen = abs(cells.predicted) < 1e-3 * least
    zero = foreseen & (abs(cells.learned) < least)
    held = set(cells["quantity"].values)
    for quantity, other in {(row.quantity, row.undefined_with) for row in rows if row.undefined_with in held}:
        zero |= foreseen & (cells["quantity"] == quantity) & zero.sel(quantity=other, drop=True)
    undefined = xarray.zeros_like(zero)
    for quantity, other in {(row.quantity, row.undefined_with) for row in rows if row.undefined_with in held}:
        is_quantity = np.isnan(cells.predicted) & (cells["quantity"] == quantity)
        undefined |= is_quantity & zero.sel(quantity=other, drop=True)
    finer = {FINE: cells[FINE].where(~(abs(cells[FINE]) < 1e-3 * least), 0.0)} if FINE in cells else {}
    return cells.assign(
        predicted=cells.predicted.where(~foreseen, 0.0),
        learned=cells.learned.where(~zero, 0.0).where(~undefined),
        error=cells.error.where(~zero, 0.0).where(~undefined),
        **finer,
    )


def _draw_column(
    panels, series: list, rows: Sequence[Panel], arrangement: Arrangement, thresholds: dict[str, Threshold]
) -> int:
    """Draw every row of a column; return the number of rows of counts above it."""
    if arrangement.names is None:
        scales.set_numbers(panels[-1], arrangement.positions)
    else:
        scales.set_names(panels[-1], arrangement.names)
    scales.set_label(panels[-1], axis_label(series[0], arrangement.abscissa))
    for ax, row in zip(panels, rows, strict=True):
        drawn = [cell.sel(quantity=row.quantity) for cell in series]
        changes = {name: change for name, change in row.changes.items() if name in thresholds}
        if row.scale == "deviation":
            _draw_deviations(ax, drawn, changes, arrangement)
        else:
            _draw_values(ax, drawn, row, changes, arrangement)
        _draw_thresholds(ax, series, thresholds)
    return _draw_diverged(panels[0], series, arrangement)


def _draw_values(ax, series: list, row: Panel, changes: dict[str, str], arrangement: Arrangement) -> None:
    """Draw one quantity for every series."""
    _draw_theory(ax, series, "exact", changes, arrangement, label="exact minimum")
    _draw_theory(ax, series, "predicted", changes, arrangement, label="predicted")
    _draw_learned(ax, series, arrangement, aside=row.scale == "unit interval")
    tops = [cell.learned + cell.error.fillna(0) for cell in series]
    names = [name for name in ("learned", "predicted", FINE, "exact") if name in series[0]]
    values = np.concatenate([*tops, *(cell[name] for cell in series for name in names)])
    if row.scale == "unit interval":
        scales.set_unit_interval(ax)
    else:
        scales.set_ordinate(ax, values[np.isfinite(values)], row.scale)


def _draw_deviations(ax, series: list, changes: dict[str, str], arrangement: Arrangement) -> None:
    """Draw relative deviations of learned and exact values from predicted ones; nothing where zero is predicted."""
    nonzero = [cell.predicted.where(cell.predicted != 0) for cell in series]
    series = [
        cell.assign(learned=cell.learned / scale - 1, error=cell.error / abs(scale), exact=cell.exact / scale - 1)
        for cell, scale in zip(series, nonzero, strict=True)
    ]
    _draw_theory(ax, series, "exact", changes, arrangement, label="exact minimum")
    ax.axhline(0, color=style.PREDICTED, linewidth=0.8, label="predicted")
    _draw_learned(ax, series, arrangement, aside=True)
    ends = [cell.learned + sign * cell.error.fillna(0) for cell in series for sign in (-1, 1)]
    values = np.concatenate([*ends, *(cell.exact for cell in series)])
    scales.set_deviation(ax, values[np.isfinite(values)])


def _draw_learned(ax, series: list, arrangement: Arrangement, *, aside: bool) -> None:
    """Draw markers with error bars; series are shifted by a few points (``aside``) or get decreasing sizes."""
    n_series = len(series)
    step = min(3, 8 / n_series, 0.6 * _room(ax, arrangement) / n_series) if aside and not arrangement.names else 0.0
    for index, cells in enumerate(series):
        transform = offset_copy(ax.transData, ax.figure, x=step * (index - (n_series - 1) / 2), units="points")
        size = 3 if aside or arrangement.names else 3 + 2 * (n_series - 1 - index) / n_series
        ax.errorbar(
            arrangement.places(index), cells.learned.values, cells.error.values, elinewidth=0.7, zorder=3,
            label="learned", transform=transform, **_mark(index, size),
        )  # fmt: skip


def _mark(index: int, size: float = 3) -> dict[str, Any]:
    """Return the style of a series: colour, marker and size in points."""
    return {"linestyle": "none", "markersize": size, "markeredgewidth": 0, **style.concept_style(index)}


def _room(ax, arrangement: Arrangement) -> float:
    """Return the approximate distance between neighbours on the abscissa, points."""
    return 72 * scales.panel_width(ax) / len(arrangement.positions)


def _draw_theory(ax, series: list, name: str, changes: dict[str, str], arrangement: Arrangement, label: str) -> None:
    """Draw one black line if all series agree, otherwise one line per series in its colour; bars at names.

    A prediction is drawn on the finer axis of the dataset if there is one; otherwise at the values of the sweep, with
    bends or jumps at thresholds as its panel declares.
    """
    is_fine = name == "predicted" and FINE in series[0]
    lines, colours = _merge([cell[FINE if is_fine else name].values for cell in series])
    width = NAME_WIDTH / len(lines)
    for index, (y, colour) in enumerate(zip(lines, colours, strict=True)):
        x = arrangement.positions if len(lines) == 1 else arrangement.places(index)
        if is_fine:
            x, changes = series[0]["fine"].values, {}
        for threshold, change in changes.items():
            x, y = _change_at(series[index][threshold].values[0], change, x, y)
        if arrangement.names is not None:
            x, y = (x[:, None] + [-width / 2, width / 2, np.nan]).ravel(), np.repeat(y, 3)
        if np.isfinite(y).any():
            ax.plot(x, y, color=colour, linestyle=LINES[label], linewidth=0.8, label=label)


def _change_at(threshold: float, change: str, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return a line that reaches the value of the next cell at a threshold, with a jump there if declared."""
    if not x[0] < threshold < x[-1]:
        return x, y
    after = np.searchsorted(x, threshold)
    values = y[after - 1 : after + 1] if change == "jump" else y[after : after + 1]
    return np.insert(x, after, np.full(len(values), threshold)), np.insert(y, after, values)


def _merge(lines: list[np.ndarray]) -> tuple[list[np.ndarray], tuple[str, ...]]:
    """Return a single black line if all series agree, otherwise all lines with their colours."""
    if all(np.allclose(values, lines[0], rtol=1e-9, atol=1e-12, equal_nan=True) for values in lines):
        return lines[:1], (style.PREDICTED,)
    return lines, style.COLOURS[: len(lines)]


def _draw_thresholds(ax, series: list, thresholds: dict[str, Threshold]) -> None:
    """Draw each threshold within the panel as a vertical line."""
    low, high = ax.get_xlim()
    for name, threshold in thresholds.items():
        look = {"linewidth": 0.8, "linestyle": (0, threshold.line), "label": threshold.label, "zorder": 1}
        for place, colour in zip(*_merge([cell[name].values[:1] for cell in series]), strict=True):
            if low < place[0] < high:
                ax.axvline(*place, color=colour, **look)


def _draw_diverged(ax, series: list, arrangement: Arrangement) -> int:
    """Draw markers above the column where members diverged, with counts if they fit; return the number of rows."""
    having = [index for index, cell in enumerate(series) if cell.diverged.any()]
    most = max(int(cell.diverged.max()) for cell in series)
    numbered = 5 + 3 * len(str(most)) < _room(ax, arrangement)
    for lane, index in enumerate(reversed(having)):
        edge = offset_copy(ax.get_xaxis_transform(), ax.figure, y=3 + LANE * lane, units="points")
        counts = series[index].diverged.values
        x = arrangement.places(index)[counts > 0]
        ax.plot(x, np.ones(len(x)), transform=edge, clip_on=False, label=DIVERGED, **OPEN, **style.concept_style(index))
        for position, count in zip(x, counts[counts > 0], strict=True) if numbered else ():
            ax.annotate(str(count), (position, 1), xycoords=edge, xytext=(2.2, -0.3), textcoords="offset points",
                        fontsize=4.5, va="center", annotation_clip=False)  # fmt: skip
    return len(having)


def _left_out(names: list[str]) -> str:
    """Return the note on omitted series: their values, or only their number if there are many."""
    if len(names) > MOST_NAMED:
        return f"{len(names)} series between those below are omitted"
    return "Omitted: " + "; ".join(names) if names else ""


def _add_legend(figure, cells, arrangement: Arrangement, thresholds: dict[str, Threshold]) -> int:
    """Put one legend below all panels, with a note on omitted series; return the number of its lines."""
    drawn = {line.get_label() for ax in figure.axes for line in ax.lines}
    black = {"color": style.PREDICTED, "linewidth": 0.8}
    looks = {describe(cells, selection) or "learned": _mark(i) for i, selection in enumerate(arrangement.series)}
    patterns = LINES | {threshold.label: (0, threshold.line) for threshold in thresholds.values()}
    looks |= {name: {"linestyle": line, **black} for name, line in patterns.items() if name in drawn}
    looks |= {DIVERGED: {"marker": "o", **black, **OPEN}} if DIVERGED in drawn else {}
    n_columns = style.legend_columns(figure, list(looks))
    note = textwrap.wrap(_left_out(arrangement.left_out), int(figure.get_figwidth() / style.CHARACTER))
    figure.legend(
        handles=[Line2D([], [], label=name, **look) for name, look in looks.items()],
        loc="outside lower center", ncols=n_columns, title="\n".join(note) or None, title_fontsize=6,
    )  # fmt: skip
    return ceil(len(looks) / n_columns) + len(note)
