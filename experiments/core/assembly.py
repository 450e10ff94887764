"""From the parts of a sweep to one labelled dataset."""

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

    Where members differ in shape, the smaller ones are padded: numbers with NaN, texts with nothing.

    Args:
        comparison: which variables there are, and what they mean.
        regimes: names of the first axis.
        axes: what varies within each regime.
        seeds: the last axis of what is known of members.
        cells: the variables of each configuration, regime by regime and the last axis fastest.
        members: the variables of each member, cell by cell and seed by seed.
    """
    grid = {"regime": len(regimes), **{axis.name: len(axis.values) for axis in axes}}
    by_seed = grid | {"seed": len(seeds)}
    columns = {
        **{name: (grid, cells, variable) for name, variable in comparison.cell_variables.items()},
        **{name: (by_seed, members, variable) for name, variable in comparison.member_variables.items()},
    }
    variables = {
        name: lay_out([row[name] for row in rows], their_grid, variable)
        for name, (their_grid, rows, variable) in columns.items()
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
    """Return a text of each quantity as a variable."""
    return xarray.Variable("quantity", np.array([getattr(entry, field) for entry in quantities.values()], object))


def _size(dimension: str, variables: Mapping[str, xarray.Variable]) -> int:
    return next(one.sizes[dimension] for one in variables.values() if dimension in one.dims)


def lay_out(values: Sequence[object], grid: Mapping[str, int], variable: Variable) -> xarray.Variable:
    """Return one value for each point of a grid as a variable, padded to the largest.

    Args:
        values: arrays or numbers; the last axis of the grid fastest.
        grid: sizes of the axes, by name.
        variable: names the axes of each value, and says what it is.
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
    if "quantity" in variable.dims:  # each quantity has a unit of its own, in the coordinate ``unit``
        del attributes["units"]
    return xarray.Variable((*grid, *variable.dims), stacked.reshape(*grid.values(), *shape), attributes)


def _squeeze(variable: xarray.Variable, grid: Iterable[str]) -> xarray.Variable:
    """Return a coordinate without the axes along which it does not change."""
    for axis in grid:
        first = variable.isel({axis: 0})
        same = (variable == first) | (variable.isnull() & first.isnull())
        if bool(same.all()):
            variable = first
    return variable


def unstack(columns: Arrays) -> list[dict[str, np.ndarray]]:
    """Return the rows of stacked arrays, one dictionary each."""
    count = len(next(iter(columns.values())))
    return [{name: array[index] for name, array in columns.items()} for index in range(count)]
