"""Short text representations of results for the interactive prompt; arrays are shown by their range."""

import dataclasses
import textwrap
from typing import Any

import numpy as np

LINES, WIDTH = 5, 116


def number_range(values: np.ndarray) -> str:
    """Return the smallest and the largest value to six digits, or a single number if they agree."""
    if values.size == 0:
        return "none"
    low, high = f"{values.min():.6g}", f"{values.max():.6g}"
    return low if low == high else f"{low} to {high}"


def short_repr(self: Any) -> str:
    """Return the `__repr__` of a NamedTuple or a dataclass in at most five lines; longer text ends in "...".

    Arrays are shown by shape and range.
    """
    names = [field.name for field in dataclasses.fields(self)] if dataclasses.is_dataclass(self) else self._fields
    text = "; ".join(f"{name} {_shown(getattr(self, name))}" for name in names)
    lines = textwrap.wrap(f"{type(self).__name__}: {text}", WIDTH, break_long_words=True, break_on_hyphens=False)
    return "\n".join(lines if len(lines) <= LINES else [*lines[: LINES - 1], "..."])


def _shown(value: object) -> str:
    if isinstance(value, np.ndarray) and value.ndim:
        numeric = value.dtype.kind in "biuf"
        shape = " x ".join(map(str, value.shape))
        return f"[{shape}: {number_range(value)}]" if numeric else f"[{shape}]"
    if isinstance(value, tuple | list):
        return f"({', '.join(map(_shown, value))})"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{name} {_shown(entry)}' for name, entry in value.items())}}}"
    return f"{value:.6g}" if isinstance(value, float | np.floating) else " ".join(str(value).split())
