"""The predictions of theory as text and as JSON: one task, and the points of a sweep."""

import json
import math
import textwrap
from collections.abc import Mapping, Sequence

from experiments.tables.columns import format_columns

WIDTH = 100
# A longer list is shown by its smallest and its largest value.
LONGEST_LIST = 4


def format_task(task: Mapping[str, object]) -> str:
    """Return the fields of a task with their values, such as ``n_words=600``, wrapped at ``WIDTH`` characters."""
    fields = " ".join(f"{name}={show(value).replace(' ', chr(160))}" for name, value in task.items())
    lines = textwrap.fill(
        fields,
        WIDTH,
        initial_indent="task: ",
        subsequent_indent="      ",
        break_on_hyphens=False,
        break_long_words=False,
    )
    return lines.replace(chr(160), " ")


def format_points(
    points: Sequence[Mapping[str, object]],
    tasks: Sequence[Mapping[str, object]],
    values: Sequence[Mapping[str, object]],
) -> str:
    """Return the common fields of several tasks, and a table with a row for each prediction.

    Args:
        points: the points of a sweep, each the values of its axes by name.
        tasks: the task of each point.
        values: the predicted values of each point, by name; a list is shown by its smallest and its largest value.
    """
    shared = {name: value for name, value in tasks[0].items() if all(task.get(name) == value for task in tasks)}
    rows: list[tuple[str, ...]] = [(*points[0], *values[0])]
    for point, row in zip(points, values, strict=True):
        rows.append((*map(show, point.values()), *(show(value, longest=1) for value in row.values())))
    return f"{format_task(shared)}\n\n{format_columns(rows)}" if shared else format_columns(rows)


def show(value: object, longest: int = LONGEST_LIST) -> str:
    """Return a value of a task or of a prediction as text."""
    if value is None or isinstance(value, bool):
        return {None: "none", True: "yes", False: "no"}[value]
    if isinstance(value, float):
        return "none" if math.isnan(value) else f"{value:.6g}"
    if isinstance(value, list | tuple):
        ends = list(dict.fromkeys((show(min(value)), show(max(value)))))
        return ",".join(map(show, value)) if len(value) <= longest else " to ".join(ends)
    return str(value)


def to_json(values: object, indent: int | None = None) -> str:
    """Return nested values as JSON, with null in place of non-finite numbers, which JSON does not have."""
    return json.dumps(_finite(values), allow_nan=False, indent=indent)


def _finite(value):
    if isinstance(value, dict):
        return {name: _finite(entry) for name, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(entry) for entry in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
