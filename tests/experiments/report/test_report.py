"""The page of ``simlab report`` is read back with an HTML parser of its own and held against the datasets."""

import json
import math
import os
import re
import statistics
import subprocess
import sys
from base64 import b64encode
from hashlib import sha256
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import xarray
from matplotlib.figure import Figure

import figures
from experiments.commands.cli import main, parse
from experiments.commands.run_request import read_request
from experiments.core.quantity import Quantity, describe
from experiments.registry import find_experiment
from experiments.report import figures_inline, tables
from experiments.report.document import move_styles
from experiments.report.figure_text import describe as describe_figure
from experiments.report.markup import DASH, element
from experiments.report.rerun import run_words
from experiments.report.style import STYLE
from experiments.report.svg import read_svg
from experiments.report.tables import MOST_COMPARED
from experiments.verification.claim import FAIL, Claim, compare, not_applicable
from experiments.verification.report import claims_to_dataset
from simlab.storage.results import RESULTS_FILE, save_dataset

VOID = {"meta", "link"}
HOSTILE = """<img src=x onerror=alert(1)> & "quoted" 'too' </td>"""
LABELS = {
    "norm": ("norm <b>rms</b>", ""),
    "risk": ("risk, test", "nats"),
    "spread": ("spread", ""),
    "angle": ("angle", ""),
    "test_accuracy": ("accuracy, test", ""),
}
HEADLINES = {"norm": "compared", "risk": "compared", "test_accuracy": "learned"}
DECLARED = {
    name: Quantity(label=label, unit=unit, headline=HEADLINES.get(name, "")) for name, (label, unit) in LABELS.items()
}
SEEDS = 3


class Page(HTMLParser):
    """A page's elements in order, as ``(tag, attributes, text)``; its tables as rows of ``(text, values)``.

    ``values`` are the numbers of a table cell in full, from its ``data`` elements. A tag that does not close the one
    opened last, or is never closed, is an error.
    """

    def __init__(self, text):
        super().__init__()
        self.elements, self.tables, self.open, self.text = [], [], [], ""
        self.feed(text)
        self.close()
        assert not self.open, f"never closed: {self.open}"

    def handle_starttag(self, tag, attrs):
        self.handle_startendtag(tag, attrs)
        if tag not in VOID:
            self.open.append(len(self.elements) - 1)

    def handle_startendtag(self, tag, attrs):
        assert len(dict(attrs)) == len(attrs), f"an attribute twice: {attrs}"
        self.elements.append((tag, dict(attrs), []))
        if tag == "table":
            self.tables.append([])
        if tag == "tr":
            self.tables[-1].append([])
        if tag in ("td", "th"):
            self.tables[-1][-1].append(("", []))
        if tag == "data" and self._in_cell():
            self.tables[-1][-1][-1][1].append(float(dict(attrs)["value"]))

    def handle_endtag(self, tag):
        assert self.elements[self.open[-1]][0] == tag, f"{tag} closes {self.elements[self.open[-1]][0]}"
        self.open.pop()

    def handle_data(self, data):
        self.text += data
        for index in self.open:
            self.elements[index][2].append(data)
        if self._in_cell():
            text, values = self.tables[-1][-1][-1]
            self.tables[-1][-1][-1] = (text + data, values)

    def _in_cell(self):
        return any(self.elements[index][0] in ("td", "th") for index in self.open)

    def find(self, tag):
        return [(attributes, "".join(text)) for name, attributes, text in self.elements if name == tag]

    def attributes(self, name):
        return [attributes[name] for _, attributes, _ in self.elements if name in attributes]


