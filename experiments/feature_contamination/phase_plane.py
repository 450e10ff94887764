"""The vector field of the two-variable ODE of aligned networks in the plane of both weights, for each regime."""

import numpy as np
import xarray

from experiments.core.experiment import Plan
from experiments.feature_contamination.configuration import ALIGNED, ContaminationConfiguration
from experiments.feature_contamination.reference import aligned_network, make_features

N_GRID = 15


def derive(dataset: xarray.Dataset, plan: Plan) -> xarray.Dataset:
    """Add ``(c', b')`` for each regime on a grid that extends slightly beyond its learned weights.

    In a sweep the field is that of the first cell of each regime.
    """
    first = {cell.regime: cell.configuration for cell in reversed(plan.cells)}
    fields = [_field(dataset.sel(regime=regime), first[regime]) for regime in dataset.regime.values]
    names = ("grid_core", "grid_background", "core_drift", "background_drift")
    dims = {
        "grid_core": ("regime", "place_core"),
        "grid_background": ("regime", "place_background"),
        "core_drift": ("regime", "place_background", "place_core"),
        "background_drift": ("regime", "place_background", "place_core"),
    }
    about = {
        "grid_core": "weight along the core, on the grid",
        "grid_background": "weight along the background, on the grid",
        "core_drift": "dc/ds with s = rate steps / m",
        "background_drift": "db/ds with s = rate steps / m",
    }
    columns = {name: np.stack([field[index] for field in fields]) for index, name in enumerate(names)}
    return dataset.assign({
        name: (dims[name], values, {"long_name": about[name], "units": "1"}) for name, values in columns.items()
    })  # fmt: skip


def _field(cells: xarray.Dataset, configuration: ContaminationConfiguration) -> tuple[np.ndarray, ...]:
    """Return the weights of the grid and the drift on it; NaN for the reduction to single neurons."""
    from theory.feature_contamination import aligned_drift

    reach = 1.1 * max(float(np.nanmax(cells[f"history_{name}"])) for name in ("core_weight", "background_weight"))
    core, background = np.linspace(reach / N_GRID, reach, N_GRID), np.linspace(0, reach, N_GRID)
    drift = np.full((2, N_GRID, N_GRID), np.nan)
    if configuration.reduction == ALIGNED:
        features, network = make_features(configuration), aligned_network(configuration)
        points = np.array([[aligned_drift(features, network, c, b) for c in core] for b in background])
        drift = np.moveaxis(points, -1, 0)
    return core, background, *drift
