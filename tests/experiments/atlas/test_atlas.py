"""The atlas: its values by hand, and the command on a small phenomenon, twice."""

import json

import numpy as np
import pytest
import xarray

from experiments.atlas.entries import ENTRIES, choose_entries
from experiments.atlas.values import atlas_dataset, compared_values, table_rows, values_of
from experiments.catalogue import Entry
from experiments.commands import atlas as command
from experiments.commands.cli import main
from experiments.examples.linear_autoencoder import EXPERIMENT
from experiments.registry import find_experiment
from experiments.run_all.measured_time import measured_times
from simlab.storage.results import load_dataset

ENTRY = Entry("autoencoder", "linear-autoencoder", "Kunin et al. 2019", "directions that are kept", ("eigenvalues",))
FEW = EXPERIMENT._replace(vary={"quick": {"weight_decay": (0.4, 1.5)}}, seeds={"quick": 2})


def saved(learned, predicted, status="done"):
    """A dataset of one quantity, over two cells and two seeds."""
    declared = {"label": "gain", "unit": "", "headline": "compared", "reduce": "mean", "panels": []}
    return xarray.Dataset(
        {
            "learned": (("regime", "lam", "seed", "quantity"), np.reshape(learned, (1, 2, 2, 1)).astype(float)),
            "predicted": (("regime", "lam", "quantity"), np.reshape(predicted, (1, 2, 1)).astype(float)),
            "status": (("regime", "lam", "seed"), np.array([[[status, "done"], ["done", "done"]]], object)),
            "basis": (("regime", "lam"), np.array([["theorem", "ansatz"]], object)),
        },
        coords={"regime": ["only"], "quantity": ["gain"]},
        attrs={"quantities": json.dumps({"gain": declared})},
    )


@pytest.mark.quick
def test_values_are_in_units_of_the_largest_predicted_one():
    first, second = compared_values(saved([[2.0, 2.2], [4.0, 4.0]], [2.0, 4.0]))
    assert (first.quantity, first.predicted, first.learned) == ("gain", 0.5, pytest.approx(0.525, abs=1e-15))
    assert first.spread == pytest.approx(0.1 / 4, abs=1e-15)  # two values, each 0.1 from their mean
    assert first.digits == pytest.approx(-np.log10(0.025), abs=1e-12)
    assert (second.learned, second.spread, second.digits, second.basis) == (1.0, 0.0, 16.0, "ansatz")


@pytest.mark.quick
def test_a_predicted_zero_has_its_own_unit():
    first, _ = compared_values(saved([[1e-3, 1e-3], [0.0, 0.0]], [0.0, 0.0]))
    assert first.learned == 1e-3
    assert first.digits == pytest.approx(3.0, abs=1e-12)


def test_what_diverged_or_is_not_predicted_is_left_out():
    assert [value.learned for value in compared_values(saved([[9.0, 2.0], [4.0, 4.0]], [2.0, 4.0], "diverged"))] == [
        0.5,
        1.0,
    ]
    (only,) = compared_values(saved([[2.0, 2.0], [4.0, 4.0]], [np.nan, 4.0]))
    assert only.predicted == 1.0


@pytest.mark.quick
def test_the_table_says_median_and_least_digits():
    values = values_of(ENTRY._replace(arrays=()), saved([[2.0, 2.2], [4.0, 4.0]], [2.0, 4.0]))
    dataset = atlas_dataset({ENTRY: values}, {ENTRY: 0}, {}, "quick")
    (row,) = table_rows(dataset)
    assert row["digits"] == pytest.approx((16 - np.log10(0.025)) / 2, abs=1e-12)
    assert row["least_digits"] == pytest.approx(-np.log10(0.025), abs=1e-12)
    assert (row["values"], row["basis"]) == (2, "theorem, ansatz")


@pytest.mark.quick
def test_every_entry_names_an_experiment():
    assert {entry.experiment for entry in ENTRIES} == {find_experiment(entry.experiment).name for entry in ENTRIES}
    assert [entry.name for entry in choose_entries("superposition,feature-collapse")] == [
        "feature-collapse",
        "superposition",
    ]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("atlas")


def test_the_command_runs_draws_and_reuses(folder, monkeypatch, capsys):
    monkeypatch.setattr(command, "choose_entries", lambda names: (ENTRY,))
    monkeypatch.setattr(command, "find_experiment", lambda name: FEW)
    assert main(["atlas", "--out", str(folder), "--json", "--quiet"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert rows[0]["basis"] == "theorem"
    assert rows[0]["seconds"] > 0
    assert rows[0]["values"] == 2 * 2 + 2 * 2 * 5  # two quantities of two cells; five directions of each member
    assert {path.name for path in folder.iterdir()} == {
        *("autoencoder", "results.nc", "seconds.json", "atlas.html", "atlas.pdf", "atlas.png"),
    }
    assert load_dataset(folder / "autoencoder").sizes["weight_decay"] == 2
    figures = [str(folder / f"atlas.{kind}") for kind in ("pdf", "png")]
    assert main(["plot", "--check", *figures]) == 0
    assert capsys.readouterr().out.count("that of") == 2
    monkeypatch.setattr("experiments.core.sweep.run_in_folder", None)  # nothing is computed again
    assert main(["atlas", "--out", str(folder), "--json", "--quiet"]) == 0
    assert json.loads(capsys.readouterr().out) == rows


def test_seconds_are_kept_where_another_one_is_run_alone(folder, monkeypatch, capsys):
    monkeypatch.setattr(command, "find_experiment", lambda name: FEW)
    other = ENTRY._replace(name="other")
    for entries in ((other,), (ENTRY, other)):
        monkeypatch.setattr(command, "choose_entries", lambda names, entries=entries: entries)
        assert main(["atlas", "--out", str(folder), "--json", "--quiet"]) == 0
    seconds = {row["phenomenon"]: row["seconds"] for row in json.loads(capsys.readouterr().out.split("]\n")[-2] + "]")}
    assert seconds == {name: time.seconds for name, time in measured_times(folder).items()}
    assert set(seconds) == {"autoencoder", "other"}


@pytest.mark.quick
@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["--only", "superpositions"], "did you mean 'superposition'?"),
        (["--preset", "big"], "preset: expected one of quick, paper, got 'big'"),
    ],
)
def test_bad_input_is_one_line(words, line, capsys):
    assert main(["atlas", *words]) == 2
    error = capsys.readouterr().err
    assert line in error
    assert error.count("\n") == 1
