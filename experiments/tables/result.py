"""The table of a saved run, whatever varies in it."""

import json

from experiments.tables.single import format_comparison
from experiments.tables.sweep import format_sweep


def format_result(dataset) -> str:
    """Return the table of a saved run: every quantity of a single configuration, or a line for each of a sweep."""
    if json.loads(dataset.attrs["axes"]):
        return format_sweep(dataset)
    return format_comparison(dataset)
