"""Tables, figures and reports of a phenomenon of two quantities that no module knows by name."""

import json

import numpy as np
import pytest

import figures
from experiments.commands.cli import main
from experiments.core.quantity import Certificate, Panel, Quantity, Threshold, check_declarations
from experiments.tables.result import format_result
from experiments.tables.single import format_comparison
from figures.declared import as_shown, certificate_of
from simlab.storage.results import RESULTS_FILE, save_dataset

pytestmark = pytest.mark.quick

AXES = {"importance": [1e-3, 1e-2, 0.1, 1.0], "sparsity": [0.1, 0.5, 0.9]}


def test_a_run_of_unknown_quantities_has_a_table(made_up):
    lines = format_comparison(made_up({}, ("one",))).splitlines()
    assert lines[0] == "one  (polytopes, ansatz; 3 seeds)"
    assert lines[1].split() == ["predicted", "minimum", "learned", "+-", "error", "digits"]
    assert lines[2].split()[:4] == ["phases", "1", "-", "1"]
    assert lines[3].split()[:7] == ["error", "of", "the", "reconstruction", "(bits)", "0.01", "-"]
    assert len(lines) == 4


def test_a_sweep_of_unknown_quantities_has_a_table_and_figures(made_up):
    dataset = made_up(AXES)
    text = format_result(dataset)
    assert text.splitlines()[1].split() == ["phases", "error", "(bits)", "worst"]
    assert text.splitlines()[2].split() == [*AXES, *["predicted", "learned"] * 2, "error"]
    assert figures.figures_of(dataset) == ("sweeps.sweep", "sweeps.map")
    labels = [ax.get_ylabel() for ax in figures.draw("sweeps.sweep", dataset).axes[::2]]
    assert labels == ["phases", "error (bits)", "relative\ndeviation"]
    assert figures.figures_of(made_up({})) == ()


def test_a_sweep_without_headlines_shows_its_first_quantities(made_up):
    plain = {
        name: {"label": name, "unit": "", "headline": "", "reduce": "mean", "panels": []}
        for name in ("phases", "error")
    }
    dataset = made_up({"importance": [1e-3, 1.0]}).assign_attrs(quantities=json.dumps(plain))
    assert "phases" in format_result(dataset)
    assert [ax.get_ylabel() for ax in figures.draw("sweeps.sweep", dataset).axes[::2]] == ["phases", "error"]


def test_a_report_of_unknown_quantities_is_a_page(made_up, tmp_path, capsys):
    save_dataset(made_up(AXES, ("one",)), tmp_path / RESULTS_FILE)
    assert main(["report", str(tmp_path), "--out", str(tmp_path / "page.html")]) == 0
    page = (tmp_path / "page.html").read_text()
    assert "error of the reconstruction" in page
    assert 'class="problem"' not in page
    assert main(["plot", str(tmp_path)]) == 0
    assert {path.name for path in tmp_path.glob("*.png")} == {"sweep.png", "map.png"}


def test_notes_are_printed_with_the_numbers_of_their_thresholds_and_counted(made_up, with_edge):
    note = "importance above the phase edge: nothing is represented"
    single = with_edge(made_up({}, ("one",)))
    single["note"] = single.kind.where(False, note)
    assert "  importance above the phase edge, 0.05: nothing is represented" in format_result(single).splitlines()
    swept = with_edge(made_up(AXES, ("one",)))
    swept["note"] = swept.kind.where(False, "").where(swept.sparsity < 0.8, note)
    assert f"  {note} (in 4 cells)" in format_result(swept).splitlines()


def test_a_certificate_is_a_line_of_the_variables_that_it_names(made_up):
    dataset = made_up({}, ("one",)).assign(
        loss=(("regime", "seed"), [[1.0, 2.0, 3.0]]), slack=(("regime", "seed"), [[0.1, 0.3, np.nan]])
    )
    assert certificate_of(dataset) is None
    named = dataset.assign_attrs(certificate='{"value": "loss", "gap": "slack", "unit": "bits"}')
    assert (
        format_result(named).splitlines()[-1]
        == "  loose bound: the loss, 2 bits, is within 0.3 bits (15 %) of its global minimum"
    )
    assert certificate_of(named.drop_vars("slack")) is None


def best_of_restarts(dataset):
    declared = json.loads(dataset.attrs["quantities"])
    declared["phases"]["reduce"] = "best"
    declared["error"]["reduce"] = "best"
    return dataset.assign_attrs(quantities=json.dumps(declared), best_by="error")


