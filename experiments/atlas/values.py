"""The compared values of several runs as one labelled dataset, each in units of the largest predicted one."""

import json
import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import xarray

from experiments.atlas.entries import Entry
from experiments.report import cells
from experiments.tables.columns import digits
from figures.declared import as_shown, headlines, quantities_of
from simlab.storage.results import provenance

MOST_ENTRIES = 300  # of an array: of a longer one every k-th entry is taken
PHENOMENON_TEXTS = ("experiment", "source", "predicts", "basis")


class Value(NamedTuple):
    """A quantity of one cell.

    Attributes:
        quantity: its label.
        predicted: in units of the largest predicted absolute value of the quantity, or in its own where all are zero.
        learned: mean over seeds, in the same units.
        spread: standard error of the mean; NaN where it is not known.
        basis: of the prediction.
    """

    quantity: str
    predicted: float
    learned: float
    spread: float
    basis: str

    @property
    def digits(self) -> float:
        """Decimal digits that agree; agreement better than the standard error is not counted."""
        error = abs(self.learned - self.predicted)
        return digits(max(error, 0.0 if math.isnan(self.spread) else self.spread))


def compared_values(dataset: xarray.Dataset) -> list[Value]:
    """Return the values of a run that are both predicted and learned, of the quantities that its tables compare."""
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
        scale = max((abs(one.predicted) for _, one in column), default=0.0) or 1.0
        values += [
            Value(one.label, one.predicted / scale, one.learned / scale, one.standard_error / scale, basis)
            for basis, one in column
            if math.isfinite(one.learned)
        ]
    return values


def compared_entries(dataset: xarray.Dataset, name: str) -> list[Value]:
    """Return the entries of a learned array beside the predicted ones, member by member, at most ``MOST_ENTRIES``."""
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
    """Return all compared values of the run that stands for a phenomenon."""
    entries = (value for name in entry.arrays for value in compared_entries(dataset, name))
    return [*compared_values(dataset), *entries]


def atlas_dataset(
    values: Mapping[Entry, Sequence[Value]],
    diverged: Mapping[Entry, int],
    seconds: Mapping[str, float],
    preset: str,
) -> xarray.Dataset:
    """Return the values of all runs over ``point``, and what is said of each phenomenon over ``phenomenon``.

    Args:
        values: of the runs, by the entries that have been run.
        diverged: members of these runs that diverged.
        seconds: of the clock that each took, by the name of the phenomenon; missing where a run was found finished.
        preset: of the runs.
    """
    points = [(entry.name, value) for entry, of_one in values.items() for value in of_one]
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
    # An identity of what was measured is compared also where nothing is predicted.
    about["basis"] = [
        ", ".join(dict.fromkeys(value.basis for value in of_one if value.basis != "none")) for of_one in values.values()
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
    """Return what the table says of each phenomenon, by the name of the column.

    ``values`` counts the compared values; ``digits`` and ``least_digits`` are the median and the least number of
    decimal digits that agree, relative to the largest predicted value of a quantity.
    """
    rows = []
    for name in map(str, dataset.phenomenon.values):
        one = dataset.sel(phenomenon=name)
        agreed = dataset.digits.values[dataset.panel.values == name]
        rows.append(
            {
                "phenomenon": name,
                **{field: str(one[field].item()) for field in PHENOMENON_TEXTS},
                "values": len(agreed),
                "digits": float(np.median(agreed)) if len(agreed) else math.nan,
                "least_digits": float(agreed.min(initial=math.inf)) if len(agreed) else math.nan,
                "seconds": float(one.seconds.item()),
            }
        )
    return rows
