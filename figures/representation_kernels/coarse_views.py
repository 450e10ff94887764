"""CKA between kernels learned from events and from blocks of events, and its error."""

from typing import Any

import numpy as np
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from figures.drawing import style

PREDICTED: dict[str, Any] = {"color": style.PREDICTED, "linewidth": 0.9, "zorder": 1}
DOTS: dict[str, Any] = {"linestyle": "none", "markersize": 3.4, "markeredgewidth": 0.7, "zorder": 2}
LEAST_ERROR = 1e-17  # smaller errors are drawn here
ACCURACY: dict[str, Any] = {"color": "0.5", "linewidth": 0.8, "linestyle": (0, (3, 1.5))}
PROMISED = 1e-4
APART = 0.16  # horizontal offset between regimes, in events per block, so that equal dots are visible


@style.styled
def draw(dataset):
    """Draw the CKA with the kernel of the finest view against events per block, and below its error.

    Varied axes other than blocks are shown at their first value.
    """
    dataset = _first(dataset)
    figure, axes = style.make_grid(2, 1, 1.0, sharex=True, height_ratios=[1.6, 1.0])
    figure.set_figheight(3.9)
    curve_ax, error_ax = axes[:, 0]
    draw_curve(curve_ax, dataset)
    _draw_errors(error_ax, dataset)
    curve_ax.set_ylabel("CKA with the kernel of events")
    error_ax.set_ylabel("|learned - predicted|")
    error_ax.set_xlabel("events per block, B")
    figure.legend(handles=_handles(dataset), loc="outside lower center", ncols=2)
    return figure


def draw_key(ax, dataset) -> None:
    """Draw the CKA."""
    dataset = _first(dataset)
    draw_curve(ax, dataset)
    ax.set_xlabel("events per block, B")
    ax.set_ylabel("CKA with the kernel of events")
    ax.legend(handles=_handles(dataset)[:-1], loc="lower left")


def _first(dataset):
    """Return the dataset at the first value of every varied axis except blocks."""
    return dataset.isel({name: 0 for name in dataset.alignment.dims if name not in ("regime", "blocks", "seed")})


def draw_curve(ax, dataset) -> None:
    """Draw predicted lines, and learned dots for each regime and seed."""
    for regime, shift, look in _regimes(dataset):
        blocks, learned, predicted = _points(regime)
        order = np.argsort(blocks)
        ax.plot(blocks[order], predicted[order, 0], **PREDICTED)
        for values in learned.T:
            ax.plot(blocks + shift, values, **look)
    ax.xaxis.set_major_locator(MaxNLocator(6, integer=True))


def _draw_errors(ax, dataset) -> None:
    for regime, shift, look in _regimes(dataset):
        blocks, learned, predicted = _points(regime)
        for values in (np.abs(learned - predicted)).T:
            ax.plot(blocks + shift, np.maximum(values, LEAST_ERROR), **look)
    ax.axhline(PROMISED, **ACCURACY)
    ax.set_yscale("log")
    ax.set_ylim(LEAST_ERROR / 5, 2)


def _points(regime):
    """Return events per block, and learned and predicted CKA of each cell and seed, ``[cells, seeds]``."""
    others = [name for name in regime.alignment.dims if name != "seed"]
    flat = regime[["alignment", "alignment_predicted"]].transpose(*others, "seed")
    n_seeds = regime.sizes["seed"]
    learned, predicted = (flat[name].values.reshape(-1, n_seeds) for name in ("alignment", "alignment_predicted"))
    return regime.cell_blocks.transpose(*others).values.ravel(), learned, predicted


def _regimes(dataset):
    """Yield each regime with the horizontal offset and style of its dots."""
    n_regimes = dataset.sizes["regime"]
    for index in range(n_regimes):
        look: dict[str, Any] = {} if index % 2 else {"markerfacecolor": "white"}
        shift = APART * (index - (n_regimes - 1) / 2) / max(1, n_regimes - 1) * 2
        yield dataset.isel(regime=index), shift, style.concept_style(index) | look | DOTS


def _handles(dataset) -> list[Line2D]:
    handles = [Line2D([], [], label="predicted", **PREDICTED)]
    handles += [
        Line2D([], [], label=style.words_of(regime.regime.values), **look) for regime, _, look in _regimes(dataset)
    ]
    return [*handles, Line2D([], [], label=f"error of {PROMISED:g}", **ACCURACY)]
