"""Members of a dataset one by one, and what was found of each as variables on its axes."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import xarray

from experiments.experiment import Cell, Plan
from experiments.phenomenon import Variable
from simlab.members import Member


def each_member(dataset: xarray.Dataset, plan: Plan) -> Iterator[tuple[tuple[int, ...], Cell, Member]]:
    """Yield the position of each member on the axes of a dataset, its cell, and the member.

    Args:
        dataset: of the plan; its variables begin with the axes ``regime``, what varies, and ``seed``.
        plan: what was run.
    """
    members = [(cell, Member(cell.spec, cell.hyperparameters, seed)) for cell in plan.cells for seed in plan.seeds]
    for index, (cell, member) in zip(np.ndindex(*_grid(dataset, plan).values()), members, strict=True):
        yield index, cell, member


def attach(
    dataset: xarray.Dataset, plan: Plan, rows: Sequence[Mapping[str, object]], variables: Mapping[str, Variable]
) -> xarray.Dataset:
    """Return the dataset with further variables of its members, padded with NaN where members differ in shape.

    Args:
        dataset: of the plan.
        plan: what was run.
        rows: arrays of each member by name, in the order of :func:`each_member`.
        variables: what they are.
    """
    grid = _grid(dataset, plan)
    added = {}
    for name, variable in variables.items():
        arrays = [np.asarray(row[name], np.float64) for row in rows]
        shape = tuple(np.max([array.shape for array in arrays], axis=0)) if variable.dims else ()
        values = np.full((len(arrays), *shape), np.nan)
        for number, array in enumerate(arrays):
            values[number, *(slice(size) for size in array.shape)] = array
        texts = {"long_name": variable.about, "units": variable.units}
        added[name] = ((*grid, *variable.dims), values.reshape(*grid.values(), *shape), texts)
    return dataset.assign(added)


def _grid(dataset: xarray.Dataset, plan: Plan) -> dict[str, int]:
    """Return the sizes of the axes that tell members apart."""
    return {name: dataset.sizes[name] for name in ("regime", *(axis.name for axis in plan.axes), "seed")}
