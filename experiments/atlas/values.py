"""The compared values of several runs as one labelled dataset, each in units of the largest predicted one."""

import json
import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import xarray

from experiments.atlas.entries import Entry
from experiments.tables.columns import digits, standard_error
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
    dataset = as_shown(dataset)
    declared = quantities_of(dataset)
    cells = [name for name in dataset.predicted.dims if name != "quantity"]
    values = []
    for name in headlines(dataset)[0] or declared:
        chosen = dataset[["predicted", "learned", "sampling_error", "status", "basis"]].sel(quantity=name, drop=True)
        chosen = chosen.stack(cell=cells)
        predicted = chosen.predicted.values
        finite = np.isfinite(predicted)
        scale = float(np.abs(predicted[finite]).max(initial=0.0)) or 1.0
        for index in np.flatnonzero(finite):
            cell = chosen.isel(cell=index)
            is_learned = np.isfinite(cell.learned.values) & (cell.status.values != "diverged")
            if not is_learned.any():
                continue
            learned = cell.learned.values[is_learned]
            spread = standard_error(learned, cell.sampling_error.values[is_learned])
            values.append(
                Value(
                    declared[name].label,
                    float(predicted[index] / scale),
                    float(np.mean(learned) / scale),
                    spread / scale,
                    str(cell.basis.item()),
                )
            )
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


def atlas_dataset(
    entries: Sequence[Entry], runs: Mapping[str, xarray.Dataset], seconds: Mapping[str, float], preset: str
) -> xarray.Dataset:
    """Return the values of all runs over ``point``, and what is said of each phenomenon over ``phenomenon``.

    Args:
        entries: those that have been run.
        runs: their datasets, by the name of the phenomenon.
        seconds: of the clock that each took, by the same name; missing where a run was found finished.
        preset: of the runs.
    """
    values = {
        entry.name: [
            *compared_values(runs[entry.name]),
            *(value for name in entry.arrays for value in compared_entries(runs[entry.name], name)),
        ]
        for entry in entries
    }
    points = [(entry.name, value) for entry in entries for value in values[entry.name]]
    numbers = {
        name: ("point", np.array([getattr(value, name) for _, value in points], float), {"units": "1"})
        for name in ("predicted", "learned", "spread", "digits")
    }
    texts = {
        "panel": ("point", np.array([name for name, _ in points], object)),
        "quantity": ("point", np.array([value.quantity for _, value in points], object)),
        "point_basis": ("point", np.array([value.basis for _, value in points], object)),
    }
    # An identity of what was measured is compared also where nothing is predicted.
    bases = {
        name: ", ".join(dict.fromkeys(value.basis for value in of_one if value.basis != "none"))
        for name, of_one in values.items()
    }
    about = {
        **{name: [getattr(entry, name) for entry in entries] for name in ("experiment", "source", "predicts")},
        "basis": [bases[entry.name] for entry in entries],
    }
    diverged = [int((runs[entry.name].status == "diverged").sum()) for entry in entries]
    return xarray.Dataset(
        {
            **numbers,
            **texts,
            **{name: ("phenomenon", np.array(about[name], object)) for name in PHENOMENON_TEXTS},
            "seconds": ("phenomenon", [seconds.get(entry.name, math.nan) for entry in entries], {"units": "s"}),
            "diverged": ("phenomenon", diverged, {"long_name": "members that diverged"}),
        },
        coords={"phenomenon": np.array([entry.name for entry in entries], object)},
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
