"""The toy experiment: losses with ReLU, losses out of distribution and background weights by activation."""

from typing import Any, NamedTuple

import numpy as np

from figures.drawing import style
from figures.drawing.seeds import mean_and_error
from figures.feature_contamination.cells import first_cells

LOSSES = (
    ("train_loss", style.COLOURS[7], (0, (1, 1.2)), "training"),
    ("loss", style.COLOURS[0], "-", "held out"),
    ("ood_loss", style.COLOURS[1], (0, (4, 1.5)), "out of distribution"),
)
NAMES = {"relu": "ReLU", "gelu": "GELU"}
LINE: dict[str, Any] = {"linewidth": 0.9, "markersize": 2.6, "markeredgewidth": 0, "markevery": 4}
LEAST_LOSS = 1e-5  # smaller losses are drawn here


class Core(NamedTuple):
    """The name of a kind of core, and the measure of its background weights, signed where signs are meaningful."""

    name: str
    weight: str
    label: str


CORES = {
    "signed": Core("linear core", "background_weight", "mean signed\nbackground weight"),
    "spheres": Core("spherical core", "background_norm", "mean norm of\nbackground weights"),
}


@style.styled
def draw(dataset):
    """Draw one row per kind of core."""
    dataset = first_cells(dataset)
    rows = {core: _activations(dataset, core) for core in CORES}
    rows = {core: activations for core, activations in rows.items() if activations}
    figure, axes = style.make_grid(max(1, len(rows)), 3, 1.55, sharex=True)
    for row, (core, activations) in zip(axes, rows.items(), strict=False):
        _draw_losses(row[0], dataset.sel(regime=f"{core}-{activations[0]}"))
        _draw_activations(row[1], dataset, core, "ood_loss")
        row[1].set_yscale("log")
        row[2].set_title(CORES[core].name, pad=2)
        _draw_activations(row[2], dataset, core, CORES[core].weight)
        row[0].set_title(f"{CORES[core].name}, {NAMES.get(activations[0], activations[0])}", pad=2)
        row[1].set_title(CORES[core].name, pad=2)
        row[0].set_ylabel("loss (nats)")
        row[1].set_ylabel("loss out of\ndistribution (nats)")
        row[2].set_ylabel(CORES[core].label)
    for ax in axes[-1]:
        ax.set_xlabel("training steps")
    _add_legends(figure, axes[0])
    return figure


def draw_key(ax, dataset) -> None:
    """Draw the background weights by activation for the first kind of core."""
    dataset = first_cells(dataset)
    core = next(core for core in CORES if _activations(dataset, core))
    _draw_activations(ax, dataset, core, CORES[core].weight)
    ax.set_xlabel("training steps")
    ax.set_ylabel(CORES[core].label)
    ax.legend(loc="upper left")


def _activations(dataset, core: str) -> list[str]:
    """Return the activations of the regimes with a kind of core."""
    regimes = map(str, dataset.regime.values)
    return [name.removeprefix(f"{core}-") for name in regimes if name.startswith(f"{core}-")]


def _draw_losses(ax, regime) -> None:
    steps = regime.step.values
    for name, colour, line, label in LOSSES:
        mean, _ = mean_and_error(regime[f"history_{name}"])
        ax.plot(steps, np.maximum(mean, LEAST_LOSS), color=colour, linestyle=line, label=label, linewidth=1.0)
    ax.set_yscale("log")


def _draw_activations(ax, dataset, core: str, quantity: str) -> None:
    """Draw a quantity over training, one line per activation."""
    for index, activation in enumerate(_activations(dataset, core)):
        regime = dataset.sel(regime=f"{core}-{activation}")
        mean, _ = mean_and_error(regime[f"history_{quantity}"])
        look = {"color": style.COLOURS[index], "marker": style.MARKS[index]} | LINE
        label = NAMES.get(activation, activation)
        ax.plot(regime.step.values, np.maximum(mean, LEAST_LOSS) if "loss" in quantity else mean, label=label, **look)


def _add_legends(figure, row) -> None:
    handles, labels = [], []
    for ax in row[:2]:
        own_handles, own_labels = ax.get_legend_handles_labels()
        handles += own_handles
        labels += own_labels
    if handles:
        figure.legend(handles, labels, loc="outside lower center", ncols=min(8, len(labels)))
