import json
import sys
from types import SimpleNamespace

import pytest
import xarray

import figures
from experiments.commands.cli import main
from experiments.registry import NAMES, find_experiment
from figures import talk


def run_of(name):
    """A run whose panel is a single point and its name; "other" asks no question."""
    talk = {} if name == "other" else {"talk": json.dumps({"figure": "stub", "question": f"What of all {name} words?"})}
    return xarray.Dataset(attrs={"experiment": name, "figures": "[]", "word": name, **talk})


@pytest.fixture
def panels(monkeypatch):
    drawn = SimpleNamespace(draw_key=lambda ax, dataset: (ax.plot([0], [0]), ax.set_xlabel(dataset.attrs["word"])))
    monkeypatch.setitem(sys.modules, "figures.stub", drawn)
    monkeypatch.setattr(talk, "check_figure", lambda name, function: name)


def test_every_run_has_a_panel_in_the_given_order(panels):
    figure = talk.draw([run_of(name) for name in ("fifth", "second", "other", "first", "second", "third")])
    shown = [ax for ax in figure.axes if ax.get_visible()]
    assert [ax.get_xlabel() for ax in shown] == ["fifth", "second", "first", "third"]
    assert shown[0].get_title(loc="left").replace("\n", " ") == "What of all fifth words?"
    assert figure.get_figwidth() / figure.get_figheight() == pytest.approx(16 / 9, rel=2e-3)


def test_runs_without_a_panel_are_refused(panels):
    with pytest.raises(
        ValueError, match=r"^overview: expected a run of an experiment with a panel for talks, got none$"
    ):
        talk.draw([run_of("other")])


def test_a_panel_is_drawn_by_a_module_of_figures_alone():
    dataset = run_of("first").assign_attrs(talk='{"figure": "os", "question": "?"}')
    with pytest.raises(ValueError, match=r"^figures: expected the name of a figure, such as .*, got 'os'$"):
        talk.draw([dataset])


@pytest.mark.parametrize("name", NAMES)
def test_the_question_of_every_experiment_has_its_figure(name):
    experiment = find_experiment(name)
    for figure in (*experiment.phenomenon.figures, *experiment.figures):
        assert figures.check_figure(figure) == figure
    if experiment.talk is not None:
        assert figures.check_figure(experiment.talk[0], "draw_key") == experiment.talk[0]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ["DIR", "--overview", "page.gif"],
            "overview: expected a file that ends in .pdf, .png or .svg, got 'page.gif'",
        ),
        (["DIR", "--overview", "page.pdf"], "folder: expected one that holds results.nc, got 'DIR'"),
    ],
)
def test_bad_pages_are_one_line(tmp_path, monkeypatch, capsys, words, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "DIR").mkdir()
    assert main(["plot", *words]) == 2
    assert capsys.readouterr().err == f"simlab: {message}\n"
    assert not (tmp_path / "page.pdf").exists()
