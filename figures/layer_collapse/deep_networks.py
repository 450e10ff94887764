"""Collapse layer by layer in deep networks: at the end, over training, and the norms of word vectors."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.lines import Line2D
from matplotlib.ticker import EngFormatter, FixedLocator, LogLocator, MaxNLocator, NullLocator

from figures.drawing import style
from figures.sweeps.axes import keep_axes

if TYPE_CHECKING:
    from jaxtyping import Float

LABELS = (
    "within / between\nvariance of groups,\nend of training",
    "embeddings:\nwithin / between\nconcepts",
    "last layer:\nwithin / between\nclasses",
    "word norm /\nrms norm",
)
AXES = ("network", "word_frequency")
FLOOR = 1e-8  # smallest share of a variance resolved by a float32 sum of squares, whose relative rounding is 6e-8
DODGE = 0.09  # horizontal offset between networks at the same layer or rank


@style.styled
def draw(dataset):
    """Draw one column per regime and law of word frequencies, with a colour and marker per network.

    Markers are geometric means over seeds with standard errors; over training each seed is a line. Rows one to three
    show the variance within over that between concepts (embeddings, layer 0) or classes (other layers), which is 0
    where a layer distinguishes concepts but not words, down to 1e-8, where rounding begins. Black: prediction for the
    embeddings of two layers. The last row shows norms by rank. Other axes are shown at their first value.
    """
    dataset = keep_axes(dataset, AXES)
    columns = list(product(dataset.regime.values, dataset.word_frequency.values))
    figure, axes = style.make_grid(4, max(3, len(columns)), 1.15, sharey="row", height_ratios=(1.4, 1, 1, 1))
    for spare in axes[:, len(columns) :].ravel():
        spare.remove()
    axes = axes[:, : len(columns)]
    for column, (regime, law) in zip(axes.T, columns, strict=True):
        cell = dataset.sel(regime=regime, word_frequency=law)
        _draw_layers(column[0], cell)
        _draw_history(column[1], cell, last=False)
        _draw_history(column[2], cell, last=True)
        _draw_norms(column[3], cell)
    titles = [f"{regime.replace('-', ' ')}\n{law} words" for regime, law in columns]
    style.set_titles(axes[0], titles)
    for row, label in zip(axes, LABELS, strict=True):
        row[0].set_ylabel(label)
    for ax in axes[:3].ravel():
        ax.set_yscale("log")
        ax.set_ylim(FLOOR / 3, 30)
        ax.yaxis.set_major_locator(LogLocator(numticks=5))
        ax.yaxis.set_minor_locator(NullLocator())
    shown = [_relative(dataset[name].values) for name in ("rank_norm", "rank_norm_predicted")]
    axes[3, 0].set_ylim(0, 1.1 * style.ceiling(*shown))
    figure.align_ylabels(axes[:, 0])
    _add_legend(figure, dataset)
    return figure


def draw_key(ax, dataset) -> None:
    """Draw the collapse of each layer for the first regime and law of word frequencies."""
    dataset = keep_axes(dataset, AXES)
    _draw_layers(ax, dataset.isel(regime=0, word_frequency=0))
    ax.set_ylabel("within / between\nvariance of groups")
    ax.set_yscale("log")
    ax.set_ylim(FLOOR / 3, 1e4)  # room for the legend
    marks = [
        Line2D([], [], label=name, markersize=3, linestyle="none", markeredgewidth=0, **style.concept_style(index))
        for index, name in enumerate(dataset.network.values)
    ]
    marks.append(Line2D([], [], label="predicted", color=style.PREDICTED, linewidth=0.9))
    ax.legend(handles=marks, ncols=2, loc="upper right", columnspacing=0.8, handletextpad=0.1)


def _draw_layers(ax, cell) -> None:
    """Draw the last recorded ratio of each layer of each network."""
    n_layers = cell.sizes["layer"]
    for index, network in enumerate(cell.network.values):
        values = _last(cell.history_class_ratio.sel(network=network))
        mean, error = geometric_mean(values)
        is_finite = np.isfinite(mean)
        x = np.arange(n_layers) + _shift(index, cell)
        _draw_marks(ax, x[is_finite], mean[is_finite], error[is_finite], index)
    predicted = cell.predicted.sel(quantity="concept_ratio").values
    drawable = predicted[np.isfinite(predicted) & (predicted > FLOOR)]
    if drawable.size:
        ax.plot([-0.4, 0.4], [drawable[0]] * 2, color=style.PREDICTED, linewidth=0.9, zorder=4)
    ax.set_xlim(-0.45, n_layers - 0.55)
    ax.xaxis.set_major_locator(FixedLocator(range(n_layers)))
    ax.set_xlabel("layer (0: concepts; others: classes)")


def _draw_history(ax, cell, *, last: bool) -> None:
    """Draw the variance ratio of each network's last layer, or of its embeddings, over training."""
    for index, network in enumerate(cell.network.values):
        values = cell.history_class_ratio.sel(network=network)
        layers = np.flatnonzero(np.isfinite(values).any(["seed", "record"]).values)
        layer = int(layers[-1]) if last and layers.size else 0
        for line in values.isel(layer=layer).transpose("seed", "record").values:
            ax.plot(cell.step.values, np.maximum(line, FLOOR), color=style.COLOURS[index], linewidth=0.7)
    ax.set_xlim(0, np.nanmax(cell.step.values))
    ax.xaxis.set_major_locator(MaxNLocator(3, steps=[1, 2, 5, 10]))
    ax.xaxis.set_major_formatter(EngFormatter(sep=""))
    ax.set_xlabel("training steps")


