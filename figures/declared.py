"""The declarations of a saved dataset (quantities, thresholds, axes), and the learned values that figures show.

The attributes of a dataset are data: missing or unknown ones raise an error of one line.
"""

import json
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

MEAN = "mean over the seeds that did not diverge"


class Panel(NamedTuple):
    """A row of a sweep figure: the name of its quantity and the declared fields of the panel."""

    quantity: str
    label: str
    height: float
    scale: str
    changes: Mapping[str, str]
    undefined_with: str


class Quantity(NamedTuple):
    """The declaration of a quantity; see ``experiments.core.quantity``."""

    label: str
    unit: str
    headline: str
    reduce: str
    panels: tuple[Panel, ...]

    @property
    def full_label(self) -> str:
        """The label, followed by the unit if there is one."""
        return f"{self.label} ({self.unit})" if self.unit else self.label


class Threshold(NamedTuple):
    """The declaration of a threshold: its label, its axis and its dash pattern."""

    label: str
    axis: str
    line: tuple[float, ...]


class Certificate(NamedTuple):
    """The declaration of a certificate: the names of its variables and their unit."""

    value: str
    gap: str
    unit: str


def predicted_kinds(dataset) -> list[str]:
    """Return the kinds of predictions in alphabetical order; ``nothing`` if there are none."""
    return sorted({str(kind) for kind in dataset.kind.values.ravel()} - {"", "nan"}) or ["nothing"]


def check_version(dataset) -> None:
    """Raise ``ValueError`` for a dataset written by a version that did not declare quantities."""
    if "quantities" in dataset.attrs:
        return
    version, revision = (dataset.attrs.get(name, "unknown") for name in ("simlab_version", "git_revision"))
    raise ValueError(
        "folder: expected a results.nc of simlab 0.2 or newer, "
        f"got one of simlab {version}, revision {revision}, which can still plot it"
    )


def quantities_of(dataset) -> dict[str, Quantity]:
    """Return the declared quantities that a dataset contains, by name, in their declared order.

    Raises:
        ValueError: the dataset was written by a version that did not declare quantities.
    """
    check_version(dataset)
    held = set(map(str, np.atleast_1d(dataset["quantity"].values)))
    declared = json.loads(dataset.attrs["quantities"])
    return {name: _quantity(name, fields) for name, fields in declared.items() if name in held}


def _quantity(name: str, fields: dict) -> Quantity:
    panels = tuple(Panel(quantity=name, **panel) for panel in fields.pop("panels"))
    return Quantity(**fields, panels=panels)


def headlines(dataset) -> tuple[list[str], list[str]]:
    """Return the names of the compared headline quantities, and of those with learned values only.

    Without declared headlines the first three quantities are compared.
    """
    declared = quantities_of(dataset)
    compared, learned = (
        [name for name, quantity in declared.items() if quantity.headline == kind] for kind in ("compared", "learned")
    )
    return (compared, learned) if compared or learned else (list(declared)[:3], [])


def panels_of(dataset) -> list[Panel]:
    """Return the rows of a sweep figure, those of compared quantities first.

    Without declared panels each headline quantity has one.
    """
    declared, (compared, learned) = quantities_of(dataset), headlines(dataset)
    order = [*compared, *(name for name in declared if name not in compared)]
    panels = [panel for name in order for panel in declared[name].panels]
    plain = {"height": 1.0, "scale": "free", "changes": {}, "undefined_with": ""}
    return panels or [Panel(name, declared[name].full_label, **plain) for name in (*compared, *learned)]


def thresholds_of(dataset) -> dict[str, Threshold]:
    """Return the declared thresholds that a dataset contains, by the name of their variable."""
    declared = json.loads(dataset.attrs.get("thresholds", "{}"))
    held = {name: fields for name, fields in declared.items() if name in dataset}
    return {name: Threshold(item["label"], item["axis"], tuple(item["line"])) for name, item in held.items()}


def certificate_of(dataset) -> Certificate | None:
    """Return the declared certificate of a dataset, None without one or if its variables are missing."""
    fields = json.loads(dataset.attrs.get("certificate", "null"))
    if fields is None or not {fields["value"], fields["gap"]} <= set(dataset.variables):
        return None
    return Certificate(**fields)


def axis_label(dataset, name: str) -> str:
    """Return the label of an axis, with its unit."""
    return json.loads(dataset.attrs.get("axis_labels", "{}")).get(name, name.replace("_", " "))


def reduction_of(dataset) -> str:
    """Return a description of how the learned values of a cell's seeds are reduced to one value."""
    best_by, declared = dataset.attrs.get("best_by"), quantities_of(dataset)
    best = [name for name, quantity in declared.items() if quantity.reduce == "best"]
    if not best_by or not best:
        return MEAN
    least = f"the value of the seed with the smallest {declared[best_by].label}"
    shown = [name for names in headlines(dataset) for name in names]
    if set(shown) <= set(best):
        return least
    return f"{MEAN}; for {', '.join(declared[name].label for name in shown if name in best)} {least}"


def as_shown(dataset):
    """Return the dataset with the learned values that tables and figures show, and with no variable missing.

    For a quantity that is reduced to the best of several restarts, the values of all other seeds are NaN, and so are
    its sampling errors, as the best of several draws has no standard error. The best seed of a cell has the smallest
    ``best_by`` among those that did not diverge. ``exact_minimum`` and ``sampling_error`` are NaN if missing.
    """
    names = [name for name in ("exact_minimum", "sampling_error") if name not in dataset]
    dataset = dataset.assign({name: dataset.learned * np.nan for name in names})
    best_by = dataset.attrs.get("best_by")
    reduced = [name for name, quantity in quantities_of(dataset).items() if quantity.reduce == "best"]
    if not best_by or not reduced or "seed" not in dataset.learned.dims:
        return dataset
    judged = dataset.learned.sel(quantity=best_by, drop=True).where(dataset.status != "diverged")
    judged = judged.where(np.isfinite(judged), np.inf)
    is_best = (judged == judged.min("seed")) & np.isfinite(judged)
    is_best = is_best & (is_best.cumsum("seed") == 1)  # the first among equal seeds
    others = ~dataset["quantity"].isin(reduced)
    order = dataset.learned.dims
    return dataset.assign(
        learned=dataset.learned.where(is_best | others).transpose(*order),
        sampling_error=dataset.sampling_error.where(others),
    )
