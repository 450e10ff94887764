"""Time and memory of a training step against each size: measurements, fitted line, predicted slope."""

import numpy as np
from matplotlib.ticker import NullLocator

from figures.drawing import style

FILE_NAME = "scaling"

LABELS = {
    "n_classes": "classes K",
    "sentence_length": "words L",
    "embedding_dim": "dimension d",
    "n_words": "vocabulary $n_w$",
    "batch_size": "batch (sentences)",
    "members": "members",
}
# Quantity, label, unit factor, name of its slope in the dataset.
ROWS = (
    ("time", "time (ms per step)", 1e-3, "d log time / d log size"),
    ("memory", "memory (MB)", 1.0, "d log memory / d log size"),
)


@style.styled
def draw(dataset):
    """Draw one column per size; panels of a row share their scale, so that slopes can be compared.

    Error bars are quartiles over rounds. The fitted and the predicted line cover the range of the fit and intersect at
    its centre.

    Raises:
        ValueError: the dataset holds no measurement of scaling.
    """
    scaling = dataset.isel(measurement=dataset.benchmark.values == "scaling")
    names = [name for name in LABELS if name in scaling.case.values]
    if not names:
        raise ValueError("benchmark: expected a dataset with scaling measurements, got none")
    figure, axes = style.make_grid(len(ROWS), len(names), 1.35, sharex="col", sharey="row")
    for panels, name in zip(axes.T, names, strict=True):
        case = scaling.isel(measurement=scaling.case.values == name)
        for ax, (quantity, _, scale, slope) in zip(panels, ROWS, strict=True):
            _draw_panel(ax, case, quantity, scale, slope)
        _set_abscissa(panels[-1], case)
        panels[-1].set_xlabel(LABELS[name])
    for ax, (_, label, _, _) in zip(axes[:, 0], ROWS, strict=True):
        low, high = ax.get_ylim()
        ax.set_ylim(low, high * (high / low) ** 0.35)  # room for the slopes
        ax.set_ylabel(label)
    figure.align_ylabels(axes[:, 0])
    style.legend_below(figure, axes[0, 0])
    figure.set_figheight(figure.get_figheight() + 0.2)
    return figure


def _draw_panel(ax, case, quantity: str, scale: float, slope: str) -> None:
    """Draw the measurements of a quantity against one size, both lines, and their slopes as text."""
    ax.set_xscale("log")
    ax.set_yscale("log")
    measured = _choose(case, quantity, "simlab")
    at, value = measured["at"], scale * measured["value"]
    fitted, predicted = (_choose(case, slope, f"{kind} slope") for kind in ("measured", "predicted"))
    in_fit = at >= fitted["at"]
    centre = np.log(at[in_fit]).mean(), np.log(value[in_fit]).mean()
    looks = {
        "fitted slope": {"color": style.TEST},
        "predicted slope": {"color": style.PREDICTED, "linestyle": (0, (3, 2))},
    }
    for line, (label, look) in zip((fitted, predicted), looks.items(), strict=True):
        y = np.exp(centre[1] + line["value"] * (np.log(at[in_fit]) - centre[0]))
        ax.plot(at[in_fit], y, linewidth=0.8, label=label, **look)
    bars = value - scale * measured["low"], scale * measured["high"] - value
    ax.errorbar(at, value, bars, linestyle="none", marker="o", markersize=3, markeredgewidth=0, elinewidth=0.7,
                color=style.TEST, label="measured", zorder=3)  # fmt: skip
    text = f"{_with_error(fitted)}\npredicted {predicted['value'].item():.2f}"
    ax.text(0.04, 0.99, text, transform=ax.transAxes, va="top", fontsize=6)


def _choose(case, quantity: str, contestant: str) -> dict[str, np.ndarray]:
    """Return the measurements of one contestant, sorted by size."""
    chosen = case.isel(measurement=(case.quantity.values == quantity) & (case.contestant.values == contestant))
    order = np.argsort(chosen["at"].values)
    return {name: chosen[name].values[order] for name in ("at", "value", "low", "high")}


def _with_error(slope: dict[str, np.ndarray]) -> str:
    """Return a slope as text, with its standard error if that is visible at two decimals."""
    error = (slope["high"] - slope["low"]).item() / 2
    text = f"slope {slope['value'].item():.2f}".replace("-", "\N{MINUS SIGN}")
    return f"{text} ± {error:.2f}" if error >= 0.005 else text


def _set_abscissa(ax, case) -> None:
    """Put ticks at the smallest, the largest and one intermediate size."""
    sizes = np.unique(_choose(case, "time", "simlab")["at"])
    middle = sizes[np.argmin(np.abs(np.log(sizes**2 / (sizes[0] * sizes[-1]))))]
    ax.set_xlim(sizes[0] / 1.5, sizes[-1] * 1.5)
    ax.set_xticks(np.unique([sizes[0], middle, sizes[-1]]), labels=None)
    ax.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    ax.xaxis.set_minor_locator(NullLocator())
