"""``simlab plot`` draws the figures that are asked for, as the files that are asked for, as wide as is asked for."""

import re
from xml.etree import ElementTree

import pytest

from experiments.commands.cli import main


@pytest.fixture
def folder(made_up, tmp_path):
    dataset = made_up({"importance": [0.01, 0.1, 1.0], "size": [1.0, 2.0, 3.0]})
    dataset.to_netcdf(tmp_path / "results.nc", engine="h5netcdf")
    return tmp_path


def files(folder):
    return sorted(path.name for path in folder.iterdir() if path.name != "results.nc")


def test_all_figures_are_pdf_and_png(folder, capsys):
    assert main(["plot", str(folder)]) == 0
    assert files(folder) == ["map.pdf", "map.png", "sweep.pdf", "sweep.png"]
    assert capsys.readouterr().err == f"{folder}: 2 figures, as PDF and PNG\n"


@pytest.mark.parametrize(("width", "inches"), [("single", 3.35), ("double", 6.9), ("5", 5.0)])
def test_figures_kinds_and_width_are_chosen(folder, capsys, width, inches):
    assert main(["plot", str(folder), "--figures", "map", "--format", "svg", "--width", width]) == 0
    assert files(folder) == ["map.svg"]
    assert capsys.readouterr().err == f"{folder}: 1 figure, as SVG\n"
    points = ElementTree.parse(folder / "map.svg").getroot().attrib["width"]
    assert float(points.removesuffix("pt")) == pytest.approx(72 * inches)


@pytest.mark.parametrize(("venue", "inches", "family"), [("neurips", 5.5, b"STIX"), ("icml", 6.75, b"STIX")])
def test_a_venue_sets_width_and_typeface(folder, venue, inches, family):
    assert main(["plot", str(folder), "--figures", "map", "--format", "pdf,svg", "--style", venue]) == 0
    assert family in (folder / "map.pdf").read_bytes()
    points = ElementTree.parse(folder / "map.svg").getroot().attrib["width"]
    assert float(points.removesuffix("pt")) == pytest.approx(72 * inches)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("--figures swep", "figures: expected one of sweep, map, got 'swep' (did you mean 'sweep'?)"),
        ("--format pdf,gif", "format: expected one of pdf, png, svg, got 'gif'"),
        ("--width 1", "width: expected single, double or inches from 2 to 20, got '1'"),
        ("--width wide", "width: expected single, double or inches from 2 to 20, got 'wide'"),
        ("--width nan", "width: expected single, double or inches from 2 to 20, got 'nan'"),
        (
            "--style neurip",
            "style: expected one of neurips, icml, iclr, jmlr, beamer, got 'neurip' (did you mean 'neurips'?)",
        ),
        ("--check --width 5", "check: expected figures and no other option, got 'some'"),
        (
            "--overview page.pdf --width double",
            "overview: expected none of --figures, --format, --width and --style with it, got 'some'",
        ),
    ],
)
def test_bad_options_are_one_line_and_draw_nothing(folder, capsys, options, message):
    assert main(["plot", str(folder), *options.split()]) == 2
    assert re.fullmatch(re.escape(f"simlab: {message}\n"), capsys.readouterr().err)
    assert files(folder) == []
