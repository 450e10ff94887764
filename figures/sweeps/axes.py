"""Selection of the axes that a figure needs from a sweep with other axes."""

import json
from collections.abc import Sequence


def keep_axes(dataset, names: Sequence[str]):
    """Return a sweep over the axes ``names`` only: fixed axes get length one, others are cut to their first value.

    Args:
        dataset: a saved sweep, whose attributes list varied axes and fixed options.
        names: fields of the configuration.
    """
    fixed = next(iter(json.loads(dataset.attrs["configuration"]).values()))
    dataset = dataset.isel({name: 0 for name in json.loads(dataset.attrs.get("axes", "[]")) if name not in names})
    for name in names:
        if name not in dataset.dims:
            wider = {
                key: variable.expand_dims({name: [fixed[name]]}, 1)
                for key, variable in dataset.items()
                if _varies(variable)
            }
            dataset = dataset.assign(wider)
    return dataset


def _varies(variable) -> bool:
    """Return whether a variable belongs to cells or members."""
    return "regime" in variable.dims