def make_run(folder, *, regimes=("one", "two"), axes=None, **attrs):
    """Save noise as a run of an experiment that nobody has heard of, with diverged members; return its dataset."""
    axes = axes or {}
    rng = np.random.default_rng(0)
    grid = {"regime": len(regimes), **{name: len(values) for name, values in axes.items()}}
    members, cells = (*grid.values(), SEEDS), tuple(grid.values())
    status = np.full(members, "finished", object)
    status.reshape(-1)[1::4] = "diverged"
    predicted = rng.uniform(0.5, 1, (*cells, len(LABELS)))
    predicted[..., 2] = 0.0
    predicted[..., 3] = np.nan
    dataset = xarray.Dataset(
        {
            "learned": ((*grid, "seed", "quantity"), rng.uniform(0.5, 1, (*members, len(LABELS)))),
            "predicted": ((*grid, "quantity"), predicted),
            "exact_minimum": ((*grid, "quantity"), np.where(np.arange(len(LABELS)), np.nan, predicted + 1)),
            "sampling_error": ((*grid, "seed", "quantity"), np.full((*members, len(LABELS)), np.nan)),
            "status": ((*grid, "seed"), status),
            "kind": (tuple(grid), np.full(cells, "Type <I>", object)),
            "basis": (tuple(grid), np.full(cells, "theorem", object)),
            "label": ("quantity", np.array([label for label, _ in LABELS.values()], object)),
            "unit": ("quantity", np.array([unit for _, unit in LABELS.values()], object)),
        },
        coords={"regime": list(regimes), "seed": np.arange(SEEDS), "quantity": list(LABELS), **axes},
        attrs={
            "experiment": "unheard-of", "phenomenon": "unheard-of", "axes": json.dumps(list(axes)), "device": "1 x cpu",
            "configuration": json.dumps({name: {"size": i, "same": [1, 2]} for i, name in enumerate(regimes)}),
            "assumptions": json.dumps({name: [f"assumption not met: {HOSTILE}"] for name in regimes}), **attrs,
        },
    )  # fmt: skip
    folder.mkdir(parents=True)
    save_dataset(dataset, folder / RESULTS_FILE)
    return dataset


def make_claims(folder):
    """Save a few claims, one of which fails."""
    claims = [
        compare("good <claim>", "Theorem 1", 1.0, 1.0 + 1e-13, 1e-12, "rounding"),
        compare("bad claim", "derived here", 2.0, 2.5, 1e-3),
        not_applicable("idle claim", "Theorem 2", "no such task"),
        Claim("restarts", "Theorem 3", 0.5, 0.5, 0.0, 1e-9, "pass", "", (1e-13, 2e-12)),
    ]
    folder.mkdir(parents=True)
    save_dataset(claims_to_dataset(claims), folder / RESULTS_FILE)
    return claims


def report(*words):
    return main(["report", *map(str, words)])


def read(path):
    return Page(path.read_text())


def cells_of(dataset, quantity):
    """Yield predicted values and the learned ones of the seeds that did not diverge, cell by cell of a run."""
    row = dataset.sel(quantity=quantity)
    learned = row.learned.values.reshape(-1, SEEDS)
    status = row.status.values.reshape(-1, SEEDS)
    for one, ends, predicted in zip(learned, status, row.predicted.values.ravel(), strict=True):
        yield predicted, [value for value, end in zip(one, ends, strict=True) if end != "diverged"]


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """A page with everything: two runs with the same figure, a run without one, a sweep; and their folders."""
    base = tmp_path_factory.mktemp("pages")
    folders = {name: base / name for name in ("claims", "more <claims>", "run", "sweep")}
    make_claims(folders["claims"])
    make_claims(folders["more <claims>"])
    run = make_run(folders["run"], regimes=("one", HOSTILE))
    sweep = make_run(
        folders["sweep"], axes={"decay": [1e-4, 1e-2], "on": [False, True]}, quantities=json.dumps(describe(DECLARED))
    )
    out = base / "new" / "page.html"
    assert report(*folders.values(), "--out", out, "--title", HOSTILE) == 0
    return out, folders, run, sweep


@pytest.fixture(scope="module")
def page(pages):
    return read(pages[0])


def test_ids_are_unique_and_every_reference_is_to_one(page):
    ids = page.attributes("id")
    assert len(set(ids)) == len(ids)
    links = [link[1:] for link in page.attributes("href") if link.startswith("#")]
    links += [link for _, attributes, _ in page.elements for text in attributes.values() if text
              for link in re.findall(r"url\(#(.*?)\)", text)]  # fmt: skip
    links += page.attributes("popovertarget")
    assert len(links) > 20
    assert set(links) <= set(ids)
    # Two figures were drawn from equal data: all that is alike in them is told apart by its id.
    assert len([one for one in ids if one.startswith("run-1-verified-claims-svg")]) > 10


