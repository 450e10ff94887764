"""Variables that the figure of the time to isotropy needs: the predicted curve over temperature and its minimum."""

import numpy as np
import xarray

from experiments.contextual_embeddings.class_vectors.configuration import TARGETS
from experiments.core.columns import attach_cells
from experiments.core.experiment import Plan
from experiments.core.phenomenon import Variable

CELL_VARIABLES = {"cell_temperature": Variable((), "temperature")}
N_LINE = 121
MARGIN = 1.25  # factor by which the line extends beyond the temperatures of the sweep


def derive(dataset: xarray.Dataset, plan: Plan) -> xarray.Dataset:
    """Add the predicted times over temperature for the first cell's classes and initial angle, and their minima."""
    from theory.contextual_embeddings import best_temperature, time_to_cosine

    choices = [cell.configuration for cell in plan.cells]
    count, angle = choices[0].n_classes, choices[0].initial_angle
    ends = [choice.temperature for choice in choices]
    line = np.geomspace(min(ends) / MARGIN, max(ends) * MARGIN, N_LINE)
    times = [[time_to_cosine(count, tau, angle, target) for tau in line] for target in TARGETS.values()]
    best = np.array([best_temperature(count, angle, target) for target in TARGETS.values()])
    dataset = attach_cells(dataset, plan, [{"cell_temperature": tau} for tau in ends], CELL_VARIABLES)
    return dataset.assign_coords(line_temperature=("line", line), target=("target", list(TARGETS.values()))).assign(
        time_line=(("target", "line"), np.array(times), {"long_name": "predicted time to a mean cosine", "units": "1"}),
        best_temperature=("target", best[:, 0], {"long_name": "predicted fastest temperature", "units": "1"}),
        best_time=("target", best[:, 1], {"long_name": "predicted time at the fastest temperature", "units": "1"}),
    )
