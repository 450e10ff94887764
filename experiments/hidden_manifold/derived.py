"""Variables by cell that figures of hidden manifolds need: coordinates of the points, and the manifold."""

import xarray

from experiments.core.columns import attach_cells
from experiments.core.experiment import Plan
from experiments.core.phenomenon import Variable
from experiments.hidden_manifold.training_spec import make_task

CELL_VARIABLES = {
    "coordinates": Variable(("point", "coordinate"), "true coordinates of the points"),
    "manifold_dimension": Variable((), "dimension of the manifold"),
    "is_sphere": Variable((), "whether the manifold is the sphere, 1 or 0"),
    "is_sampled": Variable((), "whether the loss is InfoNCE on the sphere, 1 or 0"),
}


def derive(dataset: xarray.Dataset, plan: Plan) -> xarray.Dataset:
    """Return the dataset with the variables of ``CELL_VARIABLES`` for each cell."""
    rows = [
        {
            "coordinates": make_task(cell.configuration).sample(0).latents,
            "manifold_dimension": 1.0 if cell.configuration.manifold == "circle" else 2.0,
            "is_sphere": float(cell.configuration.manifold == "sphere"),
            "is_sampled": float(cell.configuration.objective == "info-nce"),
        }
        for cell in plan.cells
    ]
    return attach_cells(dataset, plan, rows, CELL_VARIABLES)
