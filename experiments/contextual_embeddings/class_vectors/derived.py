"""What figures of free class vectors need beside each run: batch and temperature of its cell, floor and limit."""

import numpy as np
import xarray

from experiments.core.columns import attach_cells
from experiments.core.experiment import Plan
from experiments.core.phenomenon import Variable

CELL_VARIABLES = {
    "cell_temperature": Variable((), "temperature"),
    "cell_batch_size": Variable((), "pairs of a batch; NaN for infinitely many negatives"),
    "collides": Variable((), "whether classes of a batch are drawn independently, 1 or 0"),
    "is_drawn": Variable((), "whether batches are drawn, 1 or 0"),
    "floor_anisotropy": Variable((), "anisotropy at a high temperature, predicted"),
    "floor_temperature": Variable((), "temperature from which the anisotropy is at its floor, predicted"),
    "simplex_anisotropy": Variable((), "anisotropy in the limit of low temperature, predicted"),
}


def derive(dataset: xarray.Dataset, plan: Plan) -> xarray.Dataset:
    """Add what is known of each cell."""
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
