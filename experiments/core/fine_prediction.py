"""The prediction of a sweep between the values of its first numeric axis: bends and jumps where theory has them."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from experiments.core.assembly import lay_out
from experiments.core.axes import Axis, vary
from experiments.core.options import option_types
from experiments.core.phenomenon import Comparison, Variable

if TYPE_CHECKING:
    import xarray
    from jaxtyping import Float

    from experiments.core.experiment import Plan

NAME, DIMENSION, AXIS = "predicted_fine", "fine", "fine_axis"
MOST_PREDICTIONS = 150  # beyond those of the sweep itself
MOST_BETWEEN = 24  # per line; below LEAST_BETWEEN a line is not worth its cost
LEAST_BETWEEN = 6
BESIDE = 1e-6  # relative distance of the points on both sides of a threshold


def add_fine_prediction(dataset: xarray.Dataset, plan: Plan, comparison: Comparison) -> xarray.Dataset:
    """Return a dataset with ``predicted_fine`` on its axis ``fine``, which lies along ``attrs["fine_axis"]``.

    It stays as it is where no axis of real numbers has several values, where more than :data:`MOST_PREDICTIONS` would
    be needed, and where theory takes no values between.

    Args:
        dataset: of the sweep, with its thresholds.
        plan: that made it.
        comparison: of its phenomenon.
    """
    axis = choose_axis(plan)
    if axis is None:
        return dataset
    n_lines = len(plan.cells) // len(axis.values)
    n_between = min(MOST_BETWEEN, MOST_PREDICTIONS // n_lines)
    if n_between < LEAST_BETWEEN:
        return dataset
    names = [name for name, threshold in comparison.thresholds.items() if threshold.axis == axis.name]
    thresholds = np.unique([value for name in names if name in dataset for value in np.ravel(dataset[name].values)])
    places = fine_places(np.array(axis.values, float), n_between, thresholds[: n_between // 2])
    fine = Axis(axis.name, tuple(places.tolist()))
    axes = [fine if one.name == axis.name else one for one in plan.axes]
    try:
        rows = [
            {NAME: comparison.describe_cell(*_solve(plan, point))["predicted"]}
            for start in plan.configurations.values()
            for point in vary(start, axes)
        ]
    except (ArithmeticError, ValueError):
        return dataset
    grid = {"regime": len(plan.configurations)}
    grid |= {DIMENSION if one is fine else one.name: len(one.values) for one in axes}
    about = Variable(("quantity",), f"what theory predicts, at finer values of {axis.name}")
    column = lay_out([row[NAME] for row in rows], grid, about)
    return dataset.assign({NAME: column}).assign_coords({DIMENSION: places}).assign_attrs({AXIS: axis.name})


def choose_axis(plan: Plan) -> Axis | None:
    """Return the first axis of several numbers if they are real ones, else None."""
    numeric = [axis for axis in plan.axes if axis.labels.dtype.kind in "iuf" and len(axis.values) > 1]
    kinds = option_types(plan.phenomenon.configuration)
    return numeric[0] if numeric and kinds[numeric[0].name] in (float, float | None) else None


def fine_places(
    values: Float[np.ndarray, " n"], n_between: int, thresholds: Float[np.ndarray, " t"]
) -> Float[np.ndarray, " m"]:
    """Return the sorted values of an axis, points evenly spread between them, and points beside each threshold.

    Args:
        values: at least two.
        n_between: how many points lie between them, at most.
        thresholds: each has a point on both sides if it lies within the values.
    """
    values = np.unique(values)
    n_parts = 1 + n_between // (len(values) - 1)
    spread = np.geomspace if values[0] > 0 else np.linspace
    between = [spread(low, high, n_parts + 1)[1:-1] for low, high in pairwise(values)]
    inside = thresholds[(thresholds > values[0]) & (thresholds < values[-1])]
    return np.unique(np.concatenate([values, *between, inside * (1 - BESIDE), inside * (1 + BESIDE)]))


def _solve(plan: Plan, configuration) -> tuple:
    """Return the training spec of a configuration and its prediction, that of the sweep where it is a cell of it."""
    for cell in plan.cells:
        if cell.configuration == configuration:
            return cell.spec, cell.prediction
    plan.phenomenon.check_theory(configuration)
    make = plan.phenomenon.make_training_spec
    return (None if make is None else make(configuration)), plan.phenomenon.predict(configuration)
