"""Predictions on a finer grid of a sweep's first numeric axis, so that figures show bends and jumps in their place."""

from __future__ import annotations

from collections.abc import Sequence
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
MOST_PREDICTIONS = 150  # in addition to those of the sweep
MOST_BETWEEN = 24  # per line; with fewer than LEAST_BETWEEN points a line is not worth its cost
LEAST_BETWEEN = 6
BESIDE = 1e-6  # relative distance of the points on both sides of a threshold


def add_fine_prediction(dataset: xarray.Dataset, plan: Plan, comparison: Comparison) -> xarray.Dataset:
    """Return a dataset with ``predicted_fine`` on its axis ``fine``, which lies along ``attrs["fine_axis"]``.

    The dataset is returned unchanged if no axis of real numbers has several values, if more than
    :data:`MOST_PREDICTIONS` would be needed, or if theory rejects an intermediate value.

    Args:
        dataset: the result of the sweep, with its thresholds.
        plan: the plan of the sweep.
        comparison: the comparison of its phenomenon.
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
    axes = [fine if coarse.name == axis.name else coarse for coarse in plan.axes]
    try:
        points = [point for start in plan.configurations.values() for point in vary(start, axes)]
        column = [comparison.describe_cell(*solved)["predicted"] for solved in _solve(plan, points)]
    except (ArithmeticError, ValueError):
        return dataset
    grid = {"regime": len(plan.configurations)}
    grid |= {DIMENSION if drawn is fine else drawn.name: len(drawn.values) for drawn in axes}
    about = Variable(("quantity",), f"predicted value, at finer values of {axis.name}")
    predicted = lay_out(column, grid, about)
    return dataset.assign({NAME: predicted}).assign_coords({DIMENSION: places}).assign_attrs({AXIS: axis.name})


def choose_axis(plan: Plan) -> Axis | None:
    """Return the first numeric axis with several values if its field is real-valued, else None."""
    numeric = [axis for axis in plan.axes if axis.labels.dtype.kind in "iuf" and len(axis.values) > 1]
    kinds = option_types(plan.phenomenon.configuration)
    return numeric[0] if numeric and kinds[numeric[0].name] in (float, float | None) else None


def fine_places(
    values: Float[np.ndarray, " n"], n_between: int, thresholds: Float[np.ndarray, " t"]
) -> Float[np.ndarray, " m"]:
    """Return the sorted values of an axis, points evenly spread between them, and points beside each threshold.

    Args:
        values: at least two values of the axis.
        n_between: maximal number of points between them.
        thresholds: each gets a point on both sides if it lies within the values.
    """
    values = np.unique(values)
    n_parts = 1 + n_between // (len(values) - 1)
    spread = np.geomspace if values[0] > 0 else np.linspace
    between = [spread(low, high, n_parts + 1)[1:-1] for low, high in pairwise(values)]
    inside = thresholds[(thresholds > values[0]) & (thresholds < values[-1])]
    return np.unique(np.concatenate([values, *between, inside * (1 - BESIDE), inside * (1 + BESIDE)]))


def _solve(plan: Plan, points: Sequence) -> list[tuple]:
    """Return the training spec and the prediction of each configuration, those of the sweep for its cells."""
    phenomenon = plan.phenomenon
    cells = [next((cell for cell in plan.cells if cell.configuration == point), None) for point in points]
    others = [point for point, cell in zip(points, cells, strict=True) if cell is None]
    for point in others:
        phenomenon.check_theory(point)
    make, predict_all = phenomenon.make_training_spec, phenomenon.predict_all
    specs = [None if make is None else make(point) for point in others]
    predictions = [phenomenon.predict(point) for point in others] if predict_all is None else predict_all(others)
    solved = zip(specs, predictions, strict=True)
    return [next(solved) if cell is None else (cell.spec, cell.prediction) for cell in cells]
