"""The finite-size ladder: the rate at which learned values approach predicted ones as a size of the task grows."""

from typing import TYPE_CHECKING

import numpy as np

from experiments.core.experiment import Plan
from experiments.tables.columns import format_columns
from figures.declared import as_shown, quantities_of
from simlab.metrics.power_law import LEAST_SIZES, Rate, fit_rate
from simlab.validation import invalid

if TYPE_CHECKING:
    import xarray

FIGURE = "sweeps.ladder"
FIELDS = {
    "ladder_exponent": "r of the least-squares fit |learned - predicted| ~ size^-r",
    "ladder_half_width": "half width of the 95 % confidence interval of r",
    "ladder_prefactor": "value of the fit of |learned - predicted| at size 1",
}


def with_ladder(plan: Plan, axis: str | None) -> Plan:
    """Return the plan of a sweep that also fits a rate along one of its axes.

    Args:
        plan: plan of the sweep.
        axis: the name of an axis of positive numbers; None returns the plan unchanged.

    Raises:
        ValueError: the axis has fewer than three values, or one that is not a positive number.
    """
    if axis is None:
        return plan
    values = next(candidate for candidate in plan.axes if candidate.name == axis).values
    if len(values) < LEAST_SIZES or not all(isinstance(value, int | float) and value > 0 for value in values):
        raise invalid("ladder", f"at least {LEAST_SIZES} positive numbers", ",".join(map(str, values)))
    derive = plan.derive

    def derive_rates(dataset: "xarray.Dataset", plan: Plan) -> "xarray.Dataset":
        return add_rates(dataset if derive is None else derive(dataset, plan), axis)

    return plan._replace(ladder=axis, derive=derive_rates, figures=(*plan.figures, FIGURE))


def size_errors(dataset: "xarray.Dataset", axis: str) -> "xarray.DataArray":
    """Return the root mean square over seeds of ``|learned - predicted|``, NaN where nothing was predicted."""
    shown = as_shown(dataset)
    squares = (shown.learned - shown.predicted) ** 2
    return np.sqrt(squares.where(shown.status != "diverged").mean("seed")).transpose(..., axis)


def add_rates(dataset: "xarray.Dataset", axis: str) -> "xarray.Dataset":
    """Return a dataset with the rate of every quantity along an axis, for each point of the other axes."""
    errors, sizes = size_errors(dataset, axis), dataset[axis].values.astype(float)
    dims = errors.dims[:-1]
    rates = np.array([fit_rate(sizes, row) for row in errors.values.reshape(-1, len(sizes))])
    rates = rates.reshape(*errors.shape[:-1], len(Rate._fields))
    variables = {
        name: (dims, rates[..., index], {"long_name": about, "units": "1"})
        for index, (name, about) in enumerate(FIELDS.items())
    }
    return dataset.assign(variables).assign_attrs(ladder=axis)


def format_rates(dataset: "xarray.Dataset") -> str:
    """Return the table of rates: a line for each regime, point of the other axes, and quantity with a fit."""
    axis, declared = dataset.attrs["ladder"], quantities_of(dataset)
    fits = dataset[list(FIELDS)]
    others = [str(name) for name in fits.dims if name not in ("regime", "quantity")]
    stacked = fits.stack(row=["regime", *others, "quantity"])
    rows: list[tuple[str, ...]] = [("regime", *others, "quantity", "rate r", "95 %")]
    for index in np.flatnonzero(np.isfinite(stacked.ladder_exponent.values)):
        fit = stacked.isel(row=index)
        regime, *places, quantity = fit.row.item()
        numbers = f"{fit.ladder_exponent.item():.3f}", f"+-{fit.ladder_half_width.item():.3f}"
        rows.append((str(regime), *map(str, places), declared[str(quantity)].label, *numbers))
    heading = f"|learned - predicted| ~ {axis}^-r, root mean square over seeds"
    return f"{heading}\n{format_columns(rows)}" if len(rows) > 1 else f"{heading}: no quantity has three sizes"
