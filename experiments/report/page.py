"""The page: a head that lists what it holds, a table of contents, a section for each run."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import simlab
from experiments.report.markup import Markup, element, join, plural
from experiments.report.run_section import Section, make_section
from experiments.report.saved_run import SavedRun
from experiments.report.style import STYLE

# The page fetches nothing, and this policy lets a browser enforce that.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
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
    heading = title or _default_title(runs)
    body = element(
        "body",
        _header(heading, runs, sections),
        _contents(sections),
        element("main", *(section.content for section in sections)),
        element("footer", f"Made by simlab {simlab.__version__} from {plural(len(runs), 'saved run')}."),
    )
    return f"<!DOCTYPE html>\n{element('html', make_head(heading), body, lang='en')}\n"


def make_head(heading: str) -> Markup:
    """Return the head of a page that fetches nothing."""
    return element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", http_equiv="Content-Security-Policy", content=_POLICY),
        element("meta", name="color-scheme", content="light dark"),
        element("title", heading),
        element("link", rel="icon", href="data:,"),
        element("style", Markup(STYLE)),
    )


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


def _header(heading: str, runs: Sequence[SavedRun], sections: Sequence[Section]) -> Markup:
    lines = [
        element(
            "li",
            element("a", section.title, href=f"#run-{place}"),
            element("code", run.folder),
            element("span", section.summary, class_="line"),
        )
        for place, (run, section) in enumerate(zip(runs, sections, strict=True), start=1)
    ]
    return element("header", element("p", "simlab report", class_="kind"), element("h1", heading),
                   element("ol", *lines, class_="runs"))  # fmt: skip


def _contents(sections: Sequence[Section]) -> Markup:
    """Return the table of contents."""
    entries = [
        element(
            "li",
            element("a", section.title, href=f"#run-{place}"),
            element("ol", *(element("li", element("a", text, href=f"#{key}")) for key, text in section.links.items())),
        )
        for place, section in enumerate(sections, start=1)
    ]
    return element("nav", element("h2", "Contents"), element("ol", join(*entries)), aria_label="Contents")