def test_the_page_fetches_nothing(page, pages):
    assert not page.find("script")
    assert not [one for one in page.attributes("src") + page.attributes("srcset")]
    assert all(link.startswith(("#", "data:")) for link in page.attributes("href"))
    (style,) = page.find("style")
    assert not re.search(r"url\((?!#)", style[1])
    assert "@import" not in pages[0].read_text()
    assert not re.findall(r"https?://", pages[0].read_text())


def test_a_policy_forbids_what_the_page_does_not_need(page):
    (policy,) = [one["content"] for one, _ in page.find("meta") if "http-equiv" in one]
    ((_, style),) = page.find("style")
    digest = b64encode(sha256(style.encode()).digest()).decode()
    assert policy == (
        f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri 'none'; form-action 'none'"
    )
    # The hash of the style sheet allows no style attribute; each has become a rule of the sheet.
    assert not page.attributes("style")
    places = page.attributes("data-s")
    assert len(places) > 100
    rules = re.findall(r'^\[data-s="(\d+)"\]{[^{}<]+}$', style, re.MULTILINE)
    assert rules == [str(place) for place in range(len(set(places)))]


def test_a_style_attribute_becomes_a_rule_and_a_text_that_looks_like_one_stays():
    body = element("p", element("b", "x", style='font-family: "A"; --n:1'), element("i", "y", style="--n:2"),
                   element("u", ' style="--n:3"', style="--n:2", title=' style="--n:4"'))  # fmt: skip
    moved, rules = move_styles(body)
    assert moved == (
        '<p><b data-s="0">x</b><i data-s="1">y</i>'
        '<u data-s="1" title=" style=&quot;--n:4&quot;"> style=&quot;--n:3&quot;</u></p>'
    )
    assert rules == '[data-s="0"]{font-family: "A"; --n:1}\n[data-s="1"]{--n:2}\n'


def test_texts_are_shown_as_they_read(page):
    assert page.find("h1")[0][1] == HOSTILE
    assert page.find("title")[0][1] == HOSTILE
    assert not page.find("img")
    captions = [text for _, text in page.find("caption")]
    assert any(text.startswith(HOSTILE) and "Type <I>" in text for text in captions)
    assert "norm <b>rms</b>" in [row[0][0] for table in page.tables for row in table]
    assert any("more <claims>" in text for _, text in page.find("code"))
    notes = [text for _, text in page.find("li")]
    assert f"assumption not met: {HOSTILE}" in notes


def test_every_quantity_has_its_learned_value_in_the_table_of_each_regime(page, pages):
    dataset = pages[2]
    compared = [table for table in page.tables if [text for text, _ in table[0]][:2] == ["quantity", "predicted"]]
    assert len(compared) == dataset.sizes["regime"]
    for place, table in enumerate(compared):
        rows = dict(zip(LABELS, table[1:], strict=True))
        for name, (label, unit) in LABELS.items():
            predicted, learned = list(cells_of(dataset, name))[place]
            heading, theorem, exact, found, spread, error, digits = rows[name]
            assert heading[0] == label + (f" ({unit})" if unit else "")
            mean = statistics.fmean(learned)
            # The mean is rounded once or twice, 2^-53 each time; the text has five digits.
            assert found[1] == pytest.approx([mean], rel=2**-51)
            assert float(found[0]) == pytest.approx(mean, rel=1e-4)
            assert exact[1] == pytest.approx([predicted + 1] if name == "norm" else [], rel=2**-51)
            sample = statistics.stdev(learned) / math.sqrt(len(learned))
            assert spread[1] == pytest.approx([sample], rel=1e-12)
            if math.isnan(predicted):
                assert [one[0] for one in (theorem, error, digits)] == [DASH, DASH, DASH]
                continue
            assert theorem[1] == [predicted]
            expected = abs(mean - predicted) / (predicted or 1.0)
            assert error[1] == pytest.approx([expected], rel=1e-12)
            assert digits[1] == pytest.approx([-math.log10(max(expected, sample / (predicted or 1.0)))], rel=1e-12)


