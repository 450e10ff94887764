"""Networks on signed features beside their prediction: the ratio, each neuron, whole curves, and what is refused."""

import numpy as np
import pytest

from experiments.commands.cli import main
from experiments.core.experiment import make_plan
from experiments.core.sweep import run_plan
from experiments.feature_contamination import contamination_ratio, phase_plane
from experiments.feature_contamination.comparison import explained_share
from experiments.feature_contamination.configuration import NEURONS, ContaminationConfiguration
from experiments.feature_contamination.phenomenon import FEATURE_CONTAMINATION
from experiments.feature_contamination.reference import predict
from experiments.registry import find_experiment
from theory import feature_contamination as contamination

TINY = ContaminationConfiguration(
    core_features=8, n_hidden=64, batch_size=256, n_steps=200, learning_rate=0.8 / 200, n_records=4, n_evaluation=2048
)
WHOLE = TINY.replace(loss="logistic", learning_rate=16 / 200)
REGIMES = {
    "relu": TINY,
    "slope-0.5": TINY.replace(leaky_slope=0.5),
    "linear": TINY.replace(leaky_slope=1.0),
    "neurons": TINY.replace(initial_scale=0.05, reduction=NEURONS),
    "whole": WHOLE,
    "gelu": WHOLE.replace(activation="gelu"),
    "tanh": WHOLE.replace(activation="tanh", input_dim=20),
}


@pytest.fixture(scope="module")
def plan():
    return make_plan("tiny", FEATURE_CONTAMINATION, REGIMES, [0, 1, 2, 3])


@pytest.fixture(scope="module")
def dataset(plan):
    return run_plan(plan)


def values(dataset, regime, quantity):
    cell = dataset.sel(regime=regime, quantity=quantity)
    error = cell.learned.std("seed", ddof=1).item() / 2
    return cell.learned.mean("seed").item(), error, cell.predicted.item()


@pytest.mark.parametrize(("regime", "ratio"), [("relu", 0.7379), ("slope-0.5", 1 / 3), ("linear", 0.0)])
def test_the_ratio_is_the_predicted_one(dataset, regime, ratio):
    """The first step, of 200, gives no background on average: half a per cent; sampling is below five errors."""
    learned, error, predicted = values(dataset, regime, "ratio")
    assert predicted == pytest.approx(ratio, abs=5e-4)
    assert abs(learned - predicted) < 0.01 * predicted + 5 * error
    assert error < 0.005


def test_each_neuron_follows_its_ode(dataset):
    cell = dataset.sel(regime="neurons")
    for name in ("core", "background"):
        # Eight features of each kind are less Gaussian than the 32 of the experiment.
        assert values(dataset, "neurons", f"{name}_r2")[0] > 0.998
        learned, predicted = cell[f"{name}_sums"].values, cell[f"{name}_sums_predicted"].values
        assert np.corrcoef(learned.ravel(), predicted.ravel())[0, 1] > 0.998
        history = cell[f"history_{name}_weight"].values, cell[f"history_{name}_weight_predicted"].values
        np.testing.assert_allclose(*history, atol=0.01)
    assert np.isnan(cell.history_loss_predicted).all()


@pytest.mark.parametrize("regime", ["whole", "gelu", "tanh"])
def test_whole_curves_are_those_of_the_ode(dataset, regime):
    """Acceptance of the experiment: final losses within 5 % in and 1 % out of distribution, here with few features."""
    for name, relative in (("loss", 0.05), ("ood_loss", 0.02), ("core_weight", 0.02), ("margin", 0.02)):
        learned, _, predicted = values(dataset, regime, name)
        assert learned == pytest.approx(predicted, rel=relative), name
        final = dataset.sel(regime=regime)[f"history_{name}_predicted"].isel(record=-1).values
        np.testing.assert_allclose(final, predicted, rtol=1e-5)


