"""Declarations of a phenomenon's quantities; tables, reports and sweep figures read these, never a quantity's name.

A *quantity* is a number that is learned and usually predicted. Its *panels* are its rows in the figure of a sweep. A
*threshold* is a value of a hyperparameter at which the prediction changes its form. A *certificate* bounds the distance
of a value from the global minimum.
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
        label: label of the ordinate, with its unit.
        height: height in inches.
        scale: scale of the ordinate: "free" (logarithmic where that is better), "log", "linear", "whole" (linear, with
            ticks at whole numbers), "unit interval" (0 to 1), or "deviation" (the deviation of the learned from the
            predicted value is drawn instead of the value).
        changes: shape of the predicted line at a threshold, by the name of its variable: "bend" (from the threshold on,
            it is the line of the next cell) or "jump" (up to the threshold, it is the line of the cell before).
        undefined_with: the quantity that makes this one undefined where it is zero, as a norm does for a direction;
            empty if there is none.

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
    """A number of each member that is compared with its prediction.

    Args:
        label: label in tables and figures.
        unit: unit of its values; empty for a pure number.
        headline: columns in the table of a sweep: "compared" (predicted and learned values; its error enters the worst
            error), "learned" (learned values only), or "" (none).
        reduce: reduction over the seeds of a cell: "mean", or "best" (the value of the seed selected by the
            comparison's ``best_by``, without a standard error).
        panels: rows in the figure of a sweep.

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
    """A variable of each cell that is drawn as a vertical line at its value on an axis.

    Args:
        label: label in figures.
        axis: the axis of the sweep on which it lies.
        line: dash pattern: lengths of dashes and gaps in turn, in points.

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
    """The member variables of a certificate: *value* is within *gap* of its global minimum.

    Args:
        value: the name of the certified variable.
        gap: the name of the variable that bounds its distance above the minimum.
        unit: unit of ``value`` and ``gap``.
    """

    value: str
    gap: str
    unit: str

    def __post_init__(self):
        for name in ("value", "gap"):
            if not getattr(self, name).isidentifier():
                raise invalid(name, "the name of a member variable", getattr(self, name))


def describe(items: Mapping[str, Quantity] | Mapping[str, Threshold]) -> dict[str, dict[str, object]]:
    """Return the fields of declared quantities or thresholds by name, as values that JSON can hold."""
    return {name: dataclasses.asdict(item) for name, item in items.items()}


def check_declarations(
    quantities: Mapping[str, Quantity],
    thresholds: Mapping[str, Threshold],
    best_by: str | None,
    variables: Iterable[str],
) -> None:
    """Check that declarations are consistent.

    Args:
        quantities: quantities by name.
        thresholds: thresholds by the name of their variable.
        best_by: the quantity whose smallest value selects the best seed, or None.
        variables: the names of the cell variables.

    Raises:
        ValueError: a declaration refers to an undeclared name; the message names the quantity.
    """
    for name in thresholds:
        check_choice("thresholds", name, variables)
    if best_by is not None:
        check_choice("best_by", best_by, quantities)
    for name, quantity in quantities.items():
        if quantity.reduce == "best" and best_by is None:
            raise invalid(name, "best_by to name the quantity that selects the best seed", best_by)
        for panel in quantity.panels:
            for threshold in panel.changes:
                check_choice(f"{name}: changes", threshold, thresholds)
            if panel.undefined_with:
                check_choice(f"{name}: undefined_with", panel.undefined_with, quantities)


def _check_label(label: str) -> None:
    if not label.strip():
        raise invalid("label", "a text that is not empty", label)
