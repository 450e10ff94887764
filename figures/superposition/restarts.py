"""The best restart of each cell, and the axis of probabilities, of a run on sparse features."""

import json

import numpy as np

P = "active_probability"


def best_restart(dataset):
    """Return a dataset without seeds: of each cell the seed of the least loss among those that did not diverge."""
    loss = dataset.learned.sel(quantity="loss", drop=True).where(dataset.status != "diverged")
    best = loss.where(np.isfinite(loss), np.inf).argmin("seed")
    return dataset.isel(seed=best)


def over_probability(dataset):
    """Return a dataset with the axis of p, its values falling; of what else was varied the first value.

    Where p was fixed, its one value is taken from the configuration of the first regime.
    """
    names = json.loads(dataset.attrs.get("axes", "[]"))
    dataset = dataset.isel({name: 0 for name in names if name != P})
    if P not in dataset.dims:
        fixed = next(iter(json.loads(dataset.attrs["configuration"]).values()))[P]
        varied = [one for one in dataset.data_vars.values() if "regime" in one.dims]
        dataset = dataset.assign({one.name: one.expand_dims({P: [fixed]}, 1) for one in varied})
    return dataset.sortby(P, ascending=False)
