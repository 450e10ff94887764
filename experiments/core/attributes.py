"""Attributes of the dataset of a run: what was run, and what tables, figures and reports need to show it."""

import dataclasses
import json

from experiments.core.experiment import Plan
from experiments.core.phenomenon import Comparison
from experiments.core.quantity import check_declarations, describe

SWEEP_FIGURE, MAP_FIGURE = "sweeps.sweep", "sweeps.map"
LEAST_OF_MAP = 3  # minimal number of values on each axis of a map


def declarations(plan: Plan, comparison: Comparison) -> dict[str, str]:
    """Return the attributes of a plan's dataset that tables, figures and reports read, as JSON texts by name.

    Raises:
        ValueError: the declarations of the comparison are inconsistent; the message names the quantity.
    """
    check_declarations(comparison.quantities, comparison.thresholds, comparison.best_by, comparison.cell_variables)
    description = plan.describe()
    values = {
        "sweep": description,
        "configuration": description["configuration"],
        "axes": [axis.name for axis in plan.axes],
        "axis_labels": {axis.name: axis_label(axis.name, plan.phenomenon, comparison) for axis in plan.axes},
        "quantities": describe(comparison.quantities),
        "thresholds": describe(comparison.thresholds),
        "figures": figure_names(plan),
        "assumptions": caveats(plan),
    }
    if comparison.certificate is not None:
        values["certificate"] = dataclasses.asdict(comparison.certificate)
    if plan.talk is not None:
        values["talk"] = dict(zip(("figure", "question"), plan.talk, strict=True))
    texts = {} if comparison.best_by is None else {"best_by": comparison.best_by}
    return {name: json.dumps(value) for name, value in values.items()} | texts


def figure_names(plan: Plan) -> list[str]:
    """Return the figures of a plan's dataset, as modules of the package ``figures``, without duplicates."""
    sizes = [len(axis.values) for axis in plan.axes if axis.labels.dtype.kind in "iuf"]
    is_map = len(plan.axes) == len(sizes) == 2 and min(sizes) >= LEAST_OF_MAP
    swept = [SWEEP_FIGURE, MAP_FIGURE] if is_map else [SWEEP_FIGURE]
    common = swept if plan.axes else plan.phenomenon.figures
    return list(dict.fromkeys([*common, *(figure for figure in plan.figures if isinstance(figure, str))]))


def axis_label(name: str, phenomenon, comparison: Comparison) -> str:
    """Return the label of an axis, with its unit.

    The label is taken from the metadata of the configuration's field (``label``, ``unit``), else from the comparison's
    ``axis_labels``, else it is the name in words.
    """
    metadata = {field.name: field.metadata for field in dataclasses.fields(phenomenon.configuration)}.get(name, {})
    if metadata.get("label"):
        unit = metadata.get("unit")
        return f"{metadata['label']} ({unit})" if unit else metadata["label"]
    words = f"number of {name[2:]}" if name.startswith("n_") else name
    return comparison.axis_labels.get(name, words.replace("_", " "))


def caveats(plan: Plan) -> dict[str, list[str]]:
    """Return, for each regime, the reasons why the prediction of some of its cells is not a theorem."""
    of_prediction = plan.phenomenon.load_comparison().caveats
    lines: dict[str, dict[str, None]] = {}
    for cell in plan.cells:
        lines.setdefault(cell.regime, {}).update(dict.fromkeys(of_prediction(cell.prediction)))
    return {regime: list(reasons) for regime, reasons in lines.items()}
