"""Training curves with the predicted values as lines."""

from typing import NamedTuple

import numpy as np
from matplotlib.ticker import EngFormatter, NullFormatter

from figures.drawing import style
from figures.drawing.curves import Curve


class Panel(NamedTuple):
    """A row of the figure: the label of its ordinate, its curves, and whether the ordinate is logarithmic."""

    label: str
    curves: tuple[Curve, ...]
    logarithmic: bool = True


PANELS = (
    Panel(
        "cross-entropy (nats)",
        (
            Curve("train_cross_entropy", "training", style.TRAIN, "--"),
            Curve("test_cross_entropy", "test", style.TEST, "-", "test_cross_entropy"),
        ),
    ),
    Panel(
        "accuracy",
        (Curve("train_accuracy", "training", style.TRAIN, "--"), Curve("test_accuracy", "test", style.TEST)),
        logarithmic=False,
    ),
    Panel(
        "norm, rms",
        (
            Curve("embedding_norm", "embeddings", style.TEST, "-", "embedding_norm"),
            Curve("classifier_norm", "classifier", style.TRAIN, "--", "classifier_norm"),
        ),
    ),
    Panel(
        "spread of directions",
        (
            Curve("embedding_spread", "embeddings", style.TEST),
            Curve("classifier_spread", "classifier", style.TRAIN, "--"),
        ),
    ),
)


@style.styled
def draw(dataset):
    """Draw one column per regime: cross-entropy, accuracy, norms, spread within concepts; one line per seed."""
    regimes = dataset.regime.values
    figure, axes = style.make_grid(len(PANELS), len(regimes), 1.3, sharex="col", sharey="row")
    for column, name in zip(axes.T, regimes, strict=True):
        regime = dataset.sel(regime=name)
        for ax, panel in zip(column, PANELS, strict=True):
            draw_panel(ax, regime, panel)
        column[-1].set_xlabel("training steps")
    style.set_regime_titles(axes[0], dataset)
    for ax, panel in zip(axes[:, 0], PANELS, strict=True):
        ax.set_ylabel(panel.label)
    for ax in axes[:, -1]:
        ax.legend(loc="best")
    figure.align_ylabels(axes[:, 0])
    return figure


def draw_panel(ax, regime, panel: Panel) -> None:
    """Draw the curves of one panel for all seeds of a regime."""
    steps = regime.step.values
    for curve in panel.curves:
        values = regime[f"history_{curve.name}"].values
        for index, seed_values in enumerate(values):
            label = curve.label if index == 0 else None
            ax.plot(steps, seed_values, color=curve.colour, linestyle=curve.line, linewidth=0.9, label=label)
        if curve.name == "test_accuracy":
            _draw_band(ax, steps, values, regime.history_test_accuracy_error.values, curve.colour)
        if curve.predicted is not None:
            predicted = regime.predicted.sel(quantity=curve.predicted).item()
            label = "predicted" if curve is panel.curves[-1] else None
            ax.axhline(predicted, color=style.PREDICTED, linewidth=0.8, linestyle=(0, (1, 1.5)), label=label)
    if panel.logarithmic:
        # Curves that are all zero, such as the spread of one-word concepts, have no logarithm.
        if any(np.any(np.asarray(line.get_ydata()) > 0) for line in ax.get_lines()):
            ax.set_yscale("log")
        ax.yaxis.set_minor_formatter(NullFormatter())
    else:
        ax.set_ylim(-0.03, 1.05)
    ax.xaxis.set_major_formatter(EngFormatter(sep=""))
    ax.margins(x=0.02)


def _draw_band(ax, steps: np.ndarray, values: np.ndarray, errors: np.ndarray, colour: str) -> None:
    """Draw a band of one standard error on both sides of each curve."""
    for curve, error in zip(values, errors, strict=True):
        ax.fill_between(steps, curve - error, curve + error, color=colour, alpha=0.3, linewidth=0)
