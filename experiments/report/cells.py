"""The numbers of a report's tables: learned against predicted, for every quantity of every cell of a saved run.

A *cell* is one configuration: a regime, and a value of each axis that was varied. Any variable but ``learned`` may be
missing from a dataset; what depends on it is then not known.
"""

import json
import math
from collections import Counter
from itertools import product
from typing import NamedTuple

import numpy as np

from experiments.tables.columns import digits, standard_error

REGIME, SEED, QUANTITY = "regime", "seed", "quantity"
LEARNED, STATUS, DIVERGED = "learned", "status", "diverged"
MINIMUM = "exact_minimum"


class Comparison(NamedTuple):
    """One quantity of one cell.

    Attributes:
        label: what a reader calls it.
        unit: or nothing.
        predicted: by theory.
        minimum: at the numerical minimiser, the mean over seeds.
        learned: the mean over the seeds that did not diverge.
        standard_error: of that mean.
    """

    label: str
    unit: str
    predicted: float
    minimum: float
    learned: float
    standard_error: float

    @property
    def is_known(self) -> bool:
        """Whether there is a number at all; a quantity need not have a meaning in every regime."""
        return not all(math.isnan(value) for value in (self.predicted, self.minimum, self.learned))

    @property
    def scale(self) -> float:
        """What errors are relative to: the prediction, or 1 if that is zero."""
        return abs(self.predicted) or 1.0

    @property
    def error(self) -> float:
        """Of the prediction, relative unless zero is predicted."""
        return abs(self.learned - self.predicted) / self.scale

    @property
    def digits(self) -> float:
        """Decimal digits that agree; an agreement better than its own standard error is luck and is not counted."""
        if math.isnan(self.error):
            return math.nan
        resolution = 0.0 if math.isnan(self.standard_error) else self.standard_error / self.scale
        return digits(max(self.error, resolution))


def has_comparison(dataset) -> bool:
    """Return whether a dataset holds learned numbers by quantity."""
    return LEARNED in dataset and QUANTITY in dataset[LEARNED].dims and dataset[LEARNED].dtype.kind in "fiu"


def knows_minimum(dataset) -> bool:
    """Return whether a dataset holds any value at the numerical minimiser."""
    return MINIMUM in dataset and bool(dataset[MINIMUM].notnull().any())


def axes_of(dataset) -> list[str]:
    """Return the dimensions along which the cells of a regime differ, those that were varied first."""
    dims = [name for name in dataset[LEARNED].dims if name not in (REGIME, SEED, QUANTITY)]
    varied = [name for name in varied_axes(dataset) if name in dims]
    return varied + [name for name in dims if name not in varied]


def varied_axes(dataset) -> list[str]:
    """Return the names of the axes that were varied."""
    return [name for name in json.loads(dataset.attrs.get("axes", "[]")) if name in dataset.sizes]


def regimes_of(dataset) -> list:
    """Return the dataset of each regime; the whole where there are none."""
    if REGIME not in dataset.sizes:
        return [dataset]
    return [dataset.isel({REGIME: index}) for index in range(dataset.sizes[REGIME])]


def name_of(regime) -> str:
    """Return the name of a regime, or nothing where a dataset has none."""
    return str(regime[REGIME].item()) if REGIME in regime.coords else ""


def cells_of(regime) -> list[dict[str, int]]:
    """Return which index of each axis makes up each cell, the last axis fastest."""
    axes = axes_of(regime)
    return [dict(zip(axes, indices, strict=True)) for indices in product(*(range(regime.sizes[axis]) for axis in axes))]


def compare(regime) -> list[list[Comparison]]:
    """Return the quantities of each cell of a regime, in the order of :func:`cells_of`."""
    names = _texts(regime, QUANTITY) or [f"quantity {index}" for index in range(1, regime.sizes[QUANTITY] + 1)]
    labels = _texts(regime, "label") or [name.replace("_", " ") for name in names]
    units = _texts(regime, "unit") or [""] * len(names)
    diverged = _by_cell(regime, STATUS) == DIVERGED
    arrays = [_by_cell(regime, name).astype(float) for name in ("predicted", MINIMUM, LEARNED, "sampling_error")]
    numbers = zip(*(array.reshape(-1, *array.shape[2:]) for array in (*arrays, diverged)), strict=True)
    described = list(zip(labels, units, strict=True)) * len(arrays[0])
    comparisons = [_compare(*about, *values) for about, values in zip(described, numbers, strict=True)]
    return [comparisons[first : first + len(names)] for first in range(0, len(comparisons), len(names))]


def _by_cell(regime, name: str) -> np.ndarray:
    """Return a variable by cell, quantity and member, ``[cells, quantities, members]``; NaN where it is missing."""
    learned = regime[LEARNED]
    variable = regime[name].broadcast_like(learned) if name in regime else learned * math.nan
    values = variable.transpose(*axes_of(regime), QUANTITY, ...).values
    return values.reshape(len(cells_of(regime)), regime.sizes[QUANTITY], -1)


def _compare(label: str, unit: str, predicted, minimum, learned, sampling_error, diverged) -> Comparison:
    """Return one quantity of one cell from the numbers of its members."""
    good = np.isfinite(learned) & ~diverged
    mean, error = math.nan, math.nan
    if good.any():
        mean, error = float(np.mean(learned[good])), standard_error(learned[good], sampling_error[good])
    return Comparison(label, unit, _mean(predicted), _mean(minimum), mean, error)


def _mean(values: np.ndarray) -> float:
    """Return the mean; of equal values that value, free of rounding."""
    return float(values[0] if np.all(values == values[0]) else np.mean(values))


def _texts(regime, name: str) -> list[str]:
    """Return the texts of a variable over the quantities, none where it is missing."""
    return [str(text) for text in regime[name].values] if name in regime.variables else []


def count_texts(dataset, name: str) -> Counter:
    """Return how often each text occurs in a variable, none where it is missing."""
    values = dataset[name].values.ravel() if name in dataset.variables else ()
    return Counter(text for text in map(str, values) if text not in ("", "nan"))


def count_by_cell(regime, status: str) -> list[int]:
    """Return how many members of each cell ended so."""
    members = _by_cell(regime, STATUS)[:, 0]
    return [int(count) for count in np.sum(members == status, axis=-1)]
