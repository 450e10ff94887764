"""Checks of arguments at the boundary: one clear line, `field: expected ..., got ...`."""

import math
import operator
from typing import Any


def require_integer(field: str, value: Any, *, minimum: int) -> int:
    """Return `value` as an int of at least `minimum`.

    Args:
        field: name of the field, for the message.
        value: any object; booleans and floats are rejected.
        minimum: the smallest value allowed.

    Raises: ValueError if `value` is not an integer or is too small.
    """
    try:
        number = operator.index(value)
    except TypeError:
        raise ValueError(f"{field}: expected an integer, got {value!r}") from None
    if isinstance(value, bool):
        raise ValueError(f"{field}: expected an integer, got {value!r}")
    if number < minimum:
        raise ValueError(f"{field}: expected at least {minimum}, got {number}")
    return number


def require_positive(field: str, value: object) -> float:
    """Return `value` as a finite float above zero, or raise ValueError."""
    number = _as_float(value)
    if not (math.isfinite(number) and number > 0):
        raise ValueError(f"{field}: expected a positive finite number, got {value!r}")
    return number


def require_non_negative(field: str, value: object) -> float:
    """Return `value` as a finite float, zero or above, or raise ValueError."""
    number = _as_float(value)
    if not (math.isfinite(number) and number >= 0):
        raise ValueError(f"{field}: expected a non-negative finite number, got {value!r}")
    return number


def require_fraction(field: str, value: object) -> float:
    """Return `value` as a float in [0, 1), or raise ValueError."""
    number = _as_float(value)
    if not 0 <= number < 1:
        raise ValueError(f"{field}: expected a number in [0, 1), got {value!r}")
    return number


def _as_float(value: Any) -> float:
    """Return `value` as a float, or NaN if it is not a number; strings and booleans do not count as numbers."""
    if isinstance(value, (str, bytes, bool)):
        return math.nan
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        return math.nan
