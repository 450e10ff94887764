"""Checks of input. An error is one line that names the field, what was expected and what was given."""

import difflib
import math
from collections.abc import Iterable, Sequence
from numbers import Integral, Real
from typing import Any

# Whole numbers of at most this many bits are written out in a message; longer ones as a power of ten.
LONGEST_INTEGER = 256


def invalid(field: str, expected: str, got: object) -> ValueError:
    """Return the error for a bad value, ``"field: expected ..., got ..."``."""
    if isinstance(got, int) and got.bit_length() > LONGEST_INTEGER:  # Python writes out no more than 4300 digits
        return ValueError(f"{field}: expected {expected}, got about 10^{int(got.bit_length() * math.log10(2))}")
    return ValueError(f"{field}: expected {expected}, got {got!r}")


def check_count(field: str, value: object, minimum: int = 1, maximum: int | None = None) -> int:
    """Return ``value`` as an int, or raise ``ValueError`` unless it is a whole number within the bounds."""
    if isinstance(value, bool) or not isinstance(value, Integral) or value < minimum:
        raise invalid(field, f"a whole number of at least {minimum}", value)
    count = int(value)
    if maximum is not None and count > maximum:
        raise invalid(field, f"at most {maximum}", value)
    return count


def check_real(field: str, value: object, *, positive: bool = False) -> float:
    """Return ``value`` as a float, or raise ``ValueError`` unless it is finite and non-negative (or positive)."""
    wanted = "a positive finite number" if positive else "a non-negative finite number"
    if isinstance(value, bool) or not isinstance(value, Real):
        raise invalid(field, wanted, value)
    if not math.isfinite(value) or value < 0 or (positive and value == 0):
        raise invalid(field, wanted, value)
    return float(value)


def check_seeds(seeds: Sequence[int]) -> list[int]:
    """Return the seeds as a list, or raise ``ValueError`` unless they are distinct whole numbers below 2^32."""
    if isinstance(seeds, range) and min(seeds, default=-1) >= 0 and max(seeds) < 2**32:
        return list(seeds)
    checked = [check_count("seeds", seed, 0) for seed in seeds]
    if not checked or len(set(checked)) < len(checked) or max(checked) >= 2**32:
        raise invalid("seeds", "different whole numbers below 2^32, at least one", checked)
    return checked


def check_choice(field: str, value: Any, choices: Iterable[str]) -> str:
    """Return ``value``, or raise ``ValueError`` with the list of choices and the nearest one."""
    choices = list(choices)
    if value in choices:
        return value
    raise ValueError(f"{field}: expected one of {', '.join(choices)}, got {value!r}{nearest(value, choices)}")


def nearest(value: object, choices: Iterable[str]) -> str:
    """Return a hint that names the choice closest to ``value``, or an empty text if none is close."""
    near = difflib.get_close_matches(str(value), list(choices), n=1)
    return f" (did you mean {near[0]!r}?)" if near else ""


def first_line(error: Exception) -> str:
    """Return the first line of the message of an error."""
    return str(error).strip().partition("\n")[0]


def is_number(text: str) -> bool:
    """Return whether a text can be read as a number, finite or not."""
    try:
        float(text)
    except ValueError:
        return False
    return True


def is_digits(text: str) -> bool:
    """Return whether a text consists of the digits 0 to 9 alone; other Unicode digits are rejected."""
    return text.isascii() and text.isdigit()