def test_on_a_narrow_screen_tables_stay_tables_and_scroll_in_a_box_of_their_own(page):
    narrow = STYLE.partition("@media (max-width: 40rem)")[2].partition("@media")[0]
    assert narrow
    assert "display:" not in narrow.replace(" ", "")  # a table that is set as blocks is no table to a screen reader
    assert re.search(r"^\.scroll {[^}]*overflow-x: auto", STYLE, re.MULTILINE)
    boxes = [attributes for attributes, _ in page.find("div") if attributes.get("class") == "scroll"]
    assert len(boxes) == len(page.find("table"))
    assert all(attributes["tabindex"] == "0" for attributes in boxes)  # so that keys can scroll it


def luminance(colour):
    """Return the relative luminance of ``#rrggbb``, as the Web Content Accessibility Guidelines 2.1 define it."""
    channels = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(first, second):
    darker, lighter = sorted(map(luminance, (first, second)))
    return (lighter + 0.05) / (darker + 0.05)


def test_texts_have_the_contrast_that_accessibility_asks_for_by_day_and_by_night():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    schemes = re.findall(r":root {(.*?)}", STYLE, re.DOTALL)[:2]
    by_day, by_night = (dict(re.findall(r"--(\w+): (#[0-9a-f]{6});", scheme)) for scheme in schemes)
    assert luminance(by_day["paper"]) > 0.9
    assert luminance(by_night["paper"]) < 0.01
    for colours in (by_day, by_night):
        for text in ("ink", "soft", "link", "good", "bad"):
            for ground in ("paper", "faint"):
                # Level AA: 4.5 for texts below 24 CSS pixels.
                assert contrast(colours[text], colours[ground]) >= 4.5, (text, ground)
    # Figures and their close button are black on white in both.
    assert contrast("#1b1f24", "#ffffff") >= 4.5
    assert re.search(r"\.card {[^}]*background: #fff", STYLE)
    assert re.search(r"\.large {[^}]*background: #fff", STYLE)


def headings(page):
    return [(int(tag[1]), "".join(text)) for tag, _, text in page.elements if re.fullmatch("h[1-6]", tag)]


def test_headings_go_down_one_level_at_a_time(page):
    levels = [level for level, _ in headings(page)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))


def test_runs_are_listed_by_phenomenon(tmp_path):
    """The attribute names it; of what has none the experiment does, or the kind of run."""
    given = {"first": ("late", "a-topic"), "second": ("class-imbalance", None), "third": ("unknown", "a-topic"),
             "fourth": ("token-collapse", None)}  # fmt: skip
    for name, (experiment, topic) in given.items():
        attrs = {"topic": topic} if topic else {}
        make_run(tmp_path / name, regimes=("one",), **{"experiment": experiment, "phenomenon": "own", **attrs})
    make_claims(tmp_path / "claims")
    names = [*given, "claims"]
    assert report(*(tmp_path / name for name in names), "--out", tmp_path / "page.html") == 0
    page = read(tmp_path / "page.html")
    assert [text for level, text in headings(page) if level in (2, 3)] == [
        "Contents",
        *("A topic", "late", "unknown"),
        *("Contextual embeddings", "class-imbalance", "token-collapse"),
        *("Verification", "Verified claims"),
    ]
    nav = next(index for index, (tag, *_) in enumerate(page.elements) if tag == "nav")
    main = next(index for index, (tag, *_) in enumerate(page.elements) if tag == "main")
    links = [attributes["href"] for tag, attributes, _ in page.elements[nav:main] if tag == "a"]
    targets = [attributes["id"] for tag, attributes, _ in page.elements[main:] if tag in ("section", "article")
               or (tag == "details" and "id" in attributes)]  # fmt: skip
    assert links == [f"#{target}" for target in targets]
    assert [target for target in targets if target.startswith("phenomenon")] == [f"phenomenon-{n}" for n in (1, 2, 3)]


def test_the_navigation_is_shown_on_demand_on_a_narrow_screen_and_always_on_a_wide_one(page):
    nav = next(index for index, (tag, *_) in enumerate(page.elements) if tag == "nav")
    assert [tag for tag, *_ in page.elements[nav + 1 : nav + 5]] == ["details", "summary", "h2", "ol"]
    assert "open" not in page.elements[nav + 1][1]
    wide = STYLE.partition("@media (min-width: 78rem)")[2].partition("@supports")[0]
    assert "nav { position: sticky" in wide
    assert "nav details::details-content { display: block" in wide


