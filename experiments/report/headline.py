"""The headline numbers of a run in words, for the alternative text of its figures."""

import math
from collections.abc import Sequence

from experiments.report import cells, records
from experiments.report.cells import Comparison
from experiments.report.markup import plural
from experiments.report.tables import MOST_COMPARED, chosen_quantities
from figures.declared import as_shown


def headline_words(dataset) -> str:
    """Return a sentence with the learned and predicted values of the headline quantities, over all cells of a run.

    It is empty for a dataset without such numbers.

    Args:
        dataset: the saved run.
    """
    if records.has_claims(dataset):
        statuses = cells.count_texts(dataset, cells.STATUS)
        counts = ", ".join(f"{count} {status}" for status, count in statuses.items())
        return f"{plural(sum(statuses.values()), 'claim')}: {counts}."
    if not cells.has_comparison(dataset):
        return ""
    if "quantities" in dataset.attrs:
        dataset = as_shown(dataset)
    names = chosen_quantities(dataset)
    if names is not None:
        dataset = dataset.sel({cells.QUANTITY: names[:MOST_COMPARED]})
    rows = [row for regime in cells.regimes_of(dataset) for row in cells.compare(regime)]
    parts = [_quantity_words(column) for column in zip(*rows, strict=True)]
    known = [part for part in parts if part]
    return f"In this run, {'; '.join(known)}." if known else ""


def _quantity_words(column: Sequence[Comparison]) -> str:
    """Return one quantity over all cells in words; nothing where no learned value is known."""
    values = {
        "learned": _range(comparison.learned for comparison in column),
        "predicted": _range(comparison.predicted for comparison in column),
    }
    if not values["learned"]:
        return ""
    words = ", ".join(f"{name} {text}" for name, text in values.items() if text)
    errors = [comparison.error for comparison in column if not math.isnan(comparison.error)]
    if errors:
        words += f", {'largest error' if len(errors) > 1 else 'error'} {max(errors):.2g}"
    unit = f" ({column[0].unit})" if column[0].unit else ""
    return f"{column[0].label}{unit}: {words}"


def _range(values) -> str:
    """Return from where to where numbers go; nothing where none is known."""
    known = [value for value in values if not math.isnan(value)]
    if not known:
        return ""
    low, high = f"{min(known):.3g}", f"{max(known):.3g}"
    return low if low == high else f"{low} to {high}"
