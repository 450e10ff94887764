"""The arrangement of a sweep's axes in its figure, and the text of their values.

The first numeric axis with several values is the abscissa; combinations of the others are series. If there are too many
series, one axis is moved to separate columns if it fits; series that still do not fit are omitted and listed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from math import prod
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from figures.declared import axis_label
from figures.drawing import style

if TYPE_CHECKING:
    from jaxtyping import Float

MOST_SERIES = 6  # as many colours and markers as a reader can distinguish
MOST_COLUMNS = 4
NAME_WIDTH = 0.7  # share of the distance between names that the series occupy


class Arrangement(NamedTuple):
    """The arrangement of the axes; a selection maps axes to indices.

    Attributes:
        abscissa: the axis along the abscissa of every panel.
        positions: positions of its values, ``Float[N]``: the numbers themselves, or 0, 1, ... for names.
        names: the labels at the positions, or None for numbers.
        columns: one selection for each column of a regime.
        series: the selections drawn in each panel.
        left_out: descriptions of the values whose series are omitted.
    """

    abscissa: str
    positions: Float[np.ndarray, " n"]
    names: list[str] | None
    columns: list[dict[str, int]]
    series: list[dict[str, int]]
    left_out: list[str]

    def places(self, index: int) -> Float[np.ndarray, " n"]:
        """Return the positions of a series: at the numbers themselves, or side by side at names."""
        if self.names is None:
            return self.positions
        return self.positions + NAME_WIDTH * ((index + 0.5) / len(self.series) - 0.5)


def arrange(cells, axes: list[str]) -> Arrangement:
    """Return the arrangement of the varied axes.

    Args:
        cells: a dataset with the dimensions ``regime`` and ``axes``.
        axes: the names of the varied axes, at least one.
    """
    varied = [name for name in axes if cells.sizes[name] > 1] or axes[:1]
    numeric = [name for name in varied if is_numeric(cells[name]) and cells.sizes[name] > 1]
    abscissa = (numeric or varied)[0]
    others = {name: cells.sizes[name] for name in varied if name != abscissa}
    fitting = [name for name, size in others.items() if cells.sizes["regime"] * size <= MOST_COLUMNS]
    crowded = prod(others.values()) > MOST_SERIES
    across = [max(fitting, key=others.__getitem__)] if crowded and fitting else []
    chosen = _thin({name: size for name, size in others.items() if name not in across})
    missing = [{name: i} for name, indices in chosen.items() for i in range(others[name]) if i not in indices]
    values = cells[abscissa].values
    return Arrangement(
        abscissa=abscissa,
        positions=values.astype(float) if numeric else np.arange(float(len(values))),
        names=None if numeric else [format_value(value) for value in values],
        columns=_combine({name: range(others[name]) for name in across}),
        series=_combine(chosen),
        left_out=[describe(cells, selection) for selection in missing],
    )


def is_numeric(axis) -> bool:
    """Return whether the values of an axis are numbers rather than names or Booleans."""
    return axis.dtype.kind in "iuf"


def _combine(indices: Mapping[str, Sequence[int]]) -> list[dict[str, int]]:
    """Return all combinations of the indices of the axes; one empty combination without axes."""
    return [dict(zip(indices, places, strict=True)) for places in product(*indices.values())]


def _thin(sizes: dict[str, int]) -> dict[str, list[int]]:
    """Return the evenly spaced indices kept of each axis, with as many series and then as many axes as possible."""
    choices = product(*(range(1, min(size, MOST_SERIES) + 1) for size in sizes.values()))
    fitting = (counts for counts in choices if prod(counts) <= MOST_SERIES)
    best = max(fitting, key=lambda counts: (prod(counts), sum(count > 1 for count in counts), counts))
    spread = (np.linspace(0, size - 1, count) for size, count in zip(sizes.values(), best, strict=True))
    return {name: [round(index) for index in indices] for name, indices in zip(sizes, spread, strict=True)}


def format_value(value) -> str:
    """Return a value of an axis as text, real numbers with four digits."""
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    if isinstance(value, float | np.floating):
        return f"{value:.4g}"
    return f"{value:g}" if isinstance(value, int | np.number) else str(value)


def describe(cells, selection: dict[str, int]) -> str:
    """Return the values of a selection as text: ``number of words = 6, LayerNorm = yes``."""
    values = ((name, cells[name].values[index]) for name, index in selection.items())
    return ", ".join(f"{axis_label(cells, name).split(' (')[0]} = {format_value(value)}" for name, value in values)


def title(column, own: str) -> str:
    """Return the title of a column: its regime, the ``own`` value of its axis if any, and the kinds of predictions."""
    name, predicted = style.regime_title(column).split("\n")
    return "\n".join(line for line in (name, own, predicted) if line)
