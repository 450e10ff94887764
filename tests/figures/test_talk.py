import sys
from types import SimpleNamespace

import pytest
import xarray

from experiments.cli import main
from figures import talk


def run_of(name):
    return xarray.Dataset(attrs={"experiment": name, "word": name})


@pytest.fixture
def panels(monkeypatch):
    """Experiments whose panel is a single point and the name of the run that it was drawn from."""
    drawn = SimpleNamespace(draw_key=lambda ax, dataset: (ax.plot([0], [0]), ax.set_xlabel(dataset.attrs["word"])))
    monkeypatch.setitem(sys.modules, "figures.stub", drawn)
    names = ("first", "second", "third", "fourth", "fifth")
    monkeypatch.setattr(talk, "PANELS", {name: ("stub", f"What of the {name} of all questions?") for name in names})
    return names


def test_every_run_has_a_panel_in_the_order_of_the_questions(panels):
    figure = talk.draw([run_of(name) for name in ("fifth", "second", "other", "first", "third")])
    shown = [ax for ax in figure.axes if ax.get_visible()]
    assert [ax.get_xlabel() for ax in shown] == ["first", "second", "third", "fifth"]
    assert shown[0].get_title(loc="left").replace("\n", " ") == "What of the first of all questions?"
    assert figure.get_figwidth() / figure.get_figheight() == pytest.approx(16 / 9, rel=2e-3)


def test_runs_without_a_panel_are_refused(panels):
    with pytest.raises(ValueError, match=r"^overview: expected a run of one of first, second, .*, got none$"):
        talk.draw([run_of("other")])


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
