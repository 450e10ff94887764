"""The atlas: learned against predicted values of every phenomenon, with the number of agreeing digits.

Each value is in units of the largest predicted absolute value of its quantity. Bars are standard errors over seeds.
"""

import textwrap
from math import ceil

import numpy as np

from figures.drawing import style

MOST_COLUMNS = 4
ROW_HEIGHT, LINE_HEIGHT = 1.75, 0.17  # inches: height of a row of panels and of a line of the table
MOST_QUANTITIES = 4  # in a legend
LEGEND_WIDTH, LEGEND_LINES = 24, 2  # characters and lines of a legend label
COLUMNS = (
    ("phenomenon", 0.0, "left"),
    ("source", 0.16, "left"),
    ("what is predicted", 0.38, "left"),
    ("basis", 0.65, "left"),
    ("digits", 0.93, "right"),
    ("time (s)", 1.0, "right"),
)


@style.styled
def draw(dataset):
    """Draw a panel for each phenomenon, with the table below."""
    names = [str(name) for name in dataset.phenomenon.values]
    figure, axes = style.make_grid(ceil(len(names) / MOST_COLUMNS), MOST_COLUMNS, ROW_HEIGHT)
    for ax in axes.flat[len(names) :]:
        ax.set_axis_off()
    for ax, name in zip(axes.flat, names, strict=False):
        _draw_panel(ax, dataset.isel(point=dataset.panel.values == name))
        ax.set_title(name.replace("-", " "))
    for ax in axes[:, 0]:
        ax.set_ylabel("learned")
    for column in range(axes.shape[1]):
        for ax in [ax for ax in axes[:, column] if ax.axison][-1:]:
            ax.set_xlabel("predicted")
    return _add_table(figure, dataset)


def _draw_panel(ax, points) -> None:
    """Draw learned against predicted values of one phenomenon, one marker per quantity."""
    quantities = list(dict.fromkeys(map(str, points["quantity"].values)))
    for index, quantity in enumerate(quantities):
        chosen = points.isel(point=points["quantity"].values == quantity)
        is_named = bool(np.any(chosen.predicted.values))  # predictions of zero have their marks at the origin
        ax.errorbar(
            chosen.predicted.values,
            chosen.learned.values,
            np.nan_to_num(chosen.spread.values),
            linestyle="none",
            **style.concept_style(index),
            markersize=2.6,
            markeredgewidth=0,
            elinewidth=0.5,
            label=_shorten(quantity) if is_named else None,
        )
    values = np.concatenate([points.predicted.values, points.learned.values])
    low, high = min(0.0, values.min(initial=0.0)), values.max(initial=1.0)
    margin = 0.06 * (high - low)
    ends = [low - margin, high + margin]
    ax.plot(ends, ends, color=style.PREDICTED, linewidth=0.5, zorder=0)
    ax.set_xlim(*ends)
    ax.set_ylim(*ends)
    if 0 < len(ax.get_legend_handles_labels()[1]) <= MOST_QUANTITIES:
        ax.legend(loc="lower right", fontsize=4.5, handletextpad=0.1, borderaxespad=0.1, labelspacing=0.2)


def _shorten(label: str) -> str:
    """Return a label in at most ``LEGEND_LINES`` lines."""
    return "\n".join(textwrap.wrap(label, LEGEND_WIDTH, max_lines=LEGEND_LINES, placeholder=" ..."))


def _add_table(figure, dataset):
    """Add the table of predictions, sources and agreement below the panels and return the figure."""
    rows = [tuple(title for title, _, _ in COLUMNS), *(_row(dataset, name) for name in dataset.phenomenon.values)]
    panels = figure.get_figheight()
    table = LINE_HEIGHT * (len(rows) + 1)
    figure.set_figheight(panels + table)
    share = table / (panels + table)
    style.set_spacing(figure, rect=(0.0, share, 1.0, 1.0 - share))
    for line, row in enumerate(rows):
        height = share * (1 - (line + 0.9) / (len(rows) + 1))
        for text, (_, place, side) in zip(row, COLUMNS, strict=True):
            x = 0.02 + 0.96 * place
            figure.text(x, height, text, ha=side, va="center", fontsize=5.5, weight="bold" if line == 0 else "normal")
    return figure


def _row(dataset, name) -> tuple[str, ...]:
    """Return the table cells of a phenomenon; digits are the median and the minimum over values."""
    phenomenon = dataset.sel(phenomenon=name)
    agreed = dataset.digits.values[dataset.panel.values == name]
    digits = f"{np.median(agreed):.1f} ({agreed.min():.1f})" if len(agreed) else "-"
    seconds = phenomenon.seconds.item()
    texts = (str(phenomenon[field].item()) for field in ("source", "predicts", "basis"))
    return str(name).replace("-", " "), *texts, digits, f"{seconds:.0f}" if np.isfinite(seconds) else "-"
