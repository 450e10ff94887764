"""The effect of each normalisation of the word vectors on collapse and on the simplex."""

from typing import Any

import numpy as np
from matplotlib.lines import Line2D

from figures.drawing import scales, style
from figures.drawing.seeds import mean_and_error
from figures.sweeps.axes import keep_axes

PANELS = (
    ("embedding_spread", "spread\nwithin concepts"),
    ("embedding_simplex_deviation", "deviation\nfrom a simplex"),
    ("rare_norm", "norm ratio, rarest to\nmost frequent word"),
    ("embedding_norm", "norm, rms"),
    ("live_coordinates", "non-zero\ncoordinates"),
    ("test_risk", "test risk (nats)"),
)
# Variables with predicted values, for each normalisation or for all.
KNOWN = {
    "rare_norm": "rare_norm_known",
    "embedding_norm": "norm_known",
    "live_coordinates": "live_coordinates_known",
    "test_risk": "risk_known",
}
LOGARITHMIC = ("embedding_spread", "embedding_simplex_deviation")
AXES = ("normalisation", "word_frequency")
OFFSET = 0.16
LOOKS = ("o", "^")


@style.styled
def draw(dataset):
    """Draw six measures by normalisation: mean and standard error over seeds, with black bars where predicted.

    The first and the last law of word frequencies are drawn. Spread and deviation are zero where the theorem holds;
    their axes are logarithmic.
    """
    dataset = _arrange(dataset)
    kinds, laws = list(dataset.normalisation.values), list(dict.fromkeys(dataset.word_frequency.values[[0, -1]]))
    figure, axes = style.make_grid(2, 3, 1.55, sharex=True)
    for ax, (name, label) in zip(axes.ravel(), PANELS, strict=True):
        for index, law in enumerate(laws):
            cells = dataset.sel(word_frequency=law).transpose("normalisation", "seed", ...)
            x = np.arange(len(kinds)) + OFFSET * (2 * index - 1) * (len(laws) > 1)
            _draw_learned(ax, x, values_of(cells, name), index)
            _draw_known(ax, x, cells, name)
        ax.set_ylabel(label)
        if name in LOGARITHMIC:
            ax.set_yscale("log")
            ax.set_ylim(min(1e-4, ax.get_ylim()[0]), 1)
        else:
            ax.set_ylim(0, 1.1 * ax.get_ylim()[1])
        ax.set_xlim(-0.5, len(kinds) - 0.5)
        ax.set_xticks(np.arange(len(kinds)), [_kind_label(kind) for kind in kinds])
    figure.align_ylabels(axes)
    looks = {f"{style.words_of(law)} words": _mark(index) for index, law in enumerate(laws)}
    looks["predicted (where available)"] = {"color": style.PREDICTED, "linewidth": 0.9}
    handles = [Line2D([], [], label=name, **look) for name, look in looks.items()]
    figure.legend(handles=handles, loc="outside lower center", ncols=len(handles))
    return figure


def _kind_label(kind: str) -> str:
    """Return the usual name of a normalisation on several lines, with its scale if any."""
    name, _, scale = kind.partition("-")
    written = {"layer": "Layer\nNorm", "rms": "RMS\nNorm", "batch": "Batch\nNorm"}.get(name, name)
    return f"{written},\n{scale}" if scale else written


def draw_key(ax, dataset) -> None:
    """Draw the deviation from a simplex for each normalisation, with the last law of word frequencies."""
    cells = _arrange(dataset).isel(word_frequency=-1).transpose("normalisation", "seed", ...)
    kinds = list(cells.normalisation.values)
    _draw_learned(ax, np.arange(len(kinds)), values_of(cells, "embedding_simplex_deviation"), 1)
    ax.set_yscale("log")
    ax.set_ylabel("deviation\nfrom a simplex")
    label = f"{style.words_of(cells.word_frequency.item())} words"
    ax.legend(
        handles=[Line2D([], [], label=label, **_mark(1))],
        title="mean and standard error",
        title_fontsize=6,
        loc="upper left",
    )
    scales.set_names(ax, [_kind_label(kind).replace("\n", "").replace(",", ", ") for kind in kinds])


def _arrange(dataset):
    """Return the first regime with the axes of the figure only."""
    return keep_axes(dataset, AXES).isel(regime=0)


def values_of(cells, name: str):
    """Return the learned values of a quantity, on the axes ``normalisation`` and ``seed``."""
    return cells[name] if name in cells else cells.learned.sel(quantity=name)


def _draw_learned(ax, x: np.ndarray, values, index: int) -> None:
    """Draw mean and standard error over the seeds."""
    mean, error = mean_and_error(values)
    ax.errorbar(x, mean, error, elinewidth=0.7, zorder=3, **_mark(index))


def _draw_known(ax, x: np.ndarray, cells, name: str) -> None:
    """Draw a black bar at each predicted value."""
    if name not in KNOWN:
        return
    y = cells[KNOWN[name]].values
    ax.hlines(y[np.isfinite(y)], x[np.isfinite(y)] - OFFSET, x[np.isfinite(y)] + OFFSET,
              color=style.PREDICTED, linewidth=0.9, zorder=2)  # fmt: skip


def _mark(index: int) -> dict[str, Any]:
    return {
        "linestyle": "none", "marker": LOOKS[index], "color": style.COLOURS[index], "markersize": 3.2,
        "markeredgewidth": 0,
    }  # fmt: skip
