"""Fit of a power law to errors at several sizes: the exponent and its confidence interval."""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from jaxtyping import Float

LEAST_SIZES = 3


class Rate(NamedTuple):
    """``error ~ size^-exponent``; all NaN where it cannot be fitted.

    Attributes:
        exponent: negative slope of the least-squares line of ``log error`` on ``log size``.
        half_width: half width of its 95 % confidence interval, by Student's t with the residuals of the line.
        prefactor: the error of the line at size 1.
    """

    exponent: float
    half_width: float
    prefactor: float


NO_RATE = Rate(np.nan, np.nan, np.nan)


def fit_rate(sizes: "Float[np.ndarray, ' n']", errors: "Float[np.ndarray, ' n']") -> Rate:
    """Return the rate at which errors fall with size; NaN for fewer than three sizes with a positive error.

    Args:
        sizes: positive, all different.
        errors: one for each size; those that are zero or not finite are left out.
    """
    from scipy.stats import t

    is_used = np.isfinite(errors) & (errors > 0) & (sizes > 0)
    if is_used.sum() < LEAST_SIZES:
        return NO_RATE
    x, y = np.log(sizes[is_used]), np.log(errors[is_used])
    deviation = x - x.mean()
    spread = np.sum(deviation**2)
    slope = np.sum(deviation * y) / spread
    residuals = y - y.mean() - slope * deviation
    freedom = len(x) - 2
    error = np.sqrt(np.sum(residuals**2) / freedom / spread)
    prefactor = np.exp(y.mean() - slope * x.mean())
    return Rate(float(-slope), float(t.ppf(0.975, freedom) * error), float(prefactor))
