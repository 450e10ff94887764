"""What a phenomenon declares of its numbers: tables, reports and sweep figures read this and no quantity's name.

A *quantity* is a number that is learned and, mostly, predicted. Its *panels* are its rows in the figure of a sweep. A
*threshold* is a value of a hyperparameter at which the prediction changes its form. A *certificate* bounds how far a
value is from the global minimum.
"""

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from simlab.validation import check_choice, invalid

HEADLINES = ("", "compared", "learned")
REDUCTIONS = ("mean", "best")
SCALES = ("free", "log", "linear", "whole", "unit interval", "deviation")
CHANGES = ("bend", "jump")


@dataclass(frozen=True, kw_only=True)
class Panel:
    """A row of panels in the figure of a sweep.

    Args:
        label: of the ordinate, with its unit.
        height: inches.
        scale: of the ordinate: "free" (logarithmic where that is better), "log", "linear", "whole" (linear, of whole
            numbers), "unit interval" (0 to 1), or "deviation" (of the learned from the predicted value, in its place).
        changes: what the predicted line does at a threshold, by the name of its variable: "bend" (from there on it is
            that of the next cell) or "jump" (it was that of the cell before).
        undefined_with: the quantity without which this one has no meaning, as directions have none of a vector of norm
            zero; nothing if there is no such.

    Raises:
        ValueError: a field is out of range; the message names it.
    """

    label: str
    height: float
    scale: str = "free"
    changes: Mapping[str, str] = field(default_factory=dict)
    undefined_with: str = ""

    def __post_init__(self):
        _check_label(self.label)
        if not self.height > 0:
            raise invalid("height", "a positive number of inches", self.height)
        check_choice("scale", self.scale, SCALES)
        for change in self.changes.values():
            check_choice("changes", change, CHANGES)
        object.__setattr__(self, "changes", dict(self.changes))


@dataclass(frozen=True, kw_only=True)
class Quantity:
    """A number of each member that is held against its prediction.

    Args:
        label: what a reader calls it.
        unit: of its values; nothing for a pure number.
        headline: its place in the table of a sweep: "compared" (columns of predicted and of learned values, and its
            error counts for the worst one), "learned" (a column of learned values alone), or nothing.
        reduce: over the seeds of a cell: "mean", or "best" (the value of the seed that the comparison's ``best_by``
            chooses, without a standard error).
        panels: its rows in the figure of a sweep.

    Raises:
        ValueError: a field is out of range; the message names it.
    """

    label: str
    unit: str = ""
    headline: str = ""
    reduce: str = "mean"
    panels: tuple[Panel, ...] = ()

    def __post_init__(self):
        _check_label(self.label)
        check_choice("headline", self.headline, HEADLINES)
        check_choice("reduce", self.reduce, REDUCTIONS)


@dataclass(frozen=True, kw_only=True)
class Threshold:
    """A variable of each cell that is drawn as a vertical line over the axis whose values it is one of.

    Args:
        label: what a reader calls it.
        axis: the axis of a sweep on which it lies.
        line: lengths of its dashes and of the gaps after them, points.

    Raises:
        ValueError: a field is out of range; the message names it.
    """

    label: str
    axis: str = "weight_decay"
    line: tuple[float, ...] = (1.0, 1.5)

    def __post_init__(self):
        _check_label(self.label)
        if not self.line or len(self.line) % 2 or min(self.line) <= 0:
            raise invalid("line", "positive lengths of dashes and gaps in turn", self.line)


@dataclass(frozen=True, kw_only=True)
class Certificate:
    """The member variables of which it is said: *value* is within *gap* of its global minimum.

    Args:
        value: the name of the variable that is bounded.
        gap: the name of the variable that says how far above its minimum it is at most.
        unit: of both.
    """

    value: str
    gap: str
    unit: str

    def __post_init__(self):
        for name in ("value", "gap"):
            if not getattr(self, name).isidentifier():
                raise invalid(name, "the name of a member variable", getattr(self, name))


def describe(items: Mapping[str, Quantity] | Mapping[str, Threshold]) -> dict[str, dict[str, object]]:
    """Return the fields of declared quantities or thresholds by name, as values that JSON holds."""
    return {name: dataclasses.asdict(item) for name, item in items.items()}


def check_declarations(
    quantities: Mapping[str, Quantity],
    thresholds: Mapping[str, Threshold],
    best_by: str | None,
    variables: Iterable[str],
) -> None:
    """Check what is declared against each other.

    Args:
        quantities: by name.
        thresholds: by the name of their variable.
        best_by: the quantity whose least value chooses the best seed, or None.
        variables: the names of the cell variables.

    Raises:
        ValueError: a name is used that nothing has; the message names the quantity.
    """
    for name in thresholds:
        check_choice("thresholds", name, variables)
    if best_by is not None:
        check_choice("best_by", best_by, quantities)
    for name, quantity in quantities.items():
        if quantity.reduce == "best" and best_by is None:
            raise invalid(name, "a quantity best_by that chooses the best seed", best_by)
        for panel in quantity.panels:
            for threshold in panel.changes:
                check_choice(f"{name}: changes", threshold, thresholds)
            if panel.undefined_with:
                check_choice(f"{name}: undefined_with", panel.undefined_with, quantities)


def _check_label(label: str) -> None:
    if not label.strip():
        raise invalid("label", "what a reader calls it", label)