def test_the_best_restart_is_the_one_of_least_error_that_did_not_diverge(made_up):
    dataset = best_of_restarts(made_up({}, ("one", "two")))
    dataset.learned.loc[{"regime": "one", "quantity": "error"}] = [0.03, 0.02, 0.01]
    dataset.learned.loc[{"regime": "one", "quantity": "phases"}] = [1.0, 2.0, 3.0]
    dataset.status.loc[{"regime": "one", "seed": 2}] = "diverged"
    dataset.learned.loc[{"regime": "two"}] = np.nan
    shown = as_shown(dataset)
    np.testing.assert_array_equal(shown.learned.sel(regime="one", quantity="phases"), [np.nan, 2.0, np.nan])
    np.testing.assert_array_equal(shown.learned.sel(regime="one", quantity="error"), [np.nan, 0.02, np.nan])
    assert shown.learned.sel(regime="two").isnull().all()
    phases = format_result(dataset).splitlines()[2].split()
    assert phases[:6] == ["phases", "1", "-", "2", "-", "1.0e+00"]  # no standard error


def test_of_equal_restarts_the_first_counts(made_up):
    dataset = best_of_restarts(made_up({"sparsity": [0.1, 0.9]}, ("one",)))
    dataset["learned"] = dataset.learned * 0 + 2.0
    assert (as_shown(dataset).learned.count("seed") == 1).all()
    (container, *_) = figures.draw("sweeps.sweep", dataset).axes[0].containers
    assert container[0].get_ydata().tolist() == [2.0, 2.0]
    assert not any(len(segment) and np.ptp(segment[:, 1]) for segment in container[2][0].get_segments())


def test_a_dataset_of_an_older_version_names_the_version_that_plots_it(made_up, tmp_path, capsys):
    dataset = made_up(AXES).assign_attrs(simlab_version="0.1.0", git_revision="abc")
    del dataset.attrs["quantities"], dataset.attrs["figures"]
    message = (
        "folder: expected a results.nc of simlab 0.2 or newer, "
        "got one of simlab 0.1.0, revision abc, which can still plot it"
    )
    for act in (format_result, figures.figures_of, lambda old: figures.draw("sweeps.sweep", old)):
        with pytest.raises(ValueError, match=f"^{message}$"):
            act(dataset)
    save_dataset(dataset, tmp_path / RESULTS_FILE)
    assert main(["plot", str(tmp_path)]) == 2
    assert capsys.readouterr().err == f"simlab: {message}\n"


@pytest.mark.parametrize(
    "name", ["os", "talk", "sweeps", "sweeps.arrangement", "../sweep", "sweeps.Sweep", "sweeps..sweep", 3]
)
def test_only_figures_are_imported_by_their_name(made_up, name):
    dataset = made_up(AXES).assign_attrs(figures=json.dumps([name]))
    with pytest.raises(ValueError, match=r"^figures: expected the name of a figure, such as sweeps.sweep, got "):
        figures.figures_of(dataset)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Quantity(label=" "), "label: expected a text that is not empty, got ' '"),
        (lambda: Quantity(label="x", headline="main"), "headline: expected one of , compared, learned, got 'main'"),
        (lambda: Quantity(label="x", reduce="median"), "reduce: expected one of mean, best, got 'median'"),
        (lambda: Panel(label="x", height=0), "height: expected a positive number of inches, got 0"),
        (lambda: Panel(label="x", height=1, scale="logs"), "scale: expected one of free, log, .*did you mean 'log'"),
        (lambda: Panel(label="x", height=1, changes={"edge": "bends"}), "changes: expected one of bend, jump"),
        (lambda: Threshold(label="x", line=(1,)), "line: expected positive lengths of dashes and gaps in turn"),
        (lambda: Certificate(value="a risk", gap="gap", unit=""), "value: expected the name of a member variable"),
    ],
)
def test_a_declaration_checks_itself(make, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        make()


def test_declarations_are_checked_against_each_other():
    panel = Panel(label="x", height=1.0, changes={"edge": "bend"}, undefined_with="y")
    quantities = {"x": Quantity(label="x", panels=(panel,)), "y": Quantity(label="y")}
    check_declarations(quantities, {"edge": Threshold(label="edge")}, None, ["edge"])
    for thresholds, best_by, variables, message in (
        ({"edge": Threshold(label="edge")}, None, ["kind"], "thresholds: expected one of kind, got 'edge'"),
        ({}, None, [], "x: changes: expected one of , got 'edge'"),
        ({"edge": Threshold(label="edge")}, "z", ["edge"], "best_by: expected one of x, y, got 'z'"),
    ):
        with pytest.raises(ValueError, match=f"^{message}"):
            check_declarations(quantities, thresholds, best_by, variables)
    with pytest.raises(ValueError, match=r"^x: expected best_by to name the quantity that selects the best seed, got"):
        check_declarations({"x": Quantity(label="x", reduce="best")}, {}, None, [])
