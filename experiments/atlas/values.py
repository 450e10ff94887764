"""The compared values of several runs as one labelled dataset, in units of the largest predicted value."""

import json
import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import xarray

from experiments.catalogue import Entry
from experiments.report import cells
from experiments.tables.columns import digits
from figures.declared import as_shown, headlines, quantities_of
from simlab.storage.results import provenance

MOST_ENTRIES = 300  # of an array; a longer array is thinned to every k-th entry
PHENOMENON_TEXTS = ("experiment", "source", "predicts", "basis")


class Value(NamedTuple):
    """A quantity of one cell.

    Attributes:
        quantity: label of the quantity.
        predicted: predicted value, in units of the largest predicted absolute value of the quantity, or in the unit of
            the quantity if all predicted values are zero.
        learned: mean over seeds, in the same units.
        spread: standard error of the mean, in the same units; NaN where it is not known.
        basis: basis of the prediction.
    """

    quantity: str
    predicted: float
    learned: float
    spread: float
    basis: str

    @property
    def digits(self) -> float:
        """The number of agreeing decimal digits; agreement beyond the standard error is not counted."""
        error = abs(self.learned - self.predicted)
        return digits(max(error, 0.0 if math.isnan(self.spread) else self.spread))


def compared_values(dataset: xarray.Dataset) -> list[Value]:
    """Return all values that are predicted and learned, of the quantities compared in the tables of a run."""
    shown = as_shown(dataset)
    names = headlines(shown)[0] or list(quantities_of(shown))
    rows = [
        (str(basis), comparisons)
        for regime in cells.regimes_of(shown.sel(quantity=names))
        for basis, comparisons in zip(
            regime.basis.transpose(*cells.axes_of(regime)).values.ravel(), cells.compare(regime), strict=True
        )
    ]
    values = []
    for place in range(len(names)):
        column = [(basis, row[place]) for basis, row in rows if math.isfinite(row[place].predicted)]
        scale = max((abs(pair.predicted) for _, pair in column), default=0.0) or 1.0
        values += [
            Value(pair.label, pair.predicted / scale, pair.learned / scale, pair.standard_error / scale, basis)
            for basis, pair in column
            if math.isfinite(pair.learned)
        ]
    return values


def compared_entries(dataset: xarray.Dataset, name: str) -> list[Value]:
    """Return learned and predicted entries of an array, member by member, thinned to at most ``MOST_ENTRIES``."""
    fields = dataset[[name, f"{name}_predicted", "basis", "status"]]
    pairs = fields.where(fields.status != "diverged").stack(entry=fields[name].dims)
    basis = xarray.broadcast(fields.basis, fields[name])[0].transpose(*fields[name].dims).values.ravel()
    learned, predicted = pairs[name].values, pairs[f"{name}_predicted"].values
    finite = np.flatnonzero(np.isfinite(learned) & np.isfinite(predicted))
    finite = finite[:: max(1, math.ceil(len(finite) / MOST_ENTRIES))]
    scale = float(np.abs(predicted[finite]).max(initial=0.0)) or 1.0
    label = name.replace("_", " ")
    return [
        Value(label, float(predicted[index] / scale), float(learned[index] / scale), math.nan, str(basis[index]))
        for index in finite
    ]


def values_of(entry: Entry, dataset: xarray.Dataset) -> list[Value]:
    """Return all compared values of the run that represents a phenomenon."""
    entries = (value for name in entry.arrays for value in compared_entries(dataset, name))
    return [*compared_values(dataset), *entries]


def atlas_dataset(
    values: Mapping[Entry, Sequence[Value]],
    diverged: Mapping[Entry, int],
    seconds: Mapping[str, float],
    preset: str,
) -> xarray.Dataset:
    """Return the values of all runs on ``point``, and the attributes of each phenomenon on ``phenomenon``.

    Args:
        values: the values of each run, by its entry.
        diverged: number of diverged members of each run.
        seconds: wall-clock time of each run, by the name of the phenomenon; absent if it was not measured.
        preset: preset of the runs.
    """
    points = [(entry.name, value) for entry, run_values in values.items() for value in run_values]
    numbers = {
        name: ("point", np.array([getattr(value, name) for _, value in points], float), {"units": "1"})
        for name in ("predicted", "learned", "spread", "digits")
    }
    texts = {
        "panel": [name for name, _ in points],
        "quantity": [value.quantity for _, value in points],
        "point_basis": [value.basis for _, value in points],
    }
    about = {name: [getattr(entry, name) for entry in values] for name in ("experiment", "source", "predicts")}
    # Identities between measured values are compared too, although their basis is "none".
    about["basis"] = [
        ", ".join(dict.fromkeys(value.basis for value in run_values if value.basis != "none"))
        for run_values in values.values()
    ]
    times = [seconds.get(entry.name, math.nan) for entry in values]
    return xarray.Dataset(
        {
            **numbers,
            **{name: ("point", np.array(column, object)) for name, column in texts.items()},
            **{name: ("phenomenon", np.array(column, object)) for name, column in about.items()},
            "seconds": ("phenomenon", times, {"units": "s"}),
            "diverged": ("phenomenon", list(diverged.values()), {"long_name": "members that diverged"}),
        },
        coords={"phenomenon": np.array([entry.name for entry in values], object)},
        attrs={"experiment": "atlas", "preset": preset, "figures": json.dumps(["atlas"]), **provenance()},
    )


def table_rows(dataset: xarray.Dataset) -> list[dict[str, object]]:
    """Return the row of the table for each phenomenon, by the name of the column.

    ``values`` counts the compared values; ``digits`` and ``least_digits`` are the median and the smallest number of
    agreeing decimal digits, relative to the largest predicted value of a quantity.
    """
    rows = []
    for name in map(str, dataset.phenomenon.values):
        selected = dataset.sel(phenomenon=name)
        agreed = dataset.digits.values[dataset.panel.values == name]
        rows.append(
            {
                "phenomenon": name,
                **{field: str(selected[field].item()) for field in PHENOMENON_TEXTS},
                "values": len(agreed),
                "digits": float(np.median(agreed)) if len(agreed) else math.nan,
                "least_digits": float(agreed.min(initial=math.inf)) if len(agreed) else math.nan,
                "seconds": float(selected.seconds.item()),
            }
        )
    return rows
