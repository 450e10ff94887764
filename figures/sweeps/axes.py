"""The axes that a figure needs, of a sweep that may have fewer or more."""

import json
from collections.abc import Sequence


def keep_axes(dataset, names: Sequence[str]):
    """Return a sweep on the axes ``names`` alone: of one value where the user has fixed it, the first of all others.

    Args:
        dataset: a saved sweep, whose attributes say what was varied and what was fixed.
        names: fields of the configuration.
    """
    fixed = next(iter(json.loads(dataset.attrs["configuration"]).values()))
    dataset = dataset.isel({name: 0 for name in json.loads(dataset.attrs.get("axes", "[]")) if name not in names})
    for name in names:
        if name not in dataset.dims:
            wider = {key: one.expand_dims({name: [fixed[name]]}, 1) for key, one in dataset.items() if _varies(one)}
            dataset = dataset.assign(wider)
    return dataset


def _varies(variable) -> bool:
    """Return whether a variable belongs to cells or members."""
    return "regime" in variable.dims
