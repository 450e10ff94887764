"""Collapse over training: the measures NC1 to NC4, the norms, and the risk above its prediction."""

from typing import Any

import numpy as np
from matplotlib.lines import Line2D
from matplotlib.ticker import EngFormatter, FixedLocator, LogLocator, NullLocator

from figures.drawing import style
from figures.drawing.curves import Curve

DASHED, DASH_DOTTED, DOTTED = (0, (4, 1)), (0, (4, 1, 1, 1)), (0, (1, 0.7))
MEASURES = (
    Curve("nc1", "NC1: spread within classes", style.COLOURS[0], "-", "nc1"),
    Curve("nc2", "NC2: deviation from a simplex", style.COLOURS[1], DASHED, "nc2"),
    Curve("nc3", "NC3: deviation from self-duality", style.COLOURS[2], DASH_DOTTED, "nc3"),
    Curve("nc4", "NC4: not nearest class mean", style.COLOURS[3], DOTTED, "nc4"),
)
NORMS = (
    Curve("embedding_norm", "feature norm", style.COLOURS[4], "-", "feature_norm"),
    Curve("classifier_norm", "classifier norm", style.COLOURS[6], DASHED, "classifier_norm"),
)
LABELS = ("measures of\ncollapse", "norm, rms", "risk - predicted\n(nats)")
PREDICTED_LINE = {"linewidth": 0.6, "linestyle": (0, (2, 2))}
PREDICTED_ZERO = 1e-9  # predictions are float64; smaller values count as zero
# Limits of float32, whose relative rounding error is 6e-8: the risk is a sum in float32, NC1 a mean of its squares.
MEASURE_FLOOR, NORM_FLOOR, RISK_FLOOR = 1e-16, 1e-6, 1e-7
RISK_RESOLUTION = 1e-5  # a risk below the prediction by a larger relative amount is not rounding


@style.styled
def draw(dataset):
    """Draw one column per regime: NC1 to NC4, norms, risk minus the predicted risk; one line per seed.

    Steps are logarithmic after the first record. Values below float32 rounding are at the lower edge; a triangle marks
    where a measure becomes and stays zero.
    """
    regimes = dataset.regime.values
    figure, axes = style.make_grid(3, len(regimes), 1.2, sharex="col", sharey="row", height_ratios=(1.4, 1, 1))
    for column, name in zip(axes.T, regimes, strict=True):
        regime = dataset.sel(regime=name)
        _draw_measures(column[0], regime)
        _draw_norms(column[1], regime)
        _draw_risk(column[2], regime)
        _set_steps(column[2], regime.step.values)
    style.set_regime_titles(axes[0], dataset)
    for row, label in zip(axes, LABELS, strict=True):
        row[0].set_ylabel(label)
        _set_decades(row[0])
    figure.align_ylabels(axes[:, 0])
    _add_legend(figure)
    return figure


def _draw_measures(ax, regime) -> None:
    """Draw NC1 to NC4, with a note where they are undefined."""
    steps = regime.step.values
    for curve in MEASURES:
        for values in regime[f"history_{curve.name}"].values:
            n_kept = np.max(np.flatnonzero(values), initial=-1) + 1  # all later values are zero
            drawn = np.maximum(values[: n_kept + 1], MEASURE_FLOOR)
            ax.plot(steps[: n_kept + 1], drawn, color=curve.colour, linestyle=curve.line, linewidth=0.9)
            if n_kept < len(steps):
                ax.plot(steps[n_kept], MEASURE_FLOOR, color=curve.colour, marker="v", markersize=3, markeredgewidth=0,
                        clip_on=False)  # fmt: skip
        _draw_predicted(ax, regime, curve)
    ax.set_yscale("log")
    ax.set_ylim(bottom=MEASURE_FLOOR)
    ended = regime.history_nc1.isel(record=-1).values
    if np.isnan(ended).all():
        diverged = (regime.status.values == "diverged").all()
        ax.text(0.55, 0.5, "diverged" if diverged else "undefined:\nzero network", transform=ax.transAxes, ha="center")


def _draw_norms(ax, regime) -> None:
    """Draw the norms of features and classifier."""
    for curve in NORMS:
        for values in regime[f"history_{curve.name}"].values:
            drawn = np.maximum(values, NORM_FLOOR)
            ax.plot(regime.step.values, drawn, color=curve.colour, linestyle=curve.line, linewidth=0.9)
        _draw_predicted(ax, regime, curve)
    ax.set_yscale("log")


def _draw_predicted(ax, regime, curve: Curve) -> None:
    """Draw the predicted value of a curve in its colour, unless it is zero."""
    predicted = regime.predicted.sel(quantity=curve.predicted).item()
    if abs(predicted) > PREDICTED_ZERO:
        ax.axhline(predicted, color=curve.colour, label="predicted", **PREDICTED_LINE)


def _draw_risk(ax, regime) -> None:
    """Draw the risk minus the predicted risk, with a note if a run ends below it by more than rounding."""
    predicted = regime.predicted.sel(quantity="risk").item()
    for values in regime.history_risk.values:
        ax.plot(regime.step.values, np.maximum(values - predicted, RISK_FLOOR), color=style.COLOURS[7], linewidth=0.9)
    ax.set_yscale("log")
    ax.set_ylim(bottom=RISK_FLOOR)
    if np.any(regime.history_risk.values[:, -1] < (1 - RISK_RESOLUTION) * predicted):
        ax.text(0.5, 0.5, "ends below\nthe predicted risk", transform=ax.transAxes, ha="center")


def _set_steps(ax, steps: np.ndarray) -> None:
    """Scale the abscissa: linear up to the first record, logarithmic from there on."""
    ax.set_xscale("symlog", linthresh=steps[1], linscale=0.4)
    ax.set_xlim(0, steps[-1])
    decades = 10.0 ** np.arange(12)
    ax.xaxis.set_major_locator(FixedLocator([0, *decades[decades > 2 * steps[1]]]))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.xaxis.set_major_formatter(EngFormatter(sep=""))
    ax.set_xlabel("training steps")


def _set_decades(ax) -> None:
    """Put at most five ticks on a logarithmic ordinate."""
    ax.yaxis.set_major_locator(LogLocator(numticks=5))
    ax.yaxis.set_minor_locator(NullLocator())


def _add_legend(figure) -> None:
    """Put one legend below all panels."""
    looks: dict[str, dict[str, Any]] = {
        curve.label: {"color": curve.colour, "linestyle": curve.line} for curve in (*MEASURES, *NORMS)
    }
    looks["predicted, in the same colour"] = {"color": "0.3", **PREDICTED_LINE}
    looks["zero from here on"] = {"color": "0.3", "linestyle": "none", "marker": "v", "markersize": 3}
    figure.legend(
        handles=[Line2D([], [], label=name, **look) for name, look in looks.items()],
        loc="outside lower center", ncols=4 if figure.get_figwidth() > style.ONE_COLUMN else 2, handlelength=2.2,
    )  # fmt: skip
