"""Scales, limits and ticks of a panel, chosen from the numbers drawn in it."""

from __future__ import annotations

import textwrap
from math import floor, inf, log10
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.ticker import (
    EngFormatter,
    FixedLocator,
    LogFormatterSciNotation,
    LogLocator,
    MaxNLocator,
    NullFormatter,
    NullLocator,
)

from figures.drawing import style

if TYPE_CHECKING:
    from jaxtyping import Float

WIDE_CHARACTER = 0.056  # inches: width of a 7-point character
MOST_TICKS = 7  # of a logarithmic axis
MARGIN = 0.08  # share of the abscissa beyond the outermost numbers, on each side
ROUND_STEPS = [1, 2, 2.5, 5, 10]


def panel_width(ax) -> float:
    """Return the approximate width of a panel in inches: its share of the figure minus the labels of its ordinate."""
    return ax.figure.get_figwidth() / ax.get_subplotspec().get_gridspec().ncols - 0.5


def set_names(ax, names: list[str]) -> None:
    """Put names below 0, 1, ...; slanted if they do not fit side by side."""
    slanted = style.CHARACTER * sum(len(name) + 1 for name in names) > panel_width(ax)
    turned = {"rotation": 40, "ha": "right", "rotation_mode": "anchor"} if slanted else {}
    ax.set_xticks(range(len(names)), names, **turned)
    ax.set_xlim(-0.5, len(names) - 0.5)


def set_numbers(ax, positions: Float[np.ndarray, " n"], axis: str = "x") -> None:
    """Scale an axis for sorted numbers, with a margin on both sides; a few well-separated numbers become the ticks.

    Args:
        ax: the panel.
        positions: the numbers, ascending.
        axis: "x" or "y".
    """
    low, high = positions[[0, -1]]
    set_limits, ticks = getattr(ax, f"set_{axis}lim"), getattr(ax, f"{axis}axis")
    room = panel_width(ax) if axis == "x" else inf  # labels along the ordinate never collide
    if is_logarithmic(positions):
        getattr(ax, f"set_{axis}scale")("log")
        margin = (high / low) ** MARGIN
        set_limits(low / margin, high * margin)
        _set_decades(ticks, low, high, room / (1 + 2 * MARGIN))
        return
    margin = MARGIN * (high - low)
    set_limits(low - margin, high + margin)
    nearest = np.diff(positions).min() / (high - low)
    apart = len(positions) <= 5 and nearest > 1 / 7 and _have_room(positions, room / (1 + 2 * MARGIN))
    ticks.set_major_locator(FixedLocator(positions.tolist()) if apart else _round_locator(low, high, room))
    ticks.set_major_formatter(lambda value, _: f"{value:g}")


def set_label(ax, text: str) -> int:
    """Label the abscissa, wrapped to the width of the panel, and return the number of lines."""
    lines = textwrap.wrap(text, max(8, int(panel_width(ax) / WIDE_CHARACTER)))
    ax.set_xlabel("\n".join(lines))
    return len(lines)


def set_log_steps(ax) -> None:
    """Make the abscissa logarithmic in training steps, with ticks at powers of ten, or at 1, 2, 5 over few decades."""
    ax.set_xscale("log")
    first, last = ax.get_xlim()
    ax.xaxis.set_major_locator(LogLocator(subs=(1,) if last > 300 * first else (1, 2, 5)))
    ax.xaxis.set_major_formatter(EngFormatter(sep=""))
    ax.xaxis.set_minor_formatter(NullFormatter())
    ax.set_xlabel("training steps")


def is_logarithmic(positions: Float[np.ndarray, " n"]) -> bool:
    """Return whether sorted numbers are positive and more evenly spaced on a logarithmic than on a linear scale.

    Four or more numbers in equal ratios always are; others must span more than a decade and have more even ratios than
    gaps.
    """
    if positions[0] <= 0:
        return False
    uneven = [np.std(gaps) / np.mean(gaps) for gaps in (np.diff(np.log(positions)), np.diff(positions))]
    if len(positions) > 3 and uneven[0] < 1e-6 < uneven[1]:
        return True
    return bool(positions[-1] > 10 * positions[0] and (len(positions) == 2 or uneven[0] < uneven[1]))


def set_unit_interval(ax) -> None:
    """Scale the ordinate from 0 to 1."""
    ax.set_ylim(-0.06, 1.1)
    ax.yaxis.set_major_locator(FixedLocator([0, 0.5, 1]))
    ax.yaxis.set_major_formatter(lambda value, _: f"{value:g}")


