"""The part of a page that one saved run has: its lead, its tables, its figures, its provenance."""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from typing import NamedTuple

import numpy as np

from experiments.core.summaries import summarise_regime
from experiments.registry import NAMES, find_experiment
from experiments.report import cells, records, tables
from experiments.report.figures_inline import all_figures
from experiments.report.markup import MINUS, NOTHING, Markup, element, join, number, plural
from experiments.report.provenance import provenance
from experiments.report.saved_run import SavedRun
from experiments.report.tables import count_line
from experiments.tables.certificate import certificate_word, gap_share
from figures.declared import MEAN, Certificate, as_shown, certificate_of, reduction_of

_SUMMARIES = {
    "verify": "claims of theory, each checked by numbers that were found without it",
    "bench": "speed and memory, beside the machine's limits and beside PyTorch",
}
_EXPLANATION = join(
    ". ±: standard error of a mean, for one seed that of the test sample. Error: of the prediction, "
    "relative unless that is 0. Digits: ", MINUS, "log", element("sub", "10"),
    " of the error, or of ± where that is larger.",
)  # fmt: skip
_SWEEP_EXPLANATION = (
    ". In brackets the standard error of a mean's last digit: 1.50(2) is 1.50 ± 0.02. Largest error: of a prediction, "
    "relative unless that is 0, among the columns shown."
)


class Section(NamedTuple):
    """A run's part of the page.

    Attributes:
        key: its id.
        title: its heading.
        folder: as the user names it.
        summary: its line at the head of the page.
        content: the part itself.
        links: the headings in it, as names by id.
    """

    key: str
    title: str
    folder: str
    summary: Markup
    content: Markup
    links: dict[str, str]


def make_section(run: SavedRun, title: str, prefix: str) -> Section:
    """Return the part of a run.

    Args:
        run: what is reported.
        title: its heading.
        prefix: its id; all ids in it begin with it.
    """
    dataset = run.dataset
    parts = {
        "results": (_results_title(dataset), _results(dataset)),
        "figures": ("Figures", all_figures(dataset, prefix)),
    }
    parts = {key: part for key, part in parts.items() if part[1]}
    content = [
        element("h3", title),
        _lead(dataset),
        *(
            element("section", element("h4", heading), body, id=f"{prefix}-{key}")
            for key, (heading, body) in parts.items()
        ),
        element("details", element("summary", element("h4", "Data and provenance")), provenance(run),
                id=f"{prefix}-provenance"),
    ]  # fmt: skip
    links = {f"{prefix}-{key}": heading for key, (heading, _) in parts.items()}
    links |= {f"{prefix}-provenance": "Data and provenance"}
    article = element("article", *content, id=prefix)
    return Section(prefix, title, run.folder, _summary(run), article, links)


def _lead(dataset) -> Markup:
    """Return a few lines on what was run."""
    name = str(dataset.attrs["experiment"])
    experiment = find_experiment(name) if name in NAMES else None
    summary = experiment.summary if experiment else _SUMMARIES.get(name, "")
    regimes = _regime_summaries(experiment, dataset) if experiment else {}
    if name in regimes:  # an experiment of one regime has its summary
        summary = regimes[name]
    parts = [element("p", _sentence(summary), class_="lead")] if summary else []
    if len(regimes) > 1:
        parts.append(element("dl", *(join(element("dt", key), element("dd", text)) for key, text in regimes.items())))
    return join(*parts)


def _regime_summaries(experiment, dataset) -> dict[str, str]:
    """Return a line on each regime, from the configuration that was run."""
    configurations = json.loads(dataset.attrs.get("configuration", "{}"))
    varied = cells.varied_axes(dataset)
    return {
        regime.name: summarise_regime(
            regime, configurations.get(regime.name, asdict(regime.configuration("paper"))), varied
        )
        for regime in experiment.regimes
    }


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}{'' if text.endswith('.') else '.'}"


def _results_title(dataset) -> str:
    if records.has_claims(dataset):
        return "Claims"
    return "Measurements" if records.has_measurements(dataset) else "Learned against predicted"


def _results(dataset) -> Markup:
    """Return the tables of a dataset; nothing for one whose numbers are not known here."""
    if records.has_claims(dataset):
        return records.claims_table(dataset)
    if records.has_measurements(dataset):
        return records.measurement_tables(dataset)
    if not cells.has_comparison(dataset):
        return NOTHING
    swept = bool(cells.axes_of(dataset))
    reduction = MEAN
    if "quantities" in dataset.attrs:
        dataset = as_shown(dataset)
        reduction = reduction_of(dataset)
    explanation = join(f"Learned: {reduction}", _SWEEP_EXPLANATION if swept else _EXPLANATION)
    parts = [_regime_part(dataset, regime, swept=swept) for regime in cells.regimes_of(dataset)]
    return join(*parts, element("p", explanation, class_="note"))


