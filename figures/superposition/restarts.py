"""Selection of the best restart of each cell, and of the axis of p, in a run on sparse features."""

import json

import numpy as np

P = "active_probability"


def best_restart(dataset):
    """Return the dataset at the seed of smallest loss of each cell, among those that did not diverge."""
    loss = dataset.learned.sel(quantity="loss", drop=True).where(dataset.status != "diverged")
    best = loss.where(np.isfinite(loss), np.inf).argmin("seed")
    return dataset.isel(seed=best)


def over_probability(dataset):
    """Return the dataset along decreasing p, at the first value of other axes.

    If p was fixed, its value is taken from the configuration of the first regime.
    """
    names = json.loads(dataset.attrs.get("axes", "[]"))
    dataset = dataset.isel({name: 0 for name in names if name != P})
    if P not in dataset.dims:
        fixed = next(iter(json.loads(dataset.attrs["configuration"]).values()))[P]
        varied = [array for array in dataset.data_vars.values() if "regime" in array.dims]
        dataset = dataset.assign({array.name: array.expand_dims({P: [fixed]}, 1) for array in varied})
    return dataset.sortby(P, ascending=False)
