"""Variables that figures of deep linear networks need: names of the items and numbers of layers."""

from typing import cast

import numpy as np
import xarray

from experiments.core.experiment import Plan
from experiments.hierarchy.linear_configuration import LinearConfiguration
from simlab.tasks.item_properties import item_names


def derive(dataset: xarray.Dataset, plan: Plan) -> xarray.Dataset:
    """Add ``item_name`` of each regime, and ``layer_count`` of each cell."""
    names = np.full((dataset.sizes["regime"], dataset.sizes["item"]), "", dtype=object)
    configurations = [cast(LinearConfiguration, configuration) for configuration in plan.configurations.values()]
    for row, configuration in zip(names, configurations, strict=True):
        n_items = len(item_names()) if configuration.items != "tree" else configuration.branching**configuration.depth
        labels = item_names() if configuration.items != "tree" else [f"{item}" for item in range(1, n_items + 1)]
        shown = min(n_items, len(row))  # in a sweep over sizes the dataset may have fewer items
        row[:shown] = labels[:shown]
    cells = [cast(LinearConfiguration, cell.configuration) for cell in plan.cells]
    layers = np.array([cell.n_layers for cell in cells]).reshape(dataset["kind"].shape)
    return dataset.assign(
        item_name=(("regime", "item"), names, {"long_name": "name of an item", "units": "1"}),
        layer_count=(dataset["kind"].dims, layers, {"long_name": "number of layers", "units": "1"}),
    )
