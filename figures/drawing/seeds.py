"""Means over the seeds of a sweep, and their standard errors."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from jaxtyping import Float


def standard_error(values):
    """Return the standard error of the mean over the axis ``seed``; NaN for fewer than two finite seeds.

    Args:
        values: an ``xarray.DataArray``; NaN marks missing seeds.
    """
    count = values.count("seed")
    squares = ((values - values.mean("seed")) ** 2).sum("seed")
    return np.sqrt(squares / ((count - 1) * count).where(count > 1))


def mean_and_error(values, *, skipna: bool = False) -> tuple[Float[np.ndarray, ...], Float[np.ndarray, ...]]:
    """Return mean and standard error over the axis ``seed``, as arrays over the other axes.

    Args:
        values: an ``xarray.DataArray``.
        skipna: whether missing seeds are skipped; otherwise they make the mean NaN.

    Returns:
        Mean and error; an undefined error is 0, so that no bar is drawn.
    """
    return values.mean("seed", skipna=skipna).values, np.nan_to_num(standard_error(values).values)
