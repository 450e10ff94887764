"""The table of a saved run as JSON: an object for each quantity of each cell."""

import json
import math
from itertools import product

import numpy as np

from experiments.tables.columns import standard_error
from figures.declared import as_shown, quantities_of


def result_to_json(dataset) -> str:
    """Return a list of objects, one for each quantity of each regime and combination of varied values.

    Numbers are those of ``results.nc``. Learned values are means over the seeds that did not diverge, with standard
    errors. Undefined numbers are null.
    """
    dataset = as_shown(dataset)
    axes = json.loads(dataset.attrs.get("axes", "[]"))
    indices = product(*(range(dataset.sizes[name]) for name in ("regime", *axes)))
    cells = (dataset.isel(dict(zip(("regime", *axes), place, strict=True))) for place in indices)
    return json.dumps([row for cell in cells for row in _rows(cell, axes)], indent=1)


def _rows(cell, axes: list[str]) -> list[dict[str, object]]:
    """Return the objects of one cell."""
    where = {name: cell[name].values.item() for name in ("regime", *axes)}
    basis = {name: str(cell[name].values) for name in ("kind", "basis") if name in cell}
    is_finished = cell.status.values != "diverged"
    rows = []
    for name, quantity in quantities_of(cell).items():
        row = cell.sel(quantity=name)
        finite = np.isfinite(row.learned.values) & is_finished
        learned = row.learned.values[finite]
        numbers = {
            "predicted": float(row.predicted),
            "minimum": float(np.mean(row.exact_minimum.values)),
            "learned": float(np.mean(learned)) if learned.size else math.nan,
            "standard_error": standard_error(learned, row.sampling_error.values[finite]),
        }
        finite_or_null = {key: number if math.isfinite(number) else None for key, number in numbers.items()}
        counts = {"seeds": int(is_finished.size), "diverged": int(np.sum(~is_finished))}
        rows.append({**where, "quantity": name, "unit": quantity.unit, **finite_or_null, **basis, **counts})
    return rows
