"""What a saved run was made from and with: the commands, the configuration, the versions, the file itself."""

import json

from experiments.report.markup import DASH, NOTHING, TIMES, Markup, element, escape, join, plural, value_of
from experiments.report.rerun import rerun_commands
from experiments.report.saved_run import SavedRun
from experiments.report.tables import body_row, head_row, table

_TOLD_ELSEWHERE = (
    "configuration", "layout", "assumptions", "sweep", "axes", "axis_labels", "experiment", "quantities", "thresholds",
    "certificate", "figures", "talk", "best_by",
)  # fmt: skip
_LABELS = {
    "simlab_version": "simlab",
    "versions": "packages",
    "python": "Python",
    "git_revision": "revision",
}


def provenance(run: SavedRun) -> Markup:
    """Return the parts on how to rerun a run, and what it was made from."""
    parts = {
        "Make it again": _commands(run),
        "Assumptions not met, and other caveats": _assumptions(run.dataset),
        "Configuration": _configuration(run.dataset),
        "Machine, versions, file": _environment(run),
        "Layout on the devices": _layout(run.dataset),
    }
    sections = (join(element("h5", title), content) for title, content in parts.items() if content)
    return join(*sections, element("details", element("summary", "Variables in results.nc"), _variables(run.dataset)))


def _commands(run: SavedRun) -> Markup:
    commands = rerun_commands(run)
    return element("pre", element("code", "\n".join(commands)), tabindex=0) if commands else NOTHING


def _assumptions(dataset) -> Markup:
    """Return the assumptions that are not met, each with the regimes that it is about."""
    found: dict[str, list[str]] = {}
    for regime, lines in _mapping(dataset, "assumptions").items():
        for line in lines:
            found.setdefault(line.removeprefix("assumption not met: "), []).append(regime)
    lines = (element("li", line, element("small", ", ".join(regimes))) for line, regimes in found.items())
    return element("ul", *lines, class_="plain") if found else NOTHING


def _configuration(dataset) -> Markup:
    """Return two tables: the choices in which regimes differ, and those that they share."""
    regimes = _mapping(dataset, "configuration")
    if not regimes:
        return NOTHING
    if not all(isinstance(fields, dict) for fields in regimes.values()):
        regimes = {"": regimes}
    names = dict.fromkeys(name for fields in regimes.values() for name in fields)
    values = {name: [fields.get(name) for fields in regimes.values()] for name in names}
    differing = {name: row for name, row in values.items() if any(value != row[0] for value in row)}
    shared = {name: row[:1] for name, row in values.items() if name not in differing}
    parts = []
    if differing:
        rows = [_choice(name, row) for name, row in differing.items()]
        parts.append(table("Choices in which the regimes differ", [head_row("", *regimes)], rows))
    if shared:
        rows = [_choice(name, row) for name, row in shared.items()]
        caption = "Choices that all regimes share" if differing else "Choices"
        parts.append(table(caption, [], rows, class_="pairs", hidden=not differing))
    return join(_varied(dataset), *parts)


def _choice(name: str, values: list) -> Markup:
    return body_row(element("code", name), *(_json_value(value) for value in values))


def _varied(dataset) -> Markup:
    """Return a line for each axis with its values, which stand in for what the configuration says."""
    axes = json.loads(dataset.attrs.get("axes", "[]"))
    lines = [
        element("li", element("code", name), ": ", join(*map(value_of, dataset[name].values), between=", "))
        for name in axes
        if name in dataset.coords
    ]
    return join(element("p", "Varied, in place of what is below:"), element("ul", *lines)) if lines else NOTHING


def _environment(run: SavedRun) -> Markup:
    """Return every attribute that is not shown elsewhere, and the path, size and hash of the file."""
    attributes = {
        _LABELS.get(name, name.replace("_", " ")): value
        for name, value in run.dataset.attrs.items()
        if name not in _TOLD_ELSEWHERE
    }
    rows = [body_row(name, element("span", str(value), class_="long")) for name, value in attributes.items()]
    rows += [
        body_row("folder", element("code", run.folder)),
        body_row("results.nc", plural(run.size, "byte")),
        body_row("its SHA-256", element("code", run.sha256, class_="long")),
    ]
    return table("Machine, versions, file", [], rows, class_="pairs", hidden=True)


def _layout(dataset) -> Markup:
    """Return how members were laid out on devices, a row for each group that ran together."""
    layout = _mapping(dataset, "layout")
    groups = layout.get("groups", [])
    if not groups or not all(isinstance(group, dict) for group in groups):
        return element("p", element("code", dataset.attrs["layout"])) if layout else NOTHING
    names = dict.fromkeys(name for group in groups for name in group)
    rows = [
        body_row(str(place), *(_json_value(group.get(name)) for name in names))
        for place, group in enumerate(groups, start=1)
    ]
    head = head_row("group", *(name.replace("_", " ") for name in names))
    return table("Members that ran together", [head], rows, class_="numbers layout", hidden=True)


def _variables(dataset) -> Markup:
    """Return what else the file holds."""
    rows = []
    for name, variable in dataset.variables.items():
        shape = f" {TIMES} ".join(f"{dim} {size:,}" for dim, size in variable.sizes.items()) or "one value"
        unit = variable.attrs.get("units", "1")
        about = variable.attrs.get("long_name", "")
        rows.append(body_row(element("code", name), about, shape, "" if unit == "1" else unit))
    head = head_row("name", "what it is", "dimensions", "unit")
    return table("Variables", [head], rows, class_="variables", hidden=True)


def _mapping(dataset, name: str) -> dict:
    """Return an attribute that JSON wrote as a mapping; an empty one where it is missing or something else."""
    value = json.loads(dataset.attrs.get(name, "{}"))
    return value if isinstance(value, dict) else {}


def _json_value(value: object) -> Markup:
    """Return a value of JSON as it is read."""
    if value is None:
        return element("span", DASH, class_="none", title="not set")
    if isinstance(value, list):
        return join(*map(_json_value, value), between=", ")
    return escape(json.dumps(value)) if isinstance(value, dict) else value_of(value)