def test_a_sweep_has_a_row_for_each_cell_and_all_quantities_below(page, pages):
    dataset = pages[3]
    swept = [table for table in page.tables if [text for text, _ in table[0]][:2] == ["decay", "on"]]
    # Of each regime first the compared quantities and the accuracy, then all of them.
    shown = [("norm", "risk", "test_accuracy"), tuple(LABELS)] * 2
    assert len(swept) == len(shown)
    for index, (table, names) in enumerate(zip(swept, shown, strict=True)):
        regime = dataset.isel(regime=index // 2)
        groups = [text for text, _ in table[0]][2 : 2 + len(names)]
        order = [name for text in groups for name in LABELS if text.startswith(LABELS[name][0])]
        assert set(order) == set(names)
        known = [name for name in order if name != "angle"]  # of which nothing is predicted
        assert [text for text, _ in table[1]] == [
            text for name in order for text in (("predicted", "learned") if name in known else ("learned",))
        ]
        rows = table[2:]
        assert [row[0][1][0] for row in rows] == [1e-4, 1e-4, 1e-2, 1e-2]
        assert [row[1][0] for row in rows] == ["no", "yes", "no", "yes"]
        for cell, row in enumerate(rows):
            values, errors = [value for _, numbers in row[2:] for value in numbers], []
            for name in order:
                predicted, learned = list(cells_of(regime, name))[cell]
                expected = [statistics.fmean(learned)]
                if name in known:
                    expected.insert(0, predicted)
                    errors.append(abs(expected[1] - predicted) / (predicted or 1.0))
                assert [values.pop(0) for _ in expected] == pytest.approx(expected, rel=2**-51)
            assert values == pytest.approx([max(errors)], rel=1e-12)
            status = regime.status.values.reshape(-1, SEEDS)[cell]
            assert row[-1][0] == str(np.sum(status == "diverged"))


def test_more_cells_than_a_table_holds_are_counted(tmp_path, monkeypatch):
    monkeypatch.setattr(tables, "MOST_CELLS", 3)
    make_run(tmp_path / "run", regimes=("one",), axes={"decay": [1.0, 2.0, 3.0, 4.0, 5.0]})
    assert report(tmp_path / "run", "--out", tmp_path / "page.html") == 0
    table = read(tmp_path / "page.html").tables[0]
    assert len(table) == 2 + 3 + 1
    assert table[-1][0][0] == "2 more cells: all of them are in results.nc"


def test_the_head_has_a_line_for_each_run(page, pages):
    lines = [text for attributes, text in page.find("span") if attributes.get("class") == "line"]
    assert len(lines) == 4
    assert lines[0].startswith("4 claims: 2 pass, 1 not applicable, 1 fail")
    assert lines[2] == "3 seeds · 6 members: 4 finished, 2 diverged · 1 x cpu"
    assert lines[3].startswith("varied: decay (0.0001, 0.01), on (no, yes) · 3 seeds · 24 members: 18 finished, 6 div")


def test_claims_that_fail_come_first(page):
    table = next(table for table in page.tables if table[0][0][0] == "claim")
    assert [row[1][0] for row in table[1:]] == [FAIL, "pass", "not applicable", "pass"]
    assert table[2][0][0] == "good <claim>Theorem 1; rounding"
    assert table[1][2][1] + table[1][3][1] + table[1][4][1] == [2.0, 2.5, 0.5]
    assert [text for text, _ in table[3][2:]] == [DASH] * 4


def test_figures_are_told_in_words_and_can_be_enlarged(page):
    drawn = [attributes for attributes, _ in page.find("svg")]
    assert len(drawn) == 4  # the same figure of two runs, each small and large
    assert all(attributes["role"] == "img" for attributes in drawn)
    assert all("found against predicted" in attributes["aria-label"] for attributes in drawn)
    assert all("4 claims: 2 pass, 1 fail, 1 not applicable." in attributes["aria-label"] for attributes in drawn)
    assert len(page.find("figcaption")) == 2
    buttons = [attributes["aria-label"] for attributes, _ in page.find("button")]
    assert [text.partition(":")[0] for text in buttons] == ["Enlarge", "Close"] * 2


def test_provenance_tells_the_file_and_what_differs(page, pages):
    assert page.find("details")
    for folder in pages[1].values():
        assert sha256((folder / RESULTS_FILE).read_bytes()).hexdigest() in page.text
    differing = next(table for table in page.tables if [text for text, _ in table[0]] == ["", "one", HOSTILE])
    assert [text for text, _ in differing[1]] == ["size", "0", "1"]
    shared = page.tables[page.tables.index(differing) + 1]
    assert [[text for text, _ in row] for row in shared] == [["same", "1, 2"]]


def test_equal_runs_give_equal_pages_in_any_process(pages, tmp_path):
    out, folders, *_ = pages
    again = tmp_path / "again.html"
    # Another order of sets and a fresh count of matplotlib's objects must not show.
    words = ["report", *map(str, folders.values()), "--out", str(again), "--title", HOSTILE]
    code = "import sys; from experiments.commands.cli import main; sys.exit(main(sys.argv[1:]))"
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3]), "PYTHONHASHSEED": "1"}
    subprocess.run([sys.executable, "-c", code, *words], env=environment, check=True)
    assert again.read_bytes() == out.read_bytes()


