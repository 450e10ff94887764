"""Scales, limits and ticks of a panel, chosen by the numbers that are drawn in it."""

from __future__ import annotations

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
)

from figures.drawing import style

if TYPE_CHECKING:
    from jaxtyping import Float

MARGIN = 0.08  # of the abscissa, on both sides of the outermost numbers
ROUND_STEPS = [1, 2, 2.5, 5, 10]


def panel_width(ax) -> float:
    """Return roughly the width of a panel, inches: its share of the figure less the labels of its ordinate."""
    return ax.figure.get_figwidth() / ax.get_subplotspec().get_gridspec().ncols - 0.5


def set_names(ax, names: list[str]) -> None:
    """Put names below 0, 1, ...; slanted where they have no room side by side."""
    slanted = style.CHARACTER * sum(len(name) + 1 for name in names) > panel_width(ax)
    turned = {"rotation": 40, "ha": "right", "rotation_mode": "anchor"} if slanted else {}
    ax.set_xticks(range(len(names)), names, **turned)
    ax.set_xlim(-0.5, len(names) - 0.5)


def set_numbers(ax, positions: Float[np.ndarray, " n"], axis: str = "x") -> None:
    """Scale an axis for sorted numbers, with a margin on both sides; few numbers far apart are the ticks.

    Args:
        ax: the panel.
        positions: the numbers, ascending.
        axis: "x" or "y".
    """
    low, high = positions[[0, -1]]
    set_limits, ticks = getattr(ax, f"set_{axis}lim"), getattr(ax, f"{axis}axis")
    room = panel_width(ax) if axis == "x" else inf  # beside each other; above each other numbers have room
    if is_logarithmic(positions):
        getattr(ax, f"set_{axis}scale")("log")
        margin = (high / low) ** MARGIN
        set_limits(low / margin, high * margin)
        _set_decades(ticks, low, high, room)
        return
    margin = MARGIN * (high - low)
    set_limits(low - margin, high + margin)
    nearest = np.diff(positions).min() / (high - low)
    widest = style.CHARACTER * max(len(f"{position:g}") for position in positions)
    apart = len(positions) <= 5 and nearest > 1 / 7 and nearest * room / (1 + 2 * MARGIN) > widest
    ticks.set_major_locator(FixedLocator(positions.tolist()) if apart else MaxNLocator(4))
    ticks.set_major_formatter(lambda value, _: f"{value:g}")


def set_log_steps(ax) -> None:
    """Make the abscissa one of training steps, logarithmic: ticks at powers of ten, and between where they are few."""
    ax.set_xscale("log")
    first, last = ax.get_xlim()
    ax.xaxis.set_major_locator(LogLocator(subs=(1,) if last > 300 * first else (1, 2, 5)))
    ax.xaxis.set_major_formatter(EngFormatter(sep=""))
    ax.xaxis.set_minor_formatter(NullFormatter())
    ax.set_xlabel("training steps")


def is_logarithmic(positions: Float[np.ndarray, " n"]) -> bool:
    """Return whether sorted numbers are positive, span more than a decade, and have more even ratios than gaps."""
    if positions[0] <= 0 or positions[-1] <= 10 * positions[0]:
        return False
    uneven = [np.std(gaps) / np.mean(gaps) for gaps in (np.diff(np.log(positions)), np.diff(positions))]
    return len(positions) == 2 or bool(uneven[0] < uneven[1])


def set_unit_interval(ax) -> None:
    """Scale the ordinate from 0 to 1."""
    ax.set_ylim(-0.06, 1.1)
    ax.yaxis.set_major_locator(FixedLocator([0, 0.5, 1]))
    ax.yaxis.set_major_formatter(lambda value, _: f"{value:g}")


def set_ordinate(ax, values: Float[np.ndarray, " n"], scale: str = "free") -> None:
    """Scale the ordinate for some values.

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
        ax.set_ylim(-0.06 * top if 0 in values else 0, 1.1 * top)  # a mark at 0 is seen whole
    whole = MaxNLocator(4, integer=True)
    ax.yaxis.set_major_locator(whole if scale == "whole" else MaxNLocator(4, steps=ROUND_STEPS))


def is_decades(values: Float[np.ndarray, " n"], scale: str) -> bool:
    """Return whether finite values are drawn on a logarithmic scale."""
    if scale not in ("free", "log") or not len(values) or values.min() <= 0:
        return False
    return scale == "log" or bool(values.max() > 10 * values.min())


def set_deviation(ax, values: Float[np.ndarray, " n"]) -> None:
    """Scale the ordinate in per cent around 0: at least 0.01 % to both sides, in decades where a value exceeds 1."""
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
    """Return a share in per cent, with a minus sign as long as a plus."""
    return f"{100 * value:g}%".replace("-", "\N{MINUS SIGN}")


def _set_decades(axis, low: float, high: float, width: float = inf) -> None:
    """Put ticks at powers of ten; below two decades, also at three times these if their labels fit a width, inches."""
    plain = low >= 1e-3 and high < 1e4
    decades = 10.0 ** np.arange(floor(log10(low)), floor(log10(high)) + 1)
    finer = [tick for decade in decades for tick in (decade, 3 * decade) if low <= tick <= high]
    fitting = not plain or style.CHARACTER * sum(len(f"{tick:g}") + 1 for tick in finer) < 0.85 * width
    axis.set_major_locator(LogLocator(subs=(1, 3) if high < 100 * low and fitting else (1,), numticks=6))
    powers = LogFormatterSciNotation(minor_thresholds=(inf, inf))
    axis.set_major_formatter((lambda value, _: f"{value:g}") if plain else powers)
    axis.set_minor_formatter(NullFormatter())
