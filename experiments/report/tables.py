"""HTML tables of learned against predicted values: of one configuration, and of the cells of a sweep."""

import math
from collections.abc import Sequence

from experiments.report import cells
from experiments.report.cells import Comparison
from experiments.report.markup import NOTHING, Markup, element, join, number, plural, rounded, uncertain, value_of
from figures.declared import headlines

MOST_DIGITS = 8.0  # at the end of the bar; float32 has seven
MOST_COMPARED = 4  # quantities beside each other
MOST_CELLS = 200  # rows of one table
COUNTED = (cells.DIVERGED, "converged")


def table(
    caption: object, head: Sequence[Markup], rows: Sequence[Markup], *, class_: str | None = None, hidden: bool = False
) -> Markup:
    """Return a table in a box of its own that scrolls sideways where the page is narrower.

    Args:
        caption: what it shows.
        head: the rows of its head.
        rows: those of its body.
        class_: for its style.
        hidden: whether a heading above says it already; the caption is then only read aloud.
    """
    above = element("caption", element("div", caption), class_="aloud" if hidden else None)
    parts = above, element("thead", *head) if head else NOTHING, element("tbody", *rows)
    return element("div", element("table", *parts, class_=class_), class_="scroll", tabindex=0)


def head_row(*headings: object) -> Markup:
    """Return a row of column headings."""
    return element("tr", *(element("th", heading, scope="col") for heading in headings))


def body_row(label: object, *values: object) -> Markup:
    """Return a row with a heading of its own."""
    return element("tr", element("th", label, scope="row"), *(element("td", value) for value in values))


def comparison_table(regime, caption: object, *, minimum: bool) -> Markup:
    """Return the table of one configuration, a row for each quantity of which anything is known.

    Args:
        regime: a saved run of which one regime was chosen, and in which no axis varies.
        caption: what it shows.
        minimum: whether there is a column for the values at the numerical minimiser.
    """
    (compared,) = cells.compare(regime)
    names = "quantity", "predicted", *(["minimum"] if minimum else []), "learned", "±", "error"
    headings = [element("th", name, scope="col") for name in names]
    head = element("tr", *headings, element("th", "digits", scope="col", class_="digits"))
    rows = [_comparison_row(comparison, minimum=minimum) for comparison in compared if comparison.is_known]
    return table(caption, [head], rows, class_="numbers comparison")


def _comparison_row(comparison: Comparison, *, minimum: bool) -> Markup:
    theory = [element("td", number(comparison.predicted))]
    theory += [element("td", number(comparison.minimum))] if minimum else []
    learned = (
        element("strong", number(comparison.learned)),
        number(comparison.standard_error, 1),
        rounded(comparison.error),
    )
    heading = element("th", comparison.label, _unit(comparison), scope="row")
    return element("tr", heading, *theory, *(element("td", value) for value in learned), _digits(comparison.digits))


def _unit(comparison: Comparison) -> Markup:
    return element("span", f" ({comparison.unit})", class_="unit") if comparison.unit else NOTHING


def _digits(value: float) -> Markup:
    """Return the table cell of the digits that agree, with a bar as long as they are many."""
    if math.isnan(value):
        return element("td", number(value), class_="digits")
    shown = element("data", f"{value:.1f}", value=repr(value))
    bar = element("span", class_="bar", style=f"--share:{min(1.0, value / MOST_DIGITS):.3f}", aria_hidden="true")
    return element("td", shown, bar, class_="digits")


def sweep_table(regime, names: Sequence[str] | None, caption: object) -> Markup:
    """Return the table of a sweep, a row for each cell.

    Args:
        regime: a saved run of which one regime was chosen.
        names: the quantities that have columns; None for all.
        caption: what it shows.
    """
    if names is not None:
        regime = regime.sel({cells.QUANTITY: list(names)})
    selections, compared = cells.cells_of(regime), cells.compare(regime)
    predicted = [
        any(not math.isnan(comparison.predicted) for comparison in column) for column in zip(*compared, strict=True)
    ]
    counts = {name: cells.count_by_cell(regime, name) for name in COUNTED}
    counts = {name: column for name, column in counts.items() if any(column)}
    rows = [
        _sweep_row(regime, selection, row, predicted, [column[index] for column in counts.values()])
        for index, (selection, row) in enumerate(zip(selections[:MOST_CELLS], compared, strict=False))
    ]
    left = len(selections) - len(rows)
    if left > 0:
        more = f"{plural(left, 'more cell')}: all of them are in results.nc"
        width = len(cells.axes_of(regime)) + sum(1 + is_predicted for is_predicted in predicted) + 1 + len(counts)
        rows.append(element("tr", element("td", more, colspan=width, class_="more")))
    return table(caption, _sweep_head(regime, compared[0], predicted, counts), rows, class_="numbers sweep")


