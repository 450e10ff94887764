"""Assemble the parts of a sweep into one labelled dataset."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import xarray

from experiments.core.axes import Axis
from experiments.core.phenomenon import Comparison, Variable
from experiments.core.quantity import Quantity

Arrays = Mapping[str, np.ndarray]


def assemble(
    comparison: Comparison,
    regimes: Sequence[str],
    axes: Sequence[Axis],
    seeds: Sequence[int],
    cells: Sequence[Arrays],
    members: Sequence[Arrays],
) -> xarray.Dataset:
    """Return the dataset of a sweep.

    Where members differ in shape, the smaller arrays are padded with NaN.

    Args:
        comparison: the declared variables and quantities.
        regimes: names on the first axis.
        axes: the varied axes, the same in each regime.
        seeds: values of the last axis of the member variables.
        cells: the variables of each configuration, regime by regime with the last axis fastest.
        members: the variables of each member, cell by cell and seed by seed.
    """
    grid = {"regime": len(regimes), **{axis.name: len(axis.values) for axis in axes}}
    by_seed = grid | {"seed": len(seeds)}
    columns = {
        **{name: (grid, cells, variable) for name, variable in comparison.cell_variables.items()},
        **{name: (by_seed, members, variable) for name, variable in comparison.member_variables.items()},
    }
    variables = {
        name: lay_out([row[name] for row in rows], sizes, variable)
        for name, (sizes, rows, variable) in columns.items()
        if any(name in row for row in rows)
    }
    coordinates = {
        name: _squeeze(lay_out([row[name] for row in cells], grid, variable), grid)
        for name, variable in comparison.cell_coordinates.items()
    }
    quantities = comparison.quantities
    return xarray.Dataset(
        data_vars=variables | {"label": _of_quantities("label", quantities)},
        coords={
            "regime": np.array(regimes, object),
            **{axis.name: axis.labels for axis in axes},
            "seed": np.array(seeds),
            "quantity": np.array(list(quantities), object),
            "unit": _of_quantities("unit", quantities),
            **{name: np.arange(_size(name, variables)) for name in comparison.numbered},
            **coordinates,
        },
    )


def _of_quantities(field: str, quantities: Mapping[str, Quantity]) -> xarray.Variable:
    """Return one text field of every quantity as a variable on the dimension ``quantity``."""
    return xarray.Variable("quantity", np.array([getattr(entry, field) for entry in quantities.values()], object))


def _size(dimension: str, variables: Mapping[str, xarray.Variable]) -> int:
    return next(variable.sizes[dimension] for variable in variables.values() if dimension in variable.dims)


def lay_out(values: Sequence[object], grid: Mapping[str, int], variable: Variable) -> xarray.Variable:
    """Return the values at the points of a grid as one variable, padded to the largest shape.

    Args:
        values: an array or number for each point, the last axis of the grid fastest.
        grid: sizes of the axes, by name.
        variable: dimensions and description of each value.
    """
    arrays = [np.asarray(value) for value in values]
    shape = tuple(np.max([array.shape for array in arrays], axis=0)) if variable.dims else ()
    kind = np.result_type(*{array.dtype for array in arrays})
    if kind.kind == "U":
        stacked = np.array([array.item() for array in arrays], object)
    elif all(array.shape == shape for array in arrays):
        stacked = np.stack(arrays).astype(kind, copy=False)
    else:
        stacked = np.full((len(arrays), *shape), np.nan, kind if kind.kind == "f" else np.float64)
        for index, array in enumerate(arrays):
            stacked[index, *(slice(size) for size in array.shape)] = array
    attributes = variable.attributes
    if "quantity" in variable.dims:  # units differ between quantities; they are in the coordinate ``unit``
        del attributes["units"]
    return xarray.Variable((*grid, *variable.dims), stacked.reshape(*grid.values(), *shape), attributes)


def _squeeze(variable: xarray.Variable, grid: Iterable[str]) -> xarray.Variable:
    """Return a coordinate without the axes along which it is constant."""
    for axis in grid:
        first = variable.isel({axis: 0})
        same = (variable == first) | (variable.isnull() & first.isnull())
        if bool(same.all()):
            variable = first
    return variable


def unstack(columns: Arrays) -> list[dict[str, np.ndarray]]:
    """Return the rows of stacked arrays, one dictionary for each row."""
    count = len(next(iter(columns.values())))
    return [{name: array[index] for name, array in columns.items()} for index in range(count)]