def _regime_part(dataset, regime, *, swept: bool) -> Markup:
    """Return heading, table and notes of a regime."""
    title = cells.name_of(regime) or str(dataset.attrs["experiment"])
    caption = join(element("b", title), element("span", _about(regime), class_="about"))
    notes = element("ul", *(element("li", line) for line in _notes(dataset, regime)), class_="notes")
    if not swept:
        return join(tables.comparison_table(regime, caption, minimum=cells.knows_minimum(dataset)), notes)
    chosen = tables.chosen_quantities(regime)
    shown = tables.sweep_table(regime, chosen, caption)
    if chosen is None:
        return join(shown, notes)
    every = tables.sweep_table(regime, None, join(element("b", title), ": all quantities"))
    return join(shown, notes, element("details", element("summary", "All quantities of every cell"), every))


def _about(regime) -> Markup:
    """Return what is predicted, on what basis, for how many seeds, and how the members ended."""
    kinds, bases = (cells.count_texts(regime, name) for name in ("kind", "basis"))
    parts = [", ".join(sorted(kinds)), _told(bases)]
    parts += [plural(regime.sizes[cells.SEED], "seed")] if cells.SEED in regime.sizes else []
    statuses = cells.count_texts(regime, cells.STATUS)
    parts += [count_line(_ordered(statuses), "member")] if statuses else []
    return join(*filter(None, parts), between=" · ")


def _told(bases: Counter) -> str:
    """Return what predictions rest on; where cells differ, in how many each."""
    if len(bases) < 2:
        return "".join(bases)
    return ", ".join(f"{basis} in {plural(count, 'cell')}" for basis, count in bases.most_common())


def _ordered(statuses: Counter) -> dict[str, int]:
    """Return counts of statuses: the known ones in their order, then any others."""
    order = ("finished", "converged", "pass", "not applicable", cells.DIVERGED, "fail")
    names = sorted(statuses, key=lambda name: (order.index(name) if name in order else len(order), name))
    return {name: statuses[name] for name in names}


def _notes(dataset, regime) -> Iterator[Markup]:
    """Yield what a reader of the table must know beside it."""
    assumptions = json.loads(dataset.attrs.get("assumptions", "{}"))
    yield from (join(line) for line in assumptions.get(cells.name_of(regime), []))
    swept = bool(cells.axes_of(regime))
    for note, count in cells.count_texts(regime, "note").items():
        yield join(f"{note} (in {plural(count, 'cell')})" if swept else note)
    certificate = certificate_of(dataset)
    if certificate is not None and np.isfinite(regime[certificate.gap]).any():
        yield _certified(certificate, regime[certificate.value].values, regime[certificate.gap].values)


def _certified(certificate: Certificate, values: np.ndarray, gaps: np.ndarray) -> Markup:
    """Return the line on the certificates of a regime: that of its only member, or the largest gap of all."""
    what, unit = certificate.value.replace("_", " "), certificate.unit
    largest = int(np.nanargmax(gaps))
    its_gap, its_value = float(gaps.ravel()[largest]), float(values.ravel()[largest])
    word, share = certificate_word(its_gap, its_value), gap_share(its_gap, its_value)
    value, gap = number(its_value), number(its_gap, 2)
    end = f" {unit} ({share}) of its global minimum"
    if gaps.size == 1:
        return join(f"{word}: the {what}, ", value, f" {unit}, is within ", gap, end)
    members = plural(int(np.isfinite(gaps).sum()), "member")
    return join(f"{word}: the {what} of {members}, each within ", gap, end)


def _summary(run: SavedRun) -> Markup:
    """Return one line: what was varied, seeds, how the members ended, device."""
    dataset = run.dataset
    parts: list[Markup | str] = [_varied(dataset)]
    if records.has_claims(dataset):
        parts.append(count_line(_ordered(cells.count_texts(dataset, "status")), "claim"))
    elif records.has_measurements(dataset):
        parts.append(plural(dataset.sizes["measurement"], "measurement"))
    else:
        parts += [plural(dataset.sizes[cells.SEED], "seed")] if cells.SEED in dataset.sizes else []
        statuses = cells.count_texts(dataset, cells.STATUS)
        parts += [count_line(_ordered(statuses), "member")] if statuses else []
    parts.append(str(dataset.attrs.get("device", "")))
    return join(*filter(None, parts), between=" · ")


def _varied(dataset) -> Markup:
    """Return what was varied: each axis, with its values or, of many, how many there are and from where to where."""
    parts = []
    for name in cells.varied_axes(dataset):
        values = [tables.value_of(value) for value in dataset[name].values]
        few = join(*values, between=", ")
        if len(values) > 4:
            few = join(f"{len(values)} values from ", values[0], " to ", values[-1])
        parts.append(join(name.replace("_", " "), " (", few, ")"))
    return join("varied: ", join(*parts, between=", ")) if parts else NOTHING
