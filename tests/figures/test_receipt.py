"""Receipts: the same from file and from memory, in three kinds of files, and the number that moved has its name."""

import json

import numpy as np
import pytest
import xarray
from matplotlib.figure import Figure

from experiments.commands.cli import main
from figures.drawing.style import save
from figures.receipt import digests, make_receipt, moved, read_receipt
from simlab.storage.results import RESULTS_FILE, save_dataset

pytestmark = pytest.mark.quick


@pytest.fixture
def dataset():
    return xarray.Dataset(
        {
            "learned": (("seed", "quantity"), np.array([[1.0, np.nan], [0.1, 3.0]], np.float32)),
            "kind": ("seed", np.array(["a (b)", "c\\d"], object)),
        },
        coords={"quantity": ["risk", "norm"]},
        attrs={"experiment": "tiny", "sweep": '{"a": 1}', "configuration": json.dumps({"one": {"dtype": "float64"}})},
    )


@pytest.fixture
def folder(dataset, tmp_path):
    save_dataset(dataset, tmp_path / RESULTS_FILE)
    figure = Figure(figsize=(1, 1), layout="constrained")
    figure.subplots()
    for kind in ("pdf", "png", "svg"):
        save(figure, tmp_path / f"tiny.{kind}", make_receipt("tiny", dataset))
    return tmp_path


@pytest.mark.parametrize("kind", ["pdf", "png", "svg"])
def test_a_file_gives_its_receipt_back(folder, dataset, kind):
    receipt = read_receipt(folder / f"tiny.{kind}")
    assert receipt == make_receipt("tiny", dataset)
    assert receipt["precision"] == ["float64"]


def test_only_what_moved_is_named(dataset):
    receipt = make_receipt("tiny", dataset)
    assert moved(receipt, dataset) == []
    changed = dataset.copy(deep=True)
    changed.learned[1, 0] = np.nextafter(np.float32(0.1), 1)  # one unit in the last place
    assert moved(receipt, changed) == ["learned, risk"]
    assert moved(receipt, dataset.drop_vars("kind")) == ["kind"]


def test_all_nans_are_equal(dataset):
    other = dataset.copy(deep=True)
    other.learned[0, 1] = -np.float32(np.nan)
    assert digests(other) == digests(dataset)


def test_the_command_names_what_moved(folder, dataset, capsys):
    figures = [str(folder / f"tiny.{kind}") for kind in ("pdf", "png", "svg")]
    assert main(["plot", "--check", *figures]) == 0
    changed = dataset.copy(deep=True)
    changed.learned[0, 0] = 2.0
    save_dataset(changed, folder / RESULTS_FILE)
    capsys.readouterr()
    assert main(["plot", "--check", figures[0]]) == 1
    assert "differs: learned, risk" in capsys.readouterr().out


@pytest.mark.parametrize("content", [b"", b"\x89PNG\r\n\x1a\n\x00\x00\x00\x04tEXt", b"%PDF /Subject (none)"])
@pytest.mark.parametrize("kind", ["pdf", "png", "svg", "txt"])
def test_another_file_is_refused_in_one_line(folder, kind, content, capsys):
    path = folder / f"other.{kind}"
    path.write_bytes(content)
    assert main(["plot", "--check", str(path)]) == 2
    error = capsys.readouterr().err
    assert "expected a PDF, PNG or SVG with a receipt of simlab" in error
    assert error.count("\n") == 1
