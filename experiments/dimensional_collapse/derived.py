"""Variables by cell that figures of dimensional collapse need: temperatures, corrected eigenvalues, the curve f(t)."""

import numpy as np
import xarray

from experiments.core.columns import attach_cells
from experiments.core.experiment import Plan
from experiments.core.phenomenon import Variable

N_LINE = 241
LARGEST_LEVEL = 4.0
CELL_VARIABLES = {
    "cell_temperature": Variable((), "temperature, the unit in which eigenvalues lie on the curve"),
    "uses_distance": Variable((), "whether the similarity is the distance, 1 or 0"),
    "is_sampled": Variable((), "whether negatives are in-batch, 1 or 0"),
    "finite_batch_eigenvalues": Variable(
        ("direction",), "predicted eigenvalues with the first-order finite-batch correction"
    ),
}


def derive(dataset: xarray.Dataset, plan: Plan) -> xarray.Dataset:
    """Return the dataset with the variables of ``CELL_VARIABLES``, and the curve f(t) at levels from 0 to 4."""
    from theory.dimensional_collapse import surviving_eigenvalue

    rows = [
        {
            "cell_temperature": cell.configuration.temperature,
            "uses_distance": float(cell.configuration.similarity == "distance"),
            "is_sampled": float(cell.configuration.negatives == "batch"),
            "finite_batch_eigenvalues": cell.prediction.finite_batch,
        }
        for cell in plan.cells
    ]
    levels = np.linspace(0, LARGEST_LEVEL, N_LINE)[1:]
    curve = ("line", surviving_eigenvalue(levels), {"long_name": "predicted eigenvalue f(t)", "units": "1"})
    return (
        attach_cells(dataset, plan, rows, CELL_VARIABLES).assign_coords(line_level=("line", levels)).assign(curve=curve)
    )
