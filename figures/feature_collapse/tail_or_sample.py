"""What breaks collapse: accuracy and geometry against sentences per class, for each law of word frequencies."""

from typing import NamedTuple

from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, LogLocator, MaxNLocator, NullFormatter, NullLocator

from figures.drawing import scales, style
from figures.drawing.seeds import mean_and_error
from figures.sweeps.axes import keep_axes

AXES = ("word_frequency", "per_class")
LINE = {"color": style.PREDICTED, "linewidth": 0.8, "zorder": 1}
MARK = {"markersize": 3, "markeredgewidth": 0, "linewidth": 0.7, "elinewidth": 0.7, "zorder": 3}
OPEN = {"color": style.PREDICTED, "linestyle": "none", "markersize": 5, "markerfacecolor": "none"}
DOTTED = (0, (1, 1.2))


class Row(NamedTuple):
    """A row of panels: a variable of the dataset or one of its quantities, and the label of its ordinate."""

    name: str
    label: str


ROWS = (
    Row("test_accuracy", "test accuracy"),
    Row("embedding_spread", "spread within\nconcepts"),
    Row("embedding_simplex_deviation", "deviation from\na simplex"),
    Row("embedding_distance", "relative error\nof embeddings"),
    Row("classifier_dimensions", "dimensions of\nthe classifier"),
)


@style.styled
def draw(dataset):
    """Draw one column per regime; markers are means over seeds with standard errors, black lines are predicted.

    Dotted lines are the accuracy of a network that knows exactly the words of its sample. Open markers in the last row
    are the numbers of sentences above which collapse is predicted.
    """
    dataset = keep_axes(dataset, AXES).sortby("per_class")
    n_regimes = dataset.sizes["regime"]
    figure, axes = style.make_grid(len(ROWS), n_regimes, 1.0, sharex=True, sharey="row")
    style.set_spacing(figure, h_pad=0.02, hspace=0.02)
    for column, panels in enumerate(axes.T):
        regime = dataset.isel(regime=column)
        for ax, row in zip(panels, ROWS, strict=True):
            _draw_panel(ax, regime, row)
        _draw_critical(panels[-1], regime)
        scales.set_numbers(panels[-1], dataset.per_class.values.astype(float))
        panels[-1].set_xlabel("sentences per class")
    for ax, row in zip(axes[:, 0], ROWS, strict=True):
        ax.set_ylabel(row.label)
        _scale(ax, row, dataset)
    style.set_regime_titles(axes[0], dataset)
    figure.align_ylabels(axes[:, 0])
    _add_legend(figure, dataset)
    figure.set_figheight(len(ROWS) * 0.95 + 1.0)
    return figure


def draw_key(ax, dataset) -> None:
    """Draw the accuracy of the first regime against sentences per class, one series per law of word frequencies."""
    regime = keep_axes(dataset, AXES).sortby("per_class").isel(regime=0)
    _draw_panel(ax, regime, ROWS[0])
    _scale(ax, ROWS[0], regime)
    scales.set_numbers(ax, regime.per_class.values.astype(float))
    ax.set_xlabel("sentences per class")
    ax.set_ylabel(ROWS[0].label)
    ax.legend(handles=_law_handles(regime), loc="lower right")


def law_name(law) -> str:
    """Return the usual name of a law of word frequencies."""
    name, _, exponent = str(law).partition(":")
    if name == "uniform" or (name == "zipf" and exponent and float(exponent) == 0):
        return "uniform"
    if name == "zipf":
        return "Zipf" if not exponent or float(exponent) == 1 else f"exponent {exponent}"
    return "given frequencies"


def _values(regime, row: Row):
    """Return the learned and predicted values of a row."""
    if row.name == "classifier_dimensions":
        return regime.classifier_dimensions, regime.dimensions_predicted
    return regime.learned.sel(quantity=row.name), regime.predicted.sel(quantity=row.name)


def _draw_panel(ax, regime, row: Row) -> None:
    """Draw one row of a regime, with one series per law."""
    learned, predicted = _values(regime, row)
    learned = learned.where(regime.status != "diverged")
    x = regime.per_class.values
    for index in range(regime.sizes["word_frequency"]):
        values, look = learned.isel(word_frequency=index), style.concept_style(index)
        ax.errorbar(x, *mean_and_error(values, skipna=True), **MARK, **look)
        ax.plot(x, predicted.isel(word_frequency=index).values, **LINE)
        if row.name == "test_accuracy":
            ceiling = regime.known_words_accuracy.isel(word_frequency=index)
            ax.plot(x, ceiling, color=look["color"], linewidth=0.8, linestyle=DOTTED, zorder=2)


def _draw_critical(ax, regime) -> None:
    """Draw an open marker for each law where collapse is predicted to begin, at the predicted dimensions."""
    for index in range(regime.sizes["word_frequency"]):
        cell = regime.isel(word_frequency=index, per_class=0)
        mark = style.concept_style(index)["marker"]
        ax.plot(cell.critical_per_class, cell.dimensions_predicted, marker=mark, markeredgewidth=0.7, zorder=4, **OPEN)


def _scale(ax, row: Row, dataset) -> None:
    """Scale the shared ordinate of a row."""
    if row.name == "test_accuracy":
        scales.set_unit_interval(ax)
        return
    if row.name == "classifier_dimensions":
        top = style.ceiling(dataset.classifier_dimensions.values, dataset.dimensions_predicted.values)
        ax.set_yscale("log")
        ax.set_ylim(0.8 * max(1, float(dataset.dimensions_predicted.min())), 1.3 * top)
        ax.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        ax.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
        ax.yaxis.set_minor_locator(NullLocator())
        ax.yaxis.set_minor_formatter(NullFormatter())
        return
    top = style.ceiling(_values(dataset, row)[0].values)
    ax.set_ylim(-0.06 * top, 1.1 * top)
    locator = FixedLocator([0, 0.5, 1]) if 1 <= top < 1.4 else MaxNLocator(3, steps=scales.ROUND_STEPS)
    ax.yaxis.set_major_locator(locator)


def _law_handles(dataset) -> list[Line2D]:
    """Return a legend entry for each law of word frequencies."""
    look = {"markersize": 3, "markeredgewidth": 0, "linewidth": 0.7}
    return [
        Line2D([], [], label=law_name(law), **look, **style.concept_style(index))
        for index, law in enumerate(dataset.word_frequency.values)
    ]


def _add_legend(figure, dataset) -> None:
    """Put one legend below all panels."""
    handles = [
        *_law_handles(dataset),
        Line2D([], [], label="predicted", **LINE),
        Line2D(
            [], [], label="accuracy if exactly the seen words are known", color="0.4", linewidth=0.8, linestyle=DOTTED
        ),
        Line2D([], [], label="onset of predicted collapse", marker="o", markeredgewidth=0.7, **OPEN),
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=2, columnspacing=1.2)
