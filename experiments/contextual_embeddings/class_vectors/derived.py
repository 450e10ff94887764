"""Variables by cell that figures of free class vectors need: batch, temperature, floor and limit."""

import numpy as np
import xarray

from experiments.core.columns import attach_cells
from experiments.core.experiment import Plan
from experiments.core.phenomenon import Variable

CELL_VARIABLES = {
    "cell_temperature": Variable((), "temperature"),
    "cell_batch_size": Variable((), "pairs per batch; NaN for infinitely many negatives"),
    "collides": Variable((), "whether classes of a batch are drawn independently, 1 or 0"),
    "is_drawn": Variable((), "whether batches are drawn at each step, 1 or 0"),
    "floor_anisotropy": Variable((), "predicted anisotropy at high temperature"),
    "floor_temperature": Variable((), "predicted temperature above which the anisotropy is at its floor"),
    "simplex_anisotropy": Variable((), "predicted anisotropy in the low-temperature limit"),
}


def derive(dataset: xarray.Dataset, plan: Plan) -> xarray.Dataset:
    """Return the dataset with the variables of ``CELL_VARIABLES`` for each cell."""
    return attach_cells(dataset, plan, [_row(cell.configuration) for cell in plan.cells], CELL_VARIABLES)


def _row(configuration) -> dict[str, float]:
    from theory import contextual_embeddings as theory

    priors = configuration.class_priors
    if priors is None:
        priors = (1 / configuration.n_classes,) * configuration.n_classes
    size = configuration.batch_size
    return {
        "cell_temperature": configuration.temperature,
        "cell_batch_size": np.nan if size is None else float(size),
        "collides": float(configuration.repeats_classes),
        "is_drawn": float(configuration.negatives == "batch"),
        "floor_anisotropy": theory.floor_anisotropy(max(priors)),
        "floor_temperature": theory.floor_temperature(max(priors)),
        "simplex_anisotropy": theory.simplex_anisotropy(np.array(priors)),
    }
