"""The page: a head that lists the runs, navigation by phenomenon, a section for each run."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import simlab
from experiments.report.document import make_document, navigation
from experiments.report.markup import Markup, element, plural
from experiments.report.run_section import Section, make_section
from experiments.report.saved_run import SavedRun, topic_of

_NAMES = {"verify": "Verified claims", "bench": "Benchmarks"}


def make_page(runs: Sequence[SavedRun], title: str | None = None) -> str:
    """Return one HTML page that needs no other file; equal runs give equal pages.

    Args:
        runs: at least one.
        title: its heading; by default the names of what was run.
    """
    names = _section_titles(runs)
    numbered = enumerate(zip(runs, names, strict=True), start=1)
    sections = [make_section(run, name, f"run-{place}") for place, (run, name) in numbered]
    groups = _group(runs, sections)
    heading = title or _default_title(runs)
    return make_document(
        heading,
        element("a", "Skip to the runs", href="#runs", class_="skip"),
        _header(heading, groups),
        navigation(*map(_phenomenon_links, range(1, len(groups) + 1), groups, groups.values())),
        element("main", *(_part(topic, place, groups[topic]) for place, topic in enumerate(groups, 1)), id="runs"),
        element("footer", f"Made by simlab {simlab.__version__} from {plural(len(runs), 'saved run')}."),
    )


def _group(runs: Sequence[SavedRun], sections: Sequence[Section]) -> dict[str, list[Section]]:
    """Return the sections of each phenomenon, in the order in which a phenomenon comes first."""
    groups: dict[str, list[Section]] = {}
    for run, section in zip(runs, sections, strict=True):
        groups.setdefault(topic_of(run.dataset), []).append(section)
    return groups


def _experiment(run: SavedRun) -> str:
    name = str(run.dataset.attrs["experiment"])
    return _NAMES.get(name, name)


def _section_titles(runs: Sequence[SavedRun]) -> list[str]:
    """Return the name of each run's experiment, and its folder's name where several runs are of one experiment."""
    count = Counter(map(_experiment, runs))
    return [
        _experiment(run) if count[_experiment(run)] == 1 else f"{_experiment(run)} ({Path(run.folder).resolve().name})"
        for run in runs
    ]


def _default_title(runs: Sequence[SavedRun]) -> str:
    names = list(dict.fromkeys(map(_experiment, runs)))
    text = ", ".join(names[:3]).lower() + (f" and {len(names) - 3} more" if len(names) > 3 else "")
    return f"{text[:1].upper()}{text[1:]}".replace("-", " ")


def _header(heading: str, groups: Mapping[str, Sequence[Section]]) -> Markup:
    """Return the head of the page: a line for each run, in the order of the page."""
    lines = [
        element(
            "li",
            element("a", section.title, href=f"#{section.key}"),
            element("code", section.folder),
            element("span", section.summary, class_="line"),
        )
        for sections in groups.values()
        for section in sections
    ]
    return element("header", element("p", "simlab report", class_="kind"), element("h1", heading),
                   element("ol", *lines, class_="runs"))  # fmt: skip


def _phenomenon_links(place: int, topic: str, sections: Sequence[Section]) -> Markup:
    """Return the links to a phenomenon and to its runs."""
    link = element("a", topic, href=f"#phenomenon-{place}")
    return element("li", link, element("ol", *map(_run_links, sections)))


def _run_links(section: Section) -> Markup:
    """Return the links to a run and to its parts."""
    parts = (element("li", element("a", text, href=f"#{key}")) for key, text in section.links.items())
    return element("li", element("a", section.title, href=f"#{section.key}"), element("ol", *parts))


def _part(topic: str, place: int, sections: Sequence[Section]) -> Markup:
    """Return the part of the page on one phenomenon."""
    heading = element("h2", topic)
    contents = (section.content for section in sections)
    return element("section", heading, *contents, id=f"phenomenon-{place}", class_="phenomenon")
