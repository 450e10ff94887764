"""Variables that the figure of adversarial gain needs: p and k of each cell, and predicted curves."""

import numpy as np
import xarray

from experiments.core.columns import attach_cells
from experiments.core.experiment import Plan
from experiments.core.phenomenon import Variable
from experiments.superposition.gain_reference import predict

N_LINE = 41
CELL_VARIABLES = {
    "feature_probability": Variable((), "probability p of a feature; NaN for a classifier"),
    "cluster_count": Variable((), "number of clusters k; NaN for an autoencoder"),
    "robust_distance": Variable((), "largest distance from the other label that any network can achieve, |mu|/sqrt(2)"),
}


def derive(dataset: xarray.Dataset, plan: Plan) -> xarray.Dataset:
    """Add p and k of each cell, and the predicted gain between the smallest and the largest p."""
    from theory import superposition

    rows = []
    for cell in plan.cells:
        k, mean_norm = cell.configuration.n_clusters, cell.configuration.mean_norm
        rows.append(
            {
                "feature_probability": cell.configuration.active_probability if k is None else np.nan,
                "cluster_count": np.nan if k is None else k,
                "robust_distance": np.nan
                if k is None
                else superposition.feature_averaging(k, mean_norm).robust_distance,
            }
        )
    dataset = attach_cells(dataset, plan, rows, CELL_VARIABLES)
    features = [cell.configuration for cell in plan.cells if cell.configuration.n_clusters is None]
    if not features:
        return dataset
    probabilities = [configuration.active_probability for configuration in features]
    fine = np.unique([*np.geomspace(min(probabilities), max(probabilities), N_LINE), *probabilities])
    gains = [predict(features[0].replace(active_probability=float(p))).quantities["gain"] for p in fine]
    return dataset.assign_coords(line_active_probability=("line", fine)).assign(
        gain_line=("line", gains, {"long_name": "predicted adversarial gain", "units": "1"})
    )
