"""Iterate over the members of a dataset, and attach variables computed for each member or cell."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import xarray

from experiments.core.assembly import lay_out
from experiments.core.experiment import Cell, Plan
from experiments.core.phenomenon import Variable
from simlab.sweeps.members import Member


def each_member(dataset: xarray.Dataset, plan: Plan) -> Iterator[tuple[tuple[int, ...], Cell, Member]]:
    """Yield the position of each member on the axes of a dataset, its cell, and the member.

    Args:
        dataset: the result of the plan, with the axes ``regime``, the varied axes, and ``seed``.
        plan: the plan that was run.
    """
    members = [(cell, Member(cell.spec, cell.hyperparameters, seed)) for cell in plan.cells for seed in plan.seeds]
    for index, (cell, member) in zip(np.ndindex(*_grid(dataset, plan).values()), members, strict=True):
        yield index, cell, member


def attach(
    dataset: xarray.Dataset, plan: Plan, rows: Sequence[Mapping[str, object]], variables: Mapping[str, Variable]
) -> xarray.Dataset:
    """Return the dataset with further variables of its members, padded with NaN where members differ in shape.

    Args:
        dataset: the result of the plan.
        plan: the plan that was run.
        rows: arrays of each member by name, in the order of :func:`each_member`.
        variables: dimensions and description of each array, by name.
    """
    return dataset.assign(_lay_out(_grid(dataset, plan), rows, variables))


def attach_cells(
    dataset: xarray.Dataset, plan: Plan, rows: Sequence[Mapping[str, object]], variables: Mapping[str, Variable]
) -> xarray.Dataset:
    """Return the dataset with further variables of its cells; one row of numbers or arrays by name for each cell."""
    grid = {name: size for name, size in _grid(dataset, plan).items() if name != "seed"}
    return dataset.assign(_lay_out(grid, rows, variables))


def _lay_out(
    grid: Mapping[str, int], rows: Sequence[Mapping[str, object]], variables: Mapping[str, Variable]
) -> dict[str, xarray.Variable]:
    """Return each variable on the grid."""
    return {name: lay_out([row[name] for row in rows], grid, variable) for name, variable in variables.items()}


def _grid(dataset: xarray.Dataset, plan: Plan) -> dict[str, int]:
    """Return the sizes of the axes that index the members."""
    return {name: dataset.sizes[name] for name in ("regime", *(axis.name for axis in plan.axes), "seed")}