def test_what_a_dataset_lacks_is_left_out(tmp_path):
    bare = xarray.Dataset(
        {"learned": ("quantity", [1.0, 2.0, math.nan])},
        attrs={"experiment": "bare", "figures": '["feature_collapse.overview"]'},
    )
    empty = xarray.Dataset({"other": ("x", [1.0])}, attrs={"experiment": "empty", "phenomenon": "unheard-of"})
    for name, dataset in (("bare", bare), ("empty", empty)):
        (tmp_path / name).mkdir()
        save_dataset(dataset, tmp_path / name / RESULTS_FILE)
    assert report(tmp_path / "bare", tmp_path / "empty", "--out", tmp_path / "page.html") == 0
    page = read(tmp_path / "page.html")
    table = page.tables[0]
    assert [[text for text, _ in row] for row in table] == [
        ["quantity", "predicted", "learned", "±", "error", "digits"],
        ["quantity 1", DASH, "1", DASH, DASH, DASH],
        ["quantity 2", DASH, "2", DASH, DASH, DASH],
    ]
    problems = [text for attributes, text in page.find("p") if attributes.get("class") == "problem"]
    # The first names a figure that needs more than it has; the second is older than the names of figures.
    assert len([text for text in problems if text.startswith("Overview cannot be drawn from this file")]) == 1
    assert len([text for text in problems if text.startswith("No figures: folder: expected a results.nc of")]) == 1


@pytest.fixture
def drawn(monkeypatch, tmp_path):
    """A run whose figure is a curve of a hundred equal marks below a title that XML must escape."""
    figure = Figure(figsize=(2, 1))
    ax = figure.add_subplot()
    ax.plot(np.arange(100), np.arange(100) ** 2 / 7, "o", alpha=0.5)
    ax.set_title("$x^2$ < 1e4 & more")
    ax.set_xlabel("x")
    ax.set_ylabel("y")
    monkeypatch.setattr(figures, "figures_of", lambda dataset: ("unheard_of",))
    monkeypatch.setattr(figures, "file_name", lambda name: name)
    monkeypatch.setattr(figures, "draw", lambda name, dataset: figure)
    make_run(tmp_path / "run")
    return tmp_path


def test_a_figure_is_a_drawing_that_says_what_it_shows(drawn):
    assert report(drawn / "run", "--out", drawn / "page.html") == 0
    page = read(drawn / "page.html")
    (label,) = {attributes["aria-label"] for attributes, _ in page.find("svg")}
    assert re.match(r"1 panel; x\^2 < 1e4 & more: y against x \(x from \S+ to \S+, y from \S+ to \S+\)\. In", label)
    assert len([one for one, _ in page.find("use") if "x" in one]) >= 100
    assert not page.find("metadata")
    assert len(page.find("style")) == 1  # the page's own


