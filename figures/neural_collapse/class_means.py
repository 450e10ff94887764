"""Features of classes on two principal components, and the cosines of class means, learned and predicted."""

from math import ceil, floor, log10
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.colors import FuncNorm, LinearSegmentedColormap
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from figures.drawing import clouds, style
from figures.neural_collapse.class_vectors import ClassVectors, class_axes, cosines, read_vectors

MANY = 30  # classes; with more, classes are not numbered and predicted markers are small
MOST_TICKS = 5
MOST_LABELS = 14  # in a cloud
# Distances in units of the panel width: nearer means share a label; with many classes only coinciding means do.
NEAR, ON_EACH_OTHER = 0.16, 0.03
PIXELS = 300  # minimum size of a matrix image, as some viewers smooth images of few pixels
# From dark blue over grey to light yellow: lightness increases monotonically, so that a greyscale print shows the sign.
CMAP = LinearSegmentedColormap.from_list("cosine", ["#003A66", "#4F8DBB", "#BFC6C9", "#EBD9A0", "#FFF3B8"])
# Cosines of a simplex are near zero: a signed root separates them from zero and from each other.
NORM = FuncNorm((lambda x: np.sign(x) * np.sqrt(np.abs(x)), lambda x: np.sign(x) * np.square(x)), -1, 1)
TICKS = (-1, -0.5, -0.1, 0, 0.1, 0.5, 1)
SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
# Halves of a square, as marks of a legend.
HALVES = {"learned": [(-1, 1), (1, 1), (1, -1), (-1, 1)], "predicted": [(-1, 1), (-1, -1), (1, -1), (-1, 1)]}


@style.styled
def draw(dataset):
    """Draw one column per regime for the first seed: features above, cosines below.

    With several factors a feature is a sum, so the means of each factor's values are drawn instead of the features.
    """
    figure, axes = _make_panels(dataset.sizes["regime"])
    partly_blank = False
    for column, name in zip(axes.T, dataset.regime.values, strict=True):
        vectors = read_vectors(dataset.sel(regime=name).isel(seed=0))
        draw_features(column[0], vectors)
        partly_blank |= draw_cosines(column[1], vectors)
    style.set_regime_titles(axes[0], dataset)
    axes[0, 0].set_ylabel("features, PC 2\n(scale of PC 1)")
    axes[1, 0].set_ylabel("class")
    for ax in axes[1, 1:]:
        ax.tick_params(left=False, labelleft=False)  # as on the abscissa
    _add_colourbar(figure, axes[1])
    n_lines = _add_legend(figure, blank=partly_blank)
    figure.set_figheight(figure.get_figheight() + 0.12 * n_lines)
    return figure


def draw_key(ax, dataset) -> None:
    """Draw the features of the first regime on their two principal components."""
    draw_features(ax, read_vectors(dataset.isel(regime=0, seed=0)))
    ax.set_ylabel("features, PC 2")
    looks: dict[str, dict[str, Any]] = {
        "learned": {"color": "0.45", "markersize": 3, "markeredgewidth": 0},
        "predicted": {"color": style.PREDICTED, "markersize": 5, "markerfacecolor": "none"},
    }
    handles = [Line2D([], [], label=name, linestyle="none", marker="o", **look) for name, look in looks.items()]
    legend = ax.legend(handles=handles, loc="center left", bbox_to_anchor=(1.02, 0.5))
    legend.set_in_layout(False)  # there is room beside a square panel


def _make_panels(n_regimes: int):
    """Return a figure and its panels, ``2 x n_regimes``; those of a single regime are side by side."""
    shape = (1, 2) if n_regimes == 1 else (2, n_regimes)
    figure, axes = style.make_grid(*shape, 1.5)
    side = (figure.get_figwidth() - 0.75) / shape[1]
    figure.set_figheight(shape[0] * (side + 0.2) + 0.5)
    return figure, axes.reshape(2, n_regimes)


def draw_features(ax, vectors: ClassVectors) -> None:
    """Draw features as markers by class, predicted ones as rings, with the numbers of the classes."""
    if vectors.n_factors == 1:
        learned, predicted, groups = vectors.features, vectors.features_predicted, vectors.labels[:, 0]
    else:
        learned, predicted, groups = vectors.means, vectors.means_predicted, np.arange(len(vectors.factors))
    if np.nanmax(np.linalg.norm([learned, predicted], axis=2)) <= vectors.zero:
        _say_all(ax, "zero" if np.all(np.isfinite(learned)) else "diverged")
        return
    components, shares = class_axes(vectors)
    learned, predicted = learned @ components, predicted @ components
    clouds.draw_cloud(ax, learned, predicted, groups, noun=None, ring=5 if len(vectors.factors) <= MANY else 2.5)
    clouds.frame_square(ax, learned, predicted, room=0.24)
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_locator(MaxNLocator(3))
    ax.tick_params(left=False, labelleft=False)  # the scale is that of the abscissa
    ax.set_xlabel("PC 1: {:.0%}, PC 2: {:.0%}".format(*shares), fontsize=6, labelpad=1)
    if len(vectors.factors) <= MANY:
        shown = learned if np.all(np.isfinite(learned)) else predicted
        _label_classes(ax, vectors, [shown[groups == k].mean(axis=0) for k in range(len(vectors.factors))])


