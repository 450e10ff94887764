"""HTML tables of what is listed one by one: checked claims, and measurements."""

from experiments.report.markup import NOTHING, Markup, element, join, number, rounded
from experiments.report.tables import body_row, head_row, status_badge, table
from experiments.verification.claim import FAIL, NOT_APPLICABLE

CLAIM_FIELDS = ("claim", "source", "predicted", "learned", "error", "tolerance", "status", "note")
MEASUREMENT_FIELDS = ("benchmark", "case", "contestant", "at", "quantity", "unit", "value", "low", "high", "rounds")


def has_claims(dataset) -> bool:
    """Return whether a dataset holds checked claims."""
    return all(name in dataset.variables for name in CLAIM_FIELDS)


def has_measurements(dataset) -> bool:
    """Return whether a dataset holds measurements."""
    return all(name in dataset.variables for name in MEASUREMENT_FIELDS)


def claims_table(dataset) -> Markup:
    """Return the table of checked claims, those that fail first."""
    claims = _rows(dataset, CLAIM_FIELDS)
    claims.sort(key=lambda claim: claim["status"] != FAIL)
    head = head_row("claim", "status", "predicted", "found", "error", "tolerance")
    return table("Claims", [head], [_claim_row(claim) for claim in claims], class_="numbers claims", hidden=True)


def _claim_row(claim: dict) -> Markup:
    about = [text for text in (claim["source"], claim["note"]) if text]
    label = join(claim["claim"], element("small", "; ".join(about)) if about else NOTHING)
    status = status_badge(claim["status"])
    if claim["status"] == NOT_APPLICABLE:
        return body_row(label, status, *(number(float("nan")) for _ in range(4)))
    values = number(claim["predicted"], 10), number(claim["learned"], 10)
    return body_row(label, status, *values, rounded(claim["error"]), rounded(claim["tolerance"]))


def measurement_tables(dataset) -> Markup:
    """Return a table for each case: contestants by quantities, the median with the quartiles below it."""
    measured = _rows(dataset, MEASUREMENT_FIELDS)
    cases = dict.fromkeys((measurement["benchmark"], measurement["case"]) for measurement in measured)
    return join(
        *(_case_table(*case, [measurement for measurement in measured if _case(measurement) == case]) for case in cases)
    )


def _case(measurement: dict) -> tuple[str, str]:
    return measurement["benchmark"], measurement["case"]


def _case_table(benchmark: str, case: str, measured: list[dict]) -> Markup:
    columns = dict.fromkeys((measurement["quantity"], measurement["unit"]) for measurement in measured)
    labels = {(measurement["contestant"], str(measurement["at"])): measurement for measurement in measured}
    by_column = {
        (measurement["contestant"], str(measurement["at"]), measurement["quantity"], measurement["unit"]): measurement
        for measurement in measured
    }
    head = head_row("", *(_heading(*column) for column in columns))
    rows = [
        body_row(_contestant(measurement), *(_measured(by_column.get((*label, *column))) for column in columns))
        for label, measurement in labels.items()
    ]
    return table(f"{benchmark}: {case}", [head], rows, class_="numbers measurements")


def _heading(name: str, unit: str) -> Markup:
    return join(name, element("span", f" ({unit})", class_="unit") if unit else NOTHING)


def _contestant(measurement: dict) -> Markup:
    if measurement["at"] != measurement["at"]:  # NaN: it was measured at one size
        return join(measurement["contestant"])
    return join(measurement["contestant"], ", ", f"{measurement['at']:,g}")


def _measured(measurement: dict | None) -> Markup:
    """Return a median, with the quartiles if there are several rounds; nothing where nothing was measured."""
    if measurement is None:
        return NOTHING
    value = number(measurement["value"], 4)
    if not measurement["rounds"] > 1:
        return value
    return join(value, element("small", number(measurement["low"], 3), " to ", number(measurement["high"], 3)))


def _rows(dataset, names: tuple[str, ...]) -> list[dict]:
    """Return variables that lie along one dimension as rows: numbers as floats, all else as text."""
    columns = {name: _column(dataset[name].values) for name in names}
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _column(values) -> list:
    return [float(value) if values.dtype.kind in "fiu" else str(value) for value in values]