def test_the_alternative_text_has_the_headline_numbers(drawn):
    dataset = make_run(drawn / "other", axes={"decay": [1.0, 2.0]})
    assert report(drawn / "other", "--out", drawn / "page.html") == 0
    (label,) = {attributes["aria-label"] for attributes, _ in read(drawn / "page.html").find("svg")}
    parts = label.partition("In this run, ")[2].removesuffix(".").split("; ")
    assert len(parts) == MOST_COMPARED
    for name, part in zip(LABELS, parts, strict=False):
        cells = list(cells_of(dataset, name))
        learned = [statistics.fmean(values) for _, values in cells]
        predicted = [value for value, _ in cells if not math.isnan(value)]
        text = LABELS[name][0] + (f" ({LABELS[name][1]})" if LABELS[name][1] else "")
        text += f": learned {min(learned):.3g} to {max(learned):.3g}"
        if predicted:
            low, high = f"{min(predicted):.3g}", f"{max(predicted):.3g}"
            errors = [abs(value - wanted) / (wanted or 1.0) for value, (wanted, _) in zip(learned, cells, strict=True)]
            text += f", predicted {low if low == high else f'{low} to {high}'}, largest error {max(errors):.2g}"
        assert part == text


def test_a_figure_too_large_for_a_drawing_becomes_a_picture(drawn, monkeypatch):
    monkeypatch.setattr(figures_inline, "MOST_CHARACTERS", 1000)
    assert report(drawn / "run", "--out", drawn / "page.html") == 0
    (image,) = read(drawn / "page.html").find("image")
    assert image[0]["href"].startswith("data:image/png;base64,iVBOR")
    assert (float(image[0]["width"]), float(image[0]["height"])) == (144, 72)  # points


SVG = b"""<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="0 0 10 20">
 <metadata>no</metadata><defs><style>*{}</style><clipPath id="c"><path d="M 0 0 L 1.23456 -0.0012"/></clipPath></defs>
 <g id="unused" clip-path="url(#c)"><g id="m"/>
  <g><use xlink:href="#m" x="1.005" style="fill: red; fill-opacity: 0.5"/><use xlink:href="#m" style="fill: red; fill-opacity: 0.5"/></g>
  <g><use xlink:href="#m" style="opacity: 0.5"/><use xlink:href="#m" style="opacity: 0.5"/></g>
 </g></svg>"""  # noqa: E501


@pytest.mark.quick
def test_a_drawing_is_made_fit_for_a_page():
    drawing = read_svg(SVG, "p")
    assert (drawing.width, drawing.height) == (10, 20)
    assert drawing.content == (
        '<defs><clipPath id="p-c"><path d="M 0 0 L 1.23 0" /></clipPath></defs>'
        '<g clip-path="url(#p-c)"><g id="p-m" />'
        '<g style="fill: red; fill-opacity: 0.5"><use href="#p-m" x="1" /><use href="#p-m" /></g>'
        # Opacity is not handed down: a group applies it once, where marks overlap too.
        '<g><use href="#p-m" style="opacity: 0.5" /><use href="#p-m" style="opacity: 0.5" /></g></g>'
    )


SMALL = "uniform-small-sample --n-words 6 --n-classes 4 --sentence-length 2 --embedding-dim 4 --batch-size 10"


@pytest.mark.quick
@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ("zipf-small-sample", "zipf-small-sample --preset quick --seeds 1"),
        ("feature-collapse --preset paper --seeds 3 --first-seed 2",
         "feature-collapse --preset paper --seeds 3 --first-seed 2"),
        ("feature-collapse --weight-decay 5e-3", "feature-collapse --preset quick --weight-decay 0.005 --seeds 1"),
        (f"{SMALL} --layer-norm --epochs 7 --trajectories --vary weight-decay=log:1e-4:1e-2:3", None),
        (f"{SMALL} --word-frequency 0.7,0.3 --vary learning-rate=1,2 --vary layer-norm=true,false", None),
        ("zipf-layer-norm --optimizer lbfgs --batch-size all --n-steps 20 --until gradient-norm=1e-3", None),
        ("uniform-small-sample --source fresh --n-steps 20", None),
    ],
)  # fmt: skip
def test_the_command_that_is_told_asks_for_the_same_sweep(asked, told):
    def describe(words):
        plan = read_request(parse(["run", *words])).plan
        return json.loads(json.dumps(plan.describe()))

    sweep = describe(asked.split())
    words = run_words(sweep)
    assert describe(words) == sweep
    assert told is None or words == told.split()