def _label_classes(ax, vectors: ClassVectors, points: list[np.ndarray]) -> None:
    """Label class means on their outer side; nearby means share one label."""
    low, high = np.array([ax.get_xlim(), ax.get_ylim()]).T
    width = high[0] - low[0]
    limit = width * (NEAR if len(points) <= MOST_LABELS else ON_EACH_OTHER)
    groups, left = [], list(range(len(points)))
    while left:
        groups.append([k for k in left if np.linalg.norm(points[k] - points[left[0]]) < limit])
        left = [k for k in left if k not in groups[-1]]
    for near in groups[:: ceil(len(groups) / MOST_LABELS)]:
        middle = np.mean([points[k] for k in near], axis=0)
        outwards = middle - (low + high) / 2
        length = np.linalg.norm(outwards)
        outwards = outwards / length if length > 0.05 * width else np.array([0.0, 1.0])
        outermost = middle + outwards * max((points[k] - middle) @ outwards for k in near)
        x, y = (int(np.sign(np.round(part))) for part in outwards)  # -1, 0 or 1
        ax.annotate(vectors.shorten(near), outermost, xytext=4 * outwards, textcoords="offset points", fontsize=5,
                    ha=("center", "left", "right")[x], va=("center_baseline", "bottom", "top")[y])  # fmt: skip


def draw_cosines(ax, vectors: ClassVectors) -> bool:
    """Draw the cosines of class means: learned above the diagonal, predicted below; blank for zero means.

    Returns:
        Whether some means are zero, but not all.
    """
    learned, predicted = (cosines(means, vectors.zero) for means in (vectors.means, vectors.means_predicted))
    n_classes = len(learned)
    above = np.triu(np.ones((n_classes, n_classes), bool), 1)
    ends = 0.5, n_classes + 0.5
    shown = np.where(above, learned, predicted)
    np.fill_diagonal(shown, np.nan)
    fine = np.kron(shown, np.ones((ceil(PIXELS / n_classes),) * 2))
    ax.imshow(fine, cmap=CMAP, norm=NORM, interpolation="none", extent=(*ends, *ends[::-1]))
    for start in np.flatnonzero(np.diff(vectors.factors)) + 1.5:
        ax.plot([start, start, np.nan, *ends], [*ends, np.nan, start, start], color="white", linewidth=1)
    ticks = np.arange(0, n_classes, ceil(n_classes / MOST_TICKS))
    for set_ticks in (ax.set_xticks, ax.set_yticks):
        set_ticks(ticks + 1, [vectors.names[k] for k in ticks])
    ax.tick_params(length=1.5, pad=1.5)
    difference = np.abs(learned - predicted)[above]
    if np.isfinite(difference).any():
        ax.set_xlabel(f"difference ≤ {_round_up(np.nanmax(difference))}", fontsize=6, labelpad=1)
    unknown = [np.isnan(half[above]) for half in (learned, predicted)]
    for place, half, means in zip((0.7, 0.3), unknown, (vectors.means, vectors.means_predicted), strict=True):
        if half.all():
            word = "zero" if np.all(np.isfinite(means)) else "diverged"
            ax.text(place, place, word, transform=ax.transAxes, ha="center", va="center")
    return any(half.any() and not half.all() for half in unknown)


def _round_up(value: float) -> str:
    """Return a positive number as text, rounded up to one digit."""
    if value == 0:
        return "0"
    exponent = floor(log10(value))
    digit = ceil(value / 10.0**exponent)
    if digit == 10:
        digit, exponent = 1, exponent + 1
    return f"{digit * 10.0**exponent:.1g}" if exponent >= -3 else f"{digit}·10{str(exponent).translate(SUPERSCRIPTS)}"


def _say_all(ax, word: str) -> None:
    """Show only a word in a square panel."""
    ax.text(0.5, 0.5, word, transform=ax.transAxes, ha="center", va="center")
    ax.set_xticks([])
    ax.set_yticks([])
    ax.set_box_aspect(1)


def _add_colourbar(figure, axes) -> None:
    """Put the colour bar of the cosines beside a row of panels."""
    bar = figure.colorbar(axes[0].images[0], cax=axes[-1].inset_axes([1.06, 0, 0.09, 1]))
    bar.set_label("cosine of means\n(signed-root scale)", labelpad=1)
    bar.outline.set_linewidth(0.5)
    bar.set_ticks(TICKS, labels=[f"{tick:g}".replace("-", "\N{MINUS SIGN}") for tick in TICKS])


def _add_legend(figure, *, blank: bool) -> int:
    """Put the legend of learned, predicted and blank entries below all panels; return its number of lines."""
    grey, square = "0.45", {"linestyle": "none", "markersize": 5, "markeredgewidth": 0}
    looks: dict[str, dict[str, Any]] = {
        "learned (colour: class)": {"linestyle": "none", "marker": "o", "markersize": 3, "markeredgewidth": 0},
        "predicted": {"linestyle": "none", "marker": "o", "markersize": 5, "markerfacecolor": "none"},
        **{f"cosines, {name}": {"marker": half, **square} for name, half in HALVES.items()},
    }
    colours = (grey, style.PREDICTED, grey, grey)
    handles: list[Artist] = [
        Line2D([], [], label=n, color=c, **look) for (n, look), c in zip(looks.items(), colours, strict=True)
    ]
    if blank:
        handles.append(Patch(facecolor="white", edgecolor=grey, linewidth=0.5, label="blank: zero mean"))
    n_columns = len(handles) if figure.get_figwidth() > style.ONE_COLUMN else 2
    figure.legend(handles=handles, loc="outside lower center", ncols=n_columns)
    return ceil(len(handles) / n_columns)
