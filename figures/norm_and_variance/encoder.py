"""A real encoder by layer: norm and variance of its tokens, and their similarities."""

from typing import Any

import numpy as np
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from figures.drawing import style

MEASURED: dict[str, Any] = {"marker": "o", "markersize": 3, "linewidth": 0.8}
OPEN: dict[str, Any] = {"markerfacecolor": "white", "markeredgewidth": 0.7}
PUBLISHED: dict[str, Any] = {"color": "0.45", "linewidth": 0.9, "linestyle": (0, (3, 1.5))}
FORMULA: dict[str, Any] = {"color": style.PREDICTED, "linewidth": 1.0}
TOKENS: dict[str, Any] = {"linestyle": "none", "markersize": 2.2, "markeredgewidth": 0.4, "markerfacecolor": "none"}
N_PANELS, MOST_COLUMNS, HEIGHT = 8, 4, 1.65


@style.styled
def draw(dataset):
    """Draw eight panels: shares, trade-off and similarities by layer, and single tokens.

    Only the first of several regimes, encoders, corpora or seeds is drawn.
    """
    run = first_run(dataset)
    figure, axes = style.make_panels(N_PANELS, MOST_COLUMNS, HEIGHT)
    panels = (_shares, _trade_off, _scatter, _self_similarity, _anisotropy, _intra, _contexts, _frequency)
    for ax, panel in zip(axes.flat, panels, strict=True):
        panel(ax, run)
    figure.legend(handles=_handles(dataset, run), loc="outside lower center", ncols=3)
    return figure


def first_run(dataset):
    """Return the first run of a dataset, with only the dimensions layer, token and quantity."""
    own = {"layer", "token", "quantity"}
    return dataset.isel({name: 0 for name in dataset.dims if name not in own})


def chosen_layers(run) -> dict[int, str]:
    """Return the layers whose tokens are shown, with colours: embeddings, the layer of largest M/Q, and the last."""
    last = run.sizes["layer"] - 1
    farthest = int(np.nanargmax(run.mean_share.values))
    return dict(zip(dict.fromkeys([0, farthest, last]), style.COLOURS, strict=False))


def _by_layer(ax, run, *names: str, label: str) -> None:
    """Draw variables by layer, the second with open markers, and published curves if there are any."""
    layers = np.arange(run.sizes["layer"])
    for index, name in enumerate(names):
        ax.plot(layers, run[name].values, color=style.COLOURS[index], zorder=2, **MEASURED | (OPEN if index else {}))
    published = f"{names[0]}_published"
    if published in run:
        ax.plot(layers, run[published].values, zorder=1, **PUBLISHED)
    ax.set_xlabel("layer")
    ax.set_title(label)
    ax.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    ax.set_xlim(-0.4, len(layers) - 0.6)


def _shares(ax, run) -> None:
    _by_layer(ax, run, "mean_share", "within_share", label="M/Q (filled), V$_W$/V (open)")
    ax.set_ylim(0, 1)


def _trade_off(ax, run) -> None:
    layers = np.arange(run.sizes["layer"])
    ax.axhline(0, color="0.8", linewidth=0.6, zorder=0)
    ax.plot(layers, run.correlation_predicted.values, zorder=1, **FORMULA)
    _by_layer(
        ax,
        run.drop_vars("correlation_predicted"),
        "correlation",
        "undone_correlation",
        label="corr(M, V); open: before scale",
    )
    for line in ax.lines[-2:]:
        line.set_linestyle("none")
    ax.set_ylim(-1.1, 1.1)


def _scatter(ax, run) -> None:
    """Draw V against M of the tokens of three layers, with the line of slope ``r s - 1`` through their mean."""
    for index, (layer, colour) in enumerate(chosen_layers(run).items()):
        tokens = run.isel(layer=layer)
        norm, variance = tokens.token_mean_square.values, tokens.token_variance.values
        ax.plot(norm, variance, marker=style.MARKS[index], markeredgecolor=colour, **TOKENS)
        ends = np.array([norm.min(), norm.max()])
        ax.plot(ends, variance.mean() + float(tokens.slope_predicted) * (ends - norm.mean()), **FORMULA)
    ax.set_xlim(0, None)
    ax.set_ylim(0, None)
    ax.set_xlabel("M of a token")
    ax.set_title("V of a token")


def _self_similarity(ax, run) -> None:
    _by_layer(ax, run, "self_similarity", "self_similarity_all", label="self-similarity")


def _anisotropy(ax, run) -> None:
    _by_layer(ax, run, "anisotropy", "anisotropy_all", label="anisotropy")
    layers = np.arange(run.sizes["layer"])
    ax.plot(layers, run.anisotropy.values * (1 - run.rogue_share.values), color=style.COLOURS[2], linewidth=0.8,
            linestyle=":")  # fmt: skip
    ax.set_ylim(0, None)


def _intra(ax, run) -> None:
    _by_layer(ax, run, "adjusted_intra", "adjusted_intra_all", label="intra-sentence, adjusted")


def _contexts(ax, run) -> None:
    """Draw the self-similarity of each token in the last layer against the mean cosine of its sentences."""
    last = run.isel(layer=-1)
    ax.plot(last.token_context.values, last.token_self_similarity.values, marker="o", markeredgecolor="0.2", **TOKENS)
    ax.set_xlabel("mean cosine between its sentences")
    ax.set_title("self-similarity, last layer")


def _frequency(ax, run) -> None:
    """Draw the norm of the mean of each token against its frequency."""
    for index, (layer, colour) in enumerate(chosen_layers(run).items()):
        norms = np.sqrt(run.token_mean_square.isel(layer=layer).values)
        ax.plot(run.token_count.values, norms, marker=style.MARKS[index], markeredgecolor=colour, **TOKENS)
    ax.set_xscale("log")
    ax.set_xlabel("occurrences")
    ax.set_title(r"norm of the mean, $\sqrt{M}$")


def _handles(dataset, run) -> list[Line2D]:
    handles = [
        Line2D([], [], color=style.COLOURS[0], label="measured, without special tokens", **MEASURED),
        Line2D([], [], color=style.COLOURS[1], label="with special tokens, or see title", **MEASURED | OPEN),
        Line2D([], [], label="formula in r and s", **FORMULA),
        Line2D([], [], color=style.COLOURS[2], linewidth=0.8, linestyle=":", label="without the largest dimension"),
    ]
    if "published" in dataset.attrs:
        handles.append(Line2D([], [], label=f"published: {dataset.attrs['published']}", **PUBLISHED))
    for index, (layer, colour) in enumerate(chosen_layers(run).items()):
        look: dict[str, Any] = TOKENS | {"marker": style.MARKS[index], "markeredgecolor": colour}
        handles.append(Line2D([], [], label=f"tokens of layer {layer}", **look))
    return handles
