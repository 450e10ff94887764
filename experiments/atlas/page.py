"""The atlas as plain text, as JSON and as one HTML page."""

import math
from collections.abc import Sequence

import xarray

from experiments.atlas.values import table_rows
from experiments.report.figures_inline import figure_element
from experiments.report.markup import Markup, element
from experiments.report.page import make_head
from experiments.report.tables import body_row, head_row, table
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
    body = element(
        "body",
        element("header", element("p", "simlab atlas", class_="kind"), element("h1", TITLE)),
        element("main", figure_element("atlas", dataset, "atlas"), _table(table_rows(dataset))),
    )
    return f"<!DOCTYPE html>\n{element('html', make_head(TITLE), body, lang='en')}\n"


def _table(rows: Sequence[dict[str, object]]) -> Markup:
    """Return the table of phenomena as HTML."""
    headings = "phenomenon", "source", "predicted", "basis", "values", "digits", "least digits", "time (s)"
    lines = [
        body_row(
            row["phenomenon"],
            *(row[name] for name in ("source", "predicts", "basis", "values")),
            *(_number(row[name]) for name in ("digits", "least_digits")),
            _number(row["seconds"], 0),
        )
        for row in rows
    ]
    caption = (
        "Digits: median number of agreeing decimal digits over the compared values; agreement beyond the standard "
        "error is not counted. Errors are relative to the largest predicted value of a quantity."
    )
    return table(caption, [head_row(*headings)], lines, class_="numbers")
