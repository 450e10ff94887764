"""The table of a saved run, with or without varied axes."""

import json

from experiments.tables.single import format_comparison
from experiments.tables.sweep import format_sweep


def format_result(dataset) -> str:
    """Return the table of a saved run: all quantities of a single configuration, or a line for each cell of a sweep."""
    if json.loads(dataset.attrs["axes"]):
        return format_sweep(dataset)
    return format_comparison(dataset)