def _draw_norms(ax, cell) -> None:
    """Draw the norms of the words by rank, relative to their root mean square."""
    ranks = np.arange(1, cell.sizes["rank"] + 1)
    for index, network in enumerate(cell.network.values):
        norms = cell.rank_norm.sel(network=network).transpose("seed", "rank").values
        mean, error = geometric_mean(_relative(norms))
        _draw_marks(ax, ranks + _shift(index, cell), mean, error, index)
    predicted = _relative(cell.rank_norm_predicted.isel(network=0).values)
    ax.plot(ranks, predicted, color=style.PREDICTED, linewidth=0.9, zorder=4)
    ax.set_xlim(0.55, len(ranks) + 0.45)
    ax.xaxis.set_major_locator(MaxNLocator(4, integer=True))
    ax.set_xlabel("rank of the word")


def geometric_mean(
    values: Float[np.ndarray, "r ..."],
) -> tuple[Float[np.ndarray, ...], Float[np.ndarray, "... 2"]]:
    """Return the geometric mean over the first axis, and its standard errors below and above, ``Float[..., 2]``.

    The errors are from that of the mean logarithm, and zero for a single seed. Smaller values count as the floor.
    """
    logarithms = np.log(np.maximum(values, FLOOR))
    mean = logarithms.mean(axis=0)
    spread = logarithms.std(axis=0, ddof=1) / np.sqrt(len(values)) if len(values) > 1 else np.zeros_like(mean)
    centre = np.exp(mean)
    lengths = [centre - np.exp(mean - spread), np.exp(mean + spread) - centre]
    return centre, np.maximum(np.stack(lengths, axis=-1), 0)  # removes rounding where the spread is zero


def _draw_marks(ax, x: np.ndarray, mean: np.ndarray, error: np.ndarray, index: int) -> None:
    ax.errorbar(
        x, mean, error.T, linewidth=0.6, elinewidth=0.7, markersize=3, markeredgewidth=0, **style.concept_style(index)
    )  # fmt: skip


def _last(history) -> np.ndarray:
    """Return the last finite record of each seed and layer, ``Float[seed, layer]``; NaN where there is none."""
    values = history.transpose("seed", "layer", "record").values
    finite = np.isfinite(values)
    last = values.shape[-1] - 1 - np.argmax(finite[..., ::-1], axis=-1)
    return np.take_along_axis(values, last[..., None], axis=-1)[..., 0]


def _relative(norms: np.ndarray) -> np.ndarray:
    """Return norms divided by their root mean square over ranks."""
    return norms / np.sqrt(np.mean(norms**2, axis=-1, keepdims=True))


def _shift(index: int, cell) -> float:
    return DODGE * (index - (cell.sizes["network"] - 1) / 2)


def _add_legend(figure, dataset) -> None:
    """Put one legend below all panels."""
    looks = {
        name: {"markersize": 3, "linewidth": 0.7, "markeredgewidth": 0, **style.concept_style(index)}
        for index, name in enumerate(dataset.network.values)
    }
    looks["predicted (embeddings, two layers)"] = {"color": style.PREDICTED, "linewidth": 0.9}
    figure.legend(
        handles=[Line2D([], [], label=name, **look) for name, look in looks.items()],
        loc="outside lower center", ncols=4 if figure.get_figwidth() > 5 else 2, handlelength=2.2,
    )  # fmt: skip
