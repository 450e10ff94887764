"""The axes of a sweep: the varied fields of a configuration and their values."""

import itertools
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from experiments.core.configuration import Configuration, fields_set
from experiments.core.options import alternatives, convert, option_types
from simlab.validation import check_choice, check_count, invalid

# Limits over all regimes together, because every cell is checked and predicted before training starts.
MOST_CELLS = 20_000
MOST_MEMBERS = 1_000_000


class Axis(NamedTuple):
    """A named axis.

    Attributes:
        name: a field of a configuration, or an alias that sets several fields.
        values: at least one, all different.
    """

    name: str
    values: tuple

    @property
    def labels(self) -> np.ndarray:
        """The values as a coordinate; a list of frequencies is written as text."""
        if all(isinstance(value, (int, float)) for value in self.values):
            return np.array(self.values)
        texts = [",".join(map(repr, value)) if isinstance(value, tuple) else str(value) for value in self.values]
        return np.array(texts, object)


def parse_axis(text: str, configuration: type) -> Axis:
    """Return the axis that ``NAME=V1,V2,...``, ``NAME=log:FROM:TO:N`` or ``NAME=lin:FROM:TO:N`` describes.

    Args:
        text: the axis as typed on the command line.
        configuration: the dataclass whose fields may vary.

    Raises:
        ValueError: the name is neither a field nor an alias, or a value is not of its type.
    """
    name, equals, values = text.partition("=")
    if not equals or not values:
        raise invalid("vary", "NAME=VALUE,VALUE,... or NAME=log:FROM:TO:N", text)
    name = _check_name(name, configuration)
    kind = option_types(configuration)[name]
    spacing = values.split(":")
    if spacing[0] in ("log", "lin"):
        return make_axis(name, _spaced(name, kind, spacing, values), configuration)
    return make_axis(name, [_convert(name, kind, value) for value in values.split(",")], configuration)


def make_axis(name: str, values: Iterable, configuration: type) -> Axis:
    """Return a checked axis.

    Raises:
        ValueError: the name is neither a field nor an alias, there are no values, or two values are equal.
    """
    name = _check_name(name, configuration)
    if isinstance(values, str) or not isinstance(values, Iterable):
        raise invalid(f"vary {name}", "a list of values", values)
    values = tuple(_plain(value) for value in values)
    if not values or len(set(values)) < len(values):
        raise invalid(f"vary {name}", "at least one value, all different", list(values))
    return Axis(name, values)


def make_axes(
    vary: Mapping[str, Iterable] | Sequence[Axis], configuration: type, fixed: Iterable[str] = ()
) -> tuple[Axis, ...]:
    """Return the axes of a sweep, checked for conflicts.

    Args:
        vary: the values by name, or axes.
        configuration: the dataclass whose fields may vary.
        fixed: names that the user has set to a single value; they cannot vary as well.

    Raises:
        ValueError: a field is set by two axes, or is both varied and fixed.
    """
    axes = [make_axis(*item, configuration) for item in (vary.items() if isinstance(vary, Mapping) else vary)]
    names = [axis.name for axis in axes]
    taken = set(fixed)
    for name in names:
        clashing = overlaps(name, configuration, taken)
        if clashing:
            raise ValueError(f"vary {name}: {clashing[0]} is set twice")
        taken.add(name)
    return tuple(axes)


def check_sweep_size(n_regimes: int, axes: Sequence[Axis], n_seeds: int) -> None:
    """Raise ``ValueError`` for more members than a sweep may have; the message names the seeds or the longest axis.

    Args:
        n_regimes: number of regimes, each swept over all axes.
        axes: the varied axes.
        n_seeds: number of seeds of each cell.
    """
    n_cells = n_regimes * math.prod(len(axis.values) for axis in axes)
    if n_cells > MOST_CELLS:
        longest = max(axes, key=lambda axis: len(axis.values))
        raise invalid(f"vary {longest.name}", f"at most {MOST_CELLS:,} regimes x values of all axes", n_cells)
    if n_cells * n_seeds > MOST_MEMBERS:
        raise invalid("seeds", f"at most {MOST_MEMBERS:,} members with {n_cells:,} regimes x values", n_cells * n_seeds)


def overlaps(name: str, configuration: type, taken: Iterable[str]) -> list[str]:
    """Return those of the ``taken`` names that set a field which ``name`` sets too; ``name`` itself comes first."""
    targets = set(fields_set(configuration, name))
    same = [other for other in (name, *option_types(configuration)) if targets & set(fields_set(configuration, other))]
    return [other for other in dict.fromkeys(same) if other in taken]


def vary(configuration: Configuration, axes: Sequence[Axis]) -> Iterator[Configuration]:
    """Yield a configuration for each combination of values, the last axis fastest."""
    for values in itertools.product(*(axis.values for axis in axes)):
        changed = configuration
        for axis, value in zip(axes, values, strict=True):
            changed = changed.replace(**{axis.name: value})
        yield changed


def _plain(value):
    """Return a value as a plain Python object, which can be compared, hashed and saved."""
    if isinstance(value, (list, tuple)):
        return tuple(map(_plain, value))
    return value.item() if hasattr(value, "item") else value


def _check_name(name: str, configuration: type) -> str:
    return check_choice("vary", name.replace("-", "_"), option_types(configuration))


def _convert(name: str, kind, text: str):
    """Return a value of an axis from its text."""
    if kind is bool:
        return check_choice(f"vary {name}", text.lower(), ("true", "false")) == "true"
    value = convert(name, kind, text)
    if isinstance(value, tuple):  # one list-valued setting and several settings have the same syntax
        expected = "names such as uniform or zipf:1.5" if str in alternatives(kind) else "an option of single values"
        raise invalid(f"vary {name}", expected, text)
    return value


def _spaced(name: str, kind, spacing: list[str], text: str) -> list:
    """Return equally spaced values, on a logarithmic or a linear scale."""
    if len(spacing) != 4:
        raise invalid(f"vary {name}", f"{spacing[0]}:FROM:TO:N", text)
    low, high = (convert(name, float, end) for end in spacing[1:3])
    count = check_count(f"vary {name}", convert(name, int, spacing[3]), 2, MOST_CELLS)
    if not (math.isfinite(low) and math.isfinite(high)):
        raise invalid(f"vary {name}", "finite end points", text)
    if spacing[0] == "log" and not (low > 0 and high > 0):
        raise invalid(f"vary {name}", "positive end points of a logarithmic scale", text)
    values = (np.geomspace if spacing[0] == "log" else np.linspace)(low, high, count)
    if kind is float or kind == float | None:
        return [float(value) for value in values]
    whole = np.round(values)
    if np.any(np.abs(whole - values) > 1e-9 * np.abs(values)):
        raise invalid(f"vary {name}", "whole numbers", text)
    return [int(value) for value in whole]