def chosen_quantities(dataset) -> list[str] | None:
    """Return the quantities that a sweep's table shows first; None where they are few enough to show all.

    They are those that the dataset declares as headlines; of a dataset that declares nothing, the first few.
    """
    if cells.QUANTITY not in dataset.coords or dataset.sizes[cells.QUANTITY] <= MOST_COMPARED:
        return None
    if "quantities" not in dataset.attrs:
        return [str(name) for name in dataset[cells.QUANTITY].values[:MOST_COMPARED]]
    compared, learned = headlines(dataset)
    return [*compared, *learned]


def _sweep_head(regime, first: Sequence[Comparison], predicted: Sequence[bool], counted) -> list[Markup]:
    """Return two rows: what varies and the quantities; under each of these, what theory says and what was learned."""
    axes = cells.axes_of(regime)
    upper = [element("th", axis.replace("_", " "), scope="col", rowspan=2) for axis in axes]
    lower = []
    for comparison, is_predicted in zip(first, predicted, strict=True):
        upper.append(
            element(
                "th", comparison.label, _unit(comparison), scope="colgroup", colspan=1 + is_predicted, class_="group"
            )
        )
        lower += _begin_group("th", _headings(is_predicted), scope="col")
    upper += [element("th", name, scope="col", rowspan=2, class_="group") for name in ("largest error", *counted)]
    return [element("tr", *upper), element("tr", *lower)]


def _sweep_row(
    regime, selection: dict[str, int], row: Sequence[Comparison], predicted: Sequence[bool], counts: Sequence[int]
) -> Markup:
    """Return the row of a cell; its largest error is among the quantities that have columns."""
    parts = [element("th", _axis_value(regime, axis, index), scope="row") for axis, index in selection.items()]
    for comparison, is_predicted in zip(row, predicted, strict=True):
        learned = element("strong", uncertain(comparison.learned, comparison.standard_error))
        values = (number(comparison.predicted, 4), learned) if is_predicted else (learned,)
        parts += _begin_group("td", values)
    errors = [comparison.error for comparison in row if not math.isnan(comparison.error)]
    parts += _begin_group("td", (rounded(max(errors, default=math.nan)),))
    return element("tr", *parts, *(element("td", str(count), class_="group") for count in counts))


def _headings(is_predicted: bool) -> tuple[str, ...]:
    """Return the headings below a quantity."""
    return ("predicted", "learned") if is_predicted else ("learned",)


def _begin_group(tag: str, values: Sequence[object], **attributes) -> list[Markup]:
    """Return table cells that belong together: the first stands apart from what is before it."""
    return [
        element(tag, value, class_="group" if index == 0 else None, **attributes) for index, value in enumerate(values)
    ]


def _axis_value(dataset, axis: str, index: int) -> Markup:
    """Return a value of an axis; its place, from 1, where the axis has no values."""
    return value_of(dataset[axis].values[index] if axis in dataset.coords else index + 1)


def count_line(counts: dict[str, int], noun: str) -> Markup:
    """Return how many there are of something, and how many of each kind: ``6 members: 4 finished, 2 diverged``."""
    total = sum(counts.values())
    if len(counts) == 1:
        (name,) = counts
        return join(plural(total, noun), ", ", NOTHING if total == 1 else "all ", status_badge(name))
    kinds = [element("span", f"{count:,} {name}", class_=f"status {_tone(name)}") for name, count in counts.items()]
    return join(plural(total, noun), ": ", join(*kinds, between=", "))


def _tone(status: str) -> str:
    """Return the class of a status: what is well, what is not, what is neither."""
    if status in ("pass", "converged"):
        return "good"
    return "bad" if status in ("fail", cells.DIVERGED) else "neutral"


def status_badge(status: str) -> Markup:
    """Return a status as a word with a colour of its own."""
    return element("span", status, class_=f"status {_tone(status)}")