def test_only_odd_activations_do_as_well_out_of_distribution(dataset):
    gap = {name: values(dataset, name, "ood_loss")[0] / values(dataset, name, "loss")[0] for name in REGIMES}
    assert gap["whole"] > 2
    assert gap["gelu"] > 2
    assert gap["tanh"] == pytest.approx(1, abs=0.02)
    assert abs(values(dataset, "tanh", "ratio")[0]) < 0.003


def test_derived_curves_and_fields(dataset, plan):
    derived = contamination_ratio.derive(dataset, plan)
    features = contamination.check_features(core_features=8, background_features=8)
    limits = [contamination.contamination_ratio(features, slope) for slope in (0.0, 0.5, 1.0)]
    assert derived.limit_ratio.sel(regime=["relu", "slope-0.5", "linear"]).values == pytest.approx(limits)
    assert derived.leaky_slope_place.values[[0, -1]].tolist() == [0.0, 1.0]
    line = derived.leaky_slope_line.values
    assert (line[0], line[-1]) == pytest.approx((derived.limit_ratio.sel(regime="relu").item(), 0.0))
    assert np.all(np.diff(line) < 0)
    field = phase_plane.derive(dataset, plan).sel(regime="relu")
    network = contamination.AlignedNetwork(loss="hinge")
    point = field.grid_core.values[3], field.grid_background.values[5]
    expected = contamination.aligned_drift(features, network, *point)
    found = field.core_drift.values[5, 3], field.background_drift.values[5, 3]
    assert found == pytest.approx(expected)
    assert np.isnan(phase_plane.derive(dataset, plan).core_drift.sel(regime="neurons")).all()


def test_explained_share():
    learned = np.array([1.0, 2.0, 3.0])
    assert explained_share(learned, learned) == 1
    assert explained_share(learned, np.array([1.0, 2.0, 4.0])) == 0.5
    assert np.isnan(explained_share(np.ones(3), np.ones(3)))


def test_regimes_of_the_experiments():
    rows = find_experiment("contamination-ratio").plan("quick", {})
    assert [cell.configuration.core_features for cell in rows.cells][:7] == [4, 8, 16, 32, 64, 128, 256]
    keys = {cell.spec.compile_key for cell in rows.cells}
    assert len(keys) == 7, "one compilation for each shape"
    plan = find_experiment("feature-contamination").plan("quick", {})
    assert {cell.configuration.loss for cell in plan.cells} == {"hinge", "logistic"}
    assert predict(plan.cells[0].configuration).quantities["core_r2"] == 1


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--batch-size 31", "batch_size: expected an even number, half of each label, got 31"),
        ("--input-dim 10", "input_dim: expected at least the 64 features, got 10"),
        ("--leaky-slope 1.5", "leaky_slope: expected a number in [0, 1], got 1.5"),
        ("--strength-deviation 0", "strength_deviation: expected a positive finite number, got 0.0"),
        ("--n-hidden 7", "n_hidden: expected an even number, half of each sign, got 7"),
        ("--core-mean 0", "core_mean: expected a positive finite number, got 0.0"),
        ("--activation gelu", "activation: expected relu or linear with reduction=neurons, got 'gelu'"),
        ("--activation gelu --reduction aligned", "loss: expected logistic with activation=gelu, got 'hinge'"),
        ("--activation tanh --leaky-slope 0.5", "leaky_slope: expected 0 with activation=tanh, got 0.5"),
        ("--loss squared", "loss: expected one of hinge, logistic, got 'squared'"),
        ("--strengths cauchy", "strengths: expected one of uniform, gaussian, got 'cauchy'"),
        ("--reduction none", "reduction: expected one of aligned, neurons, got 'none'"),
    ],
)
def test_bad_input_is_one_line(tmp_path, capsys, words, message):
    assert main(["run", "feature-contamination", "--out", str(tmp_path / "run"), *words.split()]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert lines[0].startswith(f"simlab: {message}")
    assert not (tmp_path / "run").exists()
