"""Files that others wrote: what cannot be drawn is one line, and their text is never markup."""

import json
import re

import numpy as np
import pytest
import xarray

import figures
from experiments.commands.cli import main
from figures.drawing.plain_text import without_mathematics
from simlab.storage.results import load_dataset, save_dataset

SIZES = "--n-words 6 --n-classes 4 --sentence-length 2 --embedding-dim 4 --batch-size 10 --n-evaluation 20"


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "tiny"
    words = [
        "run",
        "uniform-small-sample",
        *SIZES.split(),
        "--epochs",
        "2",
        "--n-records",
        "2",
        "--quiet",
        "--no-figures",
    ]
    assert main([*words, "--out", str(folder)]) == 0
    return load_dataset(folder)


def rename(dataset, name):
    """Return a run whose only regime has another name, wherever it stands."""
    (old,) = dataset.regime.values
    escaped = json.dumps(name)[1:-1]
    attributes = {
        key: value.replace(json.dumps(old), f'"{escaped}"') if isinstance(value, str) else value
        for key, value in dataset.attrs.items()
        if key != "experiment"
    }
    return dataset.assign_coords(regime=np.array([name], object)).assign_attrs(attributes)


@pytest.mark.parametrize(
    "change",
    [
        lambda dataset: dataset.isel(seed=0),
        lambda dataset: dataset.drop_vars("embeddings"),
        lambda dataset: dataset.assign_attrs(experiment=np.arange(3)),
        lambda dataset: dataset.assign_attrs(figures='["neural_collapse.class_means"]'),
        lambda dataset: dataset.assign_attrs(figures="no JSON"),
        lambda dataset: dataset.assign_attrs(quantities='{"risk": 3}'),
        lambda dataset: dataset.drop_dims("quantity"),
        lambda dataset: rename(dataset, "long " * 4000),
    ],
)
@pytest.mark.parametrize("command", ["plot", "report", "overview"])
def test_a_file_that_cannot_be_drawn_is_one_line(saved, tmp_path, capsys, change, command):
    folder = tmp_path / "run"
    folder.mkdir()
    save_dataset(change(saved), folder / "results.nc")
    words = {
        "plot": ["plot", str(folder)],
        "report": ["report", str(folder), "--out", str(tmp_path / "page.html")],
        "overview": ["plot", str(folder), "--overview", str(tmp_path / "page.pdf")],
    }[command]
    status = main(words)
    printed = capsys.readouterr().err
    assert status in (0, 2)  # a report or an overview may not need what is missing
    assert printed.count("\n") <= 1
    assert status == 0 or printed.startswith("simlab: ")
    assert (tmp_path / "page.html").exists() == (command == "report" and status == 0)
    assert (tmp_path / "page.pdf").exists() == (command == "overview" and status == 0)


@pytest.mark.parametrize("name", [r"cost in $\frac{a$", r"a$b$c \alpha", r"\$ and _x^y {"])
def test_text_of_a_file_is_no_mathematics(saved, name):
    dataset = rename(saved, name)
    assert json.loads(without_mathematics(dataset).attrs["configuration"]).keys() == {name.replace("$", r"\$")}
    for figure_name in figures.figures_of(dataset):
        figure = figures.draw(figure_name, dataset)
        for text in figure.findobj(lambda artist: hasattr(artist, "_preprocess_math")):
            if "cost" in text.get_text():
                assert text._preprocess_math(text.get_text())[1] is False
        figure.canvas.draw()


def test_a_dataset_without_dollar_signs_stays_as_it_is(saved):
    assert without_mathematics(saved) is saved


def test_a_title_shows_the_dollar_sign_itself():
    dataset = xarray.Dataset(coords={"regime": np.array(["a$b"], object)}, attrs={"note": "5 $", "json": '["$"]'})
    plain = without_mathematics(dataset)
    assert plain.regime.values.tolist() == [r"a\$b"]
    assert plain.attrs["note"] == r"5 \$"
    assert re.fullmatch(r"\\\$", json.loads(plain.attrs["json"])[0])
