"""The dimensionality of features as they become rare: learned values and predicted plateaus."""

from collections import Counter
from fractions import Fraction
from typing import Any

import numpy as np
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, NullLocator

from figures.drawing import style
from figures.superposition.restarts import P, best_restart, over_probability

PREDICTED: dict[str, Any] = {"color": style.PREDICTED, "linewidth": 1.0, "solid_capstyle": "butt"}
LEARNED: dict[str, Any] = {"color": style.COLOURS[0], "marker": "o", "linestyle": "none", "markeredgewidth": 0}
# Known codes: a dedicated feature, simplices of k features in k - 1 dimensions, a pentagon in two.
PLATEAUS = (Fraction(1), Fraction(2, 3), Fraction(1, 2), Fraction(2, 5))
STEP = 0.01  # dimensionalities within one step share a marker
MOST_COLUMNS = 4
NUMBERS = [digit * 10**power for power in range(5) for digit in (1, 2, 5)]  # on the abscissa


@style.styled
def draw(dataset):
    """Draw one panel per regime: the dimensionality of every feature of the best restart against 1/p.

    Larger markers stand for more features. Black bars are predicted, grey lines are those of regular codes.
    """
    dataset = best_restart(over_probability(dataset))
    n_regimes = dataset.sizes["regime"]
    figure, axes = style.make_panels(n_regimes, MOST_COLUMNS, 1.75, sharey=True)
    n_columns = axes.shape[1]
    for index, ax in enumerate(axes.flat[:n_regimes]):
        regime = dataset.isel(regime=index)
        _draw_panel(ax, regime)
        ax.set_title(style.words_of(regime.regime.values), pad=2)
        if index + n_columns >= n_regimes:
            ax.set_xlabel("1/p")
    for row in axes:
        row[0].set_ylabel("feature\ndimensionality")
    figure.legend(handles=_handles(), loc="outside lower center", ncols=2 if n_columns < 3 else 4)
    return figure


def draw_key(ax, dataset) -> None:
    """Draw the regime with the largest number of different predicted dimensionalities."""
    dataset = best_restart(over_probability(dataset))
    regimes = [dataset.isel(regime=index) for index in range(dataset.sizes["regime"])]
    regime = max(regimes, key=lambda regime: len(_levels(regime.dimensionalities_predicted.values)))
    _draw_panel(ax, regime)
    ax.set_xlabel(f"1/p, {style.words_of(regime.regime.values)}")
    ax.set_ylabel("feature dimensionality")
    ax.legend(handles=_handles(), loc="center right", bbox_to_anchor=(1.0, 0.2))


def _draw_panel(ax, regime) -> None:
    """Draw learned and predicted dimensionalities of a regime."""
    inverse = 1 / regime[P].values
    ratio = min([1.2, *(inverse[1:] / inverse[:-1]) ** 0.35])
    for plateau in PLATEAUS:
        ax.axhline(float(plateau), color="0.85", linewidth=0.5, zorder=0)
    for column, place in enumerate(inverse):
        cell = regime.isel({P: column})
        for value in _levels(cell.dimensionalities_predicted.values):
            ax.plot([place / ratio, place * ratio], [value, value], **PREDICTED, zorder=1)
        for value, count in _levels(cell.dimensionalities.values).items():
            ax.plot(place, value, **LEARNED, markersize=2 + 0.7 * np.sqrt(count), zorder=2)
    ax.set_xscale("log")
    ax.set_xlim(inverse[0] / ratio**2, inverse[-1] * ratio**2)
    ax.xaxis.set_major_locator(FixedLocator(NUMBERS))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    ax.set_ylim(-0.06, 1.09)
    ax.set_yticks([0, *map(float, PLATEAUS)], ["0", *map(str, PLATEAUS)])
    ax.yaxis.minorticks_off()
    if not np.isfinite(regime.dimensionalities_predicted.values).any():
        ax.text(0.97, 0.97, "no prediction", transform=ax.transAxes, ha="right", va="top", fontsize=6)


def _levels(values: np.ndarray) -> Counter:
    """Return the values that occur, rounded to a step, with their counts."""
    finite = values[np.isfinite(values)]
    return Counter(np.round(finite / STEP) * STEP)


def _handles() -> list[Line2D]:
    return [
        Line2D([], [], label="predicted", **PREDICTED),
        Line2D([], [], label="learned, one feature", **LEARNED, markersize=2.7),
        Line2D([], [], label="learned, 20 features", **LEARNED, markersize=2 + 0.7 * np.sqrt(20)),
        Line2D([], [], label="regular codes", color="0.75", linewidth=0.7),
    ]