def test_a_sweep_that_no_words_ask_for_is_told_by_its_file_alone(tmp_path):
    plan = find_experiment("zipf-small-sample").plan("quick", {}, [0, 5])
    sweep = json.dumps(plan.describe())
    assert run_words(json.loads(sweep)) is None
    make_run(tmp_path / "a run", sweep=sweep)
    assert report(tmp_path / "a run", "--out", tmp_path / "page.html") == 0
    commands = [text for _, text in read(tmp_path / "page.html").find("pre")]
    assert commands == [f"# from its file, on the same layout\nsimlab run --from '{tmp_path}/a run' --out DIR"]


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """A folder with a good run, some bad ones, and a page."""
    base = tmp_path_factory.mktemp("saved")
    make_run(base / "good")
    make_run(base / "no-json", axes={}, layout="{")
    for name in ("empty", "garbage", "truncated"):
        (base / name).mkdir()
    (base / "garbage" / RESULTS_FILE).write_text("no data")
    content = (base / "good" / RESULTS_FILE).read_bytes()
    (base / "truncated" / RESULTS_FILE).write_bytes(content[: len(content) // 2])
    (base / "old.html").write_text("old")
    return base


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("", "the following arguments are required: DIR"),
        ("good empty", "folder: expected one that holds results.nc, got 'empty'"),
        ("good nowhere", "folder: expected one that holds results.nc, got 'nowhere'"),
        ("garbage", "folder: expected a readable results.nc in it"),
        ("truncated", "folder: expected a readable results.nc in it"),
        ("no-json", "folder: expected a results.nc whose attribute 'layout' is JSON, got 'no-json'"),
        ("good good/../good", "folder: expected each run once, got 'good/../good'"),
        ("good --out old.html", "out: expected a file that does not exist yet (or --overwrite), got 'old.html'"),
        ("good --out good", "out: expected a file name that ends in .html, got 'good'"),
        ("good --out good/results.nc --overwrite", "out: expected a file name that ends in .html"),
        ("good --out old.html/new.html", "out: expected a folder, got 'old.html'"),
        ("good --title=", "title: expected a line of text, got ''"),
        ("good --title=a\nb", "title: expected a line of text, got 'a\\nb'"),
        ("good --titel x", "option: expected one that 'simlab report --help' lists, got '--titel'"),
    ],
)
def test_wrong_input_is_told_in_one_line_and_leaves_nothing(saved, monkeypatch, capsys, words, message):
    monkeypatch.chdir(saved)
    before = sorted(saved.rglob("*"))
    assert report(*words.split(" ")) == 2 if words else main(["report"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"simlab: {message}")
    assert sorted(saved.rglob("*")) == before
    assert (saved / "old.html").read_text() == "old"


def test_a_folder_that_cannot_be_written_to_is_told(saved, monkeypatch, capsys):
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    assert report(saved / "good", "--out", saved / "page.html") == 2
    assert "out: expected a folder that can be written to" in capsys.readouterr().err


def test_overwrite_replaces_a_page_and_says_what_it_wrote(saved, tmp_path, capsys):
    out = tmp_path / "page.html"
    out.write_text("old")
    assert report(saved / "good", "--out", out, "--overwrite") == 0
    assert read(out).find("h1")[0][1] == "Unheard of"
    assert capsys.readouterr().err == f"{out}: 1 run, 0.0 MB\n"
    assert [path.name for path in tmp_path.iterdir()] == ["page.html"]


def test_the_default_page_lies_in_the_current_folder(saved, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert report(saved / "good") == 0
    assert read(tmp_path / "report.html").find("article")


def test_a_figure_is_described_with_the_labels_and_ranges_of_its_panels():
    figure = Figure()
    axes = figure.subplots(2, 2)
    axes[0, 0].set_ylabel("embedding\nnorm")
    axes[1, 1].set_xlabel("weight decay")
    axes[0, 1].plot([0, 1], [0, 2], label="predicted")
    axes[0, 1].set_xlim(0, 1)
    axes[0, 1].set_ylim(0, 2)
    axes[0, 1].set_title("uniform")
    axes[1, 0].set_ylabel(r"gap $\cdot\,\beta_{1}$")
    axes[0, 1].legend()
    text = describe_figure(figure)
    assert "uniform: embedding norm against weight decay (x from 0 to 1, y from 0 to 2)" in text
    assert "uniform: gap times beta_(1) against weight decay" in text  # the title of its column, the label of its row
    assert text.endswith("legend: predicted.")
