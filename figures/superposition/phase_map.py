"""The phase diagram of two features in one dimension: learned phases as colours, predicted boundaries as lines."""

from typing import Any

import numpy as np
from matplotlib.colors import BoundaryNorm, ListedColormap
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from figures.drawing import style

# Phases differ in lightness, for greyscale: white, light, middle, dark.
PHASES = (
    ("neither", "white"),
    ("feature 1 alone", "#F3D27A"),
    ("feature 2 alone", style.COLOURS[3]),
    ("both: superposition", "#2B4C7E"),
)
COLOURS = ListedColormap([colour for _, colour in PHASES])
EXACT: dict[str, Any] = {"color": style.PREDICTED, "linewidth": 1.1, "linestyle": "-"}
CROSSING: dict[str, Any] = {"color": style.PREDICTED, "linewidth": 1.0, "linestyle": (0, (3, 1.5))}
HALO: dict[str, Any] = {"color": "white", "linewidth": 2.4}
WRONG: dict[str, Any] = {"marker": "x", "color": "black", "markersize": 3, "linestyle": "none", "markeredgewidth": 0.7}
EXACT_LABEL, CROSSING_LABEL = "predicted: exact loss", "predicted: crossing of candidates"


@style.styled
def draw(dataset):
    """Draw one map per regime: p along the abscissa, rarer features to the right, importance along the ordinate.

    A cross marks a cell whose learned phase differs from the predicted one.
    """
    figure, axes = style.make_grid(1, dataset.sizes["regime"], 3.1)
    for index, ax in enumerate(axes[0]):
        regime = dataset.isel(regime=index)
        _draw_map(ax, regime)
        n_cells, agreed = regime.phase.size, int((regime.phase == regime.phase_predicted).sum())
        ax.set_title(f"learned phase agrees\nin {agreed} of {n_cells} cells", pad=3)
    axes[0, 0].set_ylabel("importance ratio, feature 2 to feature 1")
    figure.legend(handles=_handles(dataset), loc="outside lower center", ncols=2)
    return figure


def draw_key(ax, dataset) -> None:
    """Draw the map of the first regime with the names of its regions."""
    _draw_map(ax, dataset.isel(regime=0))
    ax.set_xlabel("p (active)")
    ax.set_ylabel("importance ratio, feature 2 to 1")
    places = (
        (0.06, 0.8, "feature 2\nalone", "black"),
        (0.06, 0.14, "feature 1\nalone", "black"),
        (0.6, 0.6, "both", "white"),
    )
    for x, y, name, colour in places:
        ax.text(x, y, name, color=colour, transform=ax.transAxes)
    lines = [handle for handle in _handles(dataset) if isinstance(handle, Line2D)]
    for handle in lines:
        handle.set_label(str(handle.get_label()).removeprefix("predicted: "))
    ax.legend(handles=lines, loc="lower right", frameon=True, framealpha=1.0, edgecolor="none")


def _draw_map(ax, regime) -> None:
    """Draw the phases of a regime and both lines."""
    cells = regime.sortby(["active_probability", "importance_ratio"])
    p, r = cells.active_probability.values, cells.importance_ratio.values
    learned, predicted = (cells[name].transpose(..., "importance_ratio", "active_probability").values
                          for name in ("phase", "phase_predicted"))  # fmt: skip
    ax.pcolormesh(log_edges(p), log_edges(r), learned, cmap=COLOURS, norm=BoundaryNorm(np.arange(5) - 0.5, 4))
    wrong = learned != predicted
    crossed = [centre[wrong] for centre in np.meshgrid(p, r)]
    ax.plot(*crossed, zorder=3, **WRONG | {"color": "white", "markersize": 4, "markeredgewidth": 1.8})
    ax.plot(*crossed, zorder=3, **WRONG)
    ratios = regime.line_importance_ratio.values
    for name, look in (("boundary", EXACT), ("crossing", CROSSING)):
        ax.plot(regime[name].values, ratios, **HALO)
        ax.plot(regime[name].values, ratios, **look)
    # Where features are not in superposition, only the more important one is represented.
    top = np.interp(0.0, np.log(ratios), regime.boundary.values)
    ax.plot([top, log_edges(p)[-1]], [1, 1], **HALO)
    ax.plot([top, log_edges(p)[-1]], [1, 1], **EXACT)
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.set_xlim(log_edges(p)[-1], log_edges(p)[0])
    ax.set_ylim(log_edges(r)[0], log_edges(r)[-1])
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_formatter(lambda value, _: f"{value:g}")
    ax.set_xlabel("probability p that a feature is active")


def log_edges(values: np.ndarray) -> np.ndarray:
    """Return the edges of cells around sorted positive numbers: midway between them on a logarithmic scale."""
    logs = np.log(values)
    between = (logs[1:] + logs[:-1]) / 2
    return np.exp(np.concatenate([[2 * logs[0] - between[0]], between, [2 * logs[-1] - between[-1]]]))


def _handles(dataset) -> list:
    """Return the legend entries: the phases that occur, both lines, and crosses if there are any."""
    present = np.unique(dataset.phase.values).astype(int)
    handles: list = [Patch(facecolor=PHASES[number][1], edgecolor="0.3", linewidth=0.4, label=PHASES[number][0])
                     for number in present]  # fmt: skip
    handles += [Line2D([], [], label=EXACT_LABEL, **EXACT), Line2D([], [], label=CROSSING_LABEL, **CROSSING)]
    if (dataset.phase != dataset.phase_predicted).any():
        handles.append(Line2D([], [], label="learned phase differs", **WRONG))
    return handles
