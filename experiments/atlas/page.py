"""The atlas as plain text, as JSON and as one HTML page."""

import math
from collections.abc import Sequence

import xarray

from experiments.atlas.values import table_rows
from experiments.report.document import make_document, navigation
from experiments.report.figures_inline import figure_element
from experiments.report.markup import Markup, element
from experiments.report.tables import head_row, table
from experiments.tables.columns import format_columns
from experiments.tables.prediction import to_json

HEADER = ("phenomenon", "experiment", "basis", "values", "digits", "least", "seconds")
TITLE = "Atlas: predicted and learned values of every phenomenon"


def format_atlas(dataset: xarray.Dataset) -> str:
    """Return the table as text, with a line for each phenomenon."""
    rows: list[tuple[str, ...]] = [HEADER]
    for row in table_rows(dataset):
        texts = (row["phenomenon"], row["experiment"], row["basis"] or "-", row["values"])
        rows.append((*map(str, texts), *(_number(row[name]) for name in ("digits", "least_digits")),
                     _number(row["seconds"], 0)))  # fmt: skip
    return format_columns(rows)


def _number(value: object, decimals: int = 1) -> str:
    return f"{value:.{decimals}f}" if isinstance(value, float) and math.isfinite(value) else "-"


def atlas_to_json(dataset: xarray.Dataset) -> str:
    """Return the rows of the table as a JSON list of objects."""
    return to_json(table_rows(dataset), indent=1)


def make_atlas_page(dataset: xarray.Dataset) -> str:
    """Return a self-contained HTML page with the figure and the table."""
    rows = table_rows(dataset)
    return make_document(
        TITLE,
        element("header", element("p", "simlab atlas", class_="kind"), element("h1", TITLE)),
        navigation(*(element("li", element("a", row["phenomenon"], href=f"#{_key(row)}")) for row in rows)),
        element("main", figure_element("atlas", dataset, "atlas", _digits_in_words(rows)), _table(rows)),
    )


def _digits_in_words(rows: Sequence[dict[str, object]]) -> str:
    """Return the digits that agree, phenomenon by phenomenon, for the alternative text of the figure."""
    digits = ", ".join(f"{row['phenomenon']} {_number(row['digits'])}" for row in rows)
    return f"Median digits that agree: {digits}."


def _table(rows: Sequence[dict[str, object]]) -> Markup:
    """Return the table of phenomena as HTML."""
    headings = "phenomenon", "source", "predicted", "basis", "values", "digits", "least digits", "time (s)"
    lines = [
        element(
            "tr",
            element("th", row["phenomenon"], scope="row"),
            *(element("td", row[name]) for name in ("source", "predicts", "basis", "values")),
            *(element("td", _number(row[name])) for name in ("digits", "least_digits")),
            element("td", _number(row["seconds"], 0)),
            id=_key(row),
        )
        for row in rows
    ]
    caption = (
        "Digits: median number of agreeing decimal digits over the compared values; agreement beyond the standard "
        "error is not counted. Errors are relative to the largest predicted value of a quantity."
    )
    return table(caption, [head_row(*headings)], lines, class_="numbers atlas")


def _key(row: dict[str, object]) -> str:
    """Return the id of the row of a phenomenon."""
    return f"phenomenon-{row['phenomenon']}"