def set_ordinate(ax, values: Float[np.ndarray, " n"], scale: str = "free") -> None:
    """Scale the ordinate for the given values.

    Args:
        ax: the panel.
        values: finite numbers.
        scale: "free" (logarithmic where the values are positive over more than a decade), "log" (where they are
            positive), "linear" or "whole" (linear, with whole numbers as ticks). A linear scale begins at 0 unless a
            value is negative.
    """
    if is_decades(values, scale):
        ax.set_yscale("log")
        ax.set_ylim(values.min() / 1.3, values.max() * 1.3)
        _set_decades(ax.yaxis, values.min(), values.max())
        return
    if len(values) and values.min() < 0:
        low, high = values.min(), max(0.0, values.max())
        ax.set_ylim(low - 0.1 * (high - low), high + 0.1 * (high - low))
    else:
        top = style.ceiling(values)
        ax.set_ylim(-0.06 * top if 0 in values else 0, 1.1 * top)  # so that a marker at 0 is not clipped
    whole = MaxNLocator(4, integer=True)
    ax.yaxis.set_major_locator(whole if scale == "whole" else MaxNLocator(4, steps=ROUND_STEPS))


def is_decades(values: Float[np.ndarray, " n"], scale: str) -> bool:
    """Return whether finite values are drawn on a logarithmic scale."""
    if scale not in ("free", "log") or not len(values) or values.min() <= 0:
        return False
    return scale == "log" or bool(values.max() > 10 * values.min())


def set_deviation(ax, values: Float[np.ndarray, " n"]) -> None:
    """Scale the ordinate in per cent around 0: at least 0.01 % on both sides, logarithmic if a value exceeds 1."""
    low, high = min([0.0, *values]), max([0.0, *values])
    if high > 1:
        ax.set_yscale("symlog", linthresh=0.1)
        ax.set_ylim(2 * low - 0.05, 3 * high)
    else:
        room = max(0.12 * (high - low), 1e-4)
        ax.set_ylim(low - room, high + room)
        ax.yaxis.set_major_locator(MaxNLocator(3, steps=ROUND_STEPS))
    ax.yaxis.set_major_formatter(percent)


def percent(value: float, _=None) -> str:
    """Return a share as text in per cent, with a typographic minus sign."""
    return f"{100 * value:g}%".replace("-", "\N{MINUS SIGN}")


def _set_decades(axis, low: float, high: float, width: float = inf) -> None:
    """Put ticks at powers of ten; below two decades also at three times these, below one decade at 1, 2 and 5.

    If their labels do not fit the width (inches) there are fewer, down to every second or third power.
    """
    plain = low >= 1e-3 and high < 1e4
    powers = LogFormatterSciNotation(minor_thresholds=(inf, inf))
    axis.set_major_locator(FixedLocator(_log_ticks(low, high, width, plain=plain).tolist()))
    axis.set_major_formatter((lambda value, _: f"{value:g}") if plain else powers)
    axis.set_minor_locator(LogLocator(subs=range(2, 10), numticks=100) if high < 1e6 * low else NullLocator())
    axis.set_minor_formatter(NullFormatter())


def _log_ticks(low: float, high: float, width: float, *, plain: bool) -> Float[np.ndarray, " n"]:
    """Return the finest set of ticks of a logarithmic axis whose labels fit a width (inches)."""
    first = floor(log10(low))
    decades = 10.0 ** np.arange(first, floor(log10(high)) + 1)
    choices = [(1, 2, 5)] if plain and high < 10 * low else []
    choices += [(1, 3)] if high < 100 * low else []
    ticks = [np.outer(decades, choice).ravel() for choice in [*choices, (1,)]]
    ticks += [decades[(len(decades) - 1) % step :: step] for step in range(2, 1 + len(decades))]
    for chosen in ticks:
        shown = chosen[(chosen >= low * (1 - 1e-9)) & (chosen <= high * (1 + 1e-9))]
        if len(shown) > 1 and len(shown) <= MOST_TICKS and _have_room(np.log(shown), width, shown, np.log(high / low)):
            return shown
    return np.array([low, high]) if low < high else np.array([low])


def _have_room(
    places: Float[np.ndarray, " n"], width: float, numbers: Float[np.ndarray, " n"] | None = None, span: float = 0.0
) -> bool:
    """Return whether the labels of ascending ticks do not overlap.

    Args:
        places: positions of the ticks.
        width: width of the axis, inches.
        numbers: numbers in the labels; None for the positions themselves.
        span: length of the axis in the unit of the positions; 0 for the range of the positions.
    """
    widths = np.array(
        [style.CHARACTER * min(len(f"{number:g}"), 5) for number in (places if numbers is None else numbers)]
    )
    gaps = np.diff(places) / (span or places[-1] - places[0]) * width
    return bool(np.all(gaps > (widths[1:] + widths[:-1]) / 2 + style.CHARACTER))


def _round_locator(low: float, high: float, width: float) -> MaxNLocator:
    """Return a locator of round numbers with at most four intervals, whose labels fit a width (inches)."""
    for n_intervals in (4, 3, 2):
        locator = MaxNLocator(n_intervals)
        ticks = np.asarray(locator.tick_values(low, high))
        shown = ticks[(ticks >= low) & (ticks <= high)]
        if len(shown) < 2 or _have_room(shown, width, shown, high - low):
            return locator
    return MaxNLocator(1)
