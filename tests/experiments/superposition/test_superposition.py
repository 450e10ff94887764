"""Autoencoders of sparse features beside their prediction: geometry, loss, the control, and what is refused."""

import itertools

import numpy as np
import pytest

from experiments.commands.cli import main
from experiments.core.experiment import make_plan
from experiments.core.sweep import run_plan
from experiments.registry import find_experiment
from experiments.superposition.configuration import FeatureConfiguration
from experiments.superposition.loss_band import OUTSIDE, add_band
from experiments.superposition.phenomenon import SUPERPOSITION
from experiments.superposition.reference import predict, predict_all
from experiments.tables.result import format_result
from figures.declared import as_shown
from figures.superposition import polygons
from simlab.metrics import superposition as metrics
from theory import superposition

TINY = FeatureConfiguration(n_features=3, n_hidden=2, n_steps=600, n_records=4, batch_size=64, n_evaluation=64)
REGIMES = {
    "three-in-two": TINY,
    "linear": TINY.replace(nonlinearity="linear", importance_ratio=0.5, masks="sampled", batch_size=256),
    "nothing-predicted": TINY.replace(n_features=7, n_hidden=3, n_steps=20, batch_size=4, masks="sampled"),
}
PROBABILITIES = [0.3, 0.1]


@pytest.fixture(scope="module")
def dataset():
    plan = make_plan("tiny", SUPERPOSITION, REGIMES, [0, 1, 2], {"active_probability": PROBABILITIES})
    return run_plan(plan)


def test_three_features_in_two_dimensions_are_a_pair_and_one_of_its_own(dataset):
    """A theorem in the limit p -> 0, and the ansatz here."""
    regime = as_shown(dataset).sel(regime="three-in-two")
    best = {name: regime.learned.sel(quantity=name).max("seed").values for name in ("loss", "dimensionality_error")}
    predicted = regime.predicted.sel(quantity="loss").values
    # Adam ends where the noise of 64 draws in its last steps leaves it: the acceptance numbers of the experiment.
    assert np.all(np.abs(best["loss"] / predicted - 1) < 2e-3)
    assert np.all(best["dimensionality_error"] < 0.02)
    for p in range(2):
        seed = int(
            dataset.learned.sel(regime="three-in-two", quantity="loss").isel(active_probability=p).argmin("seed")
        )
        member = dataset.sel(regime="three-in-two").isel(active_probability=p, seed=seed)
        learned = member.dimensionalities.values[:3]
        np.testing.assert_allclose(np.sort(learned), [0.5, 0.5, 1.0], atol=0.02)
        # Each feature stands beside its own prediction, in the frame of the learned W.
        np.testing.assert_allclose(member.dimensionalities_predicted.values[:3], learned, atol=0.02)
        np.testing.assert_allclose(member.weights_predicted.values[:2, :3], member.weights.values[:2, :3], atol=0.05)


def test_the_loss_is_compared_with_its_limit_where_that_is_known(dataset):
    regime = as_shown(dataset).sel(regime="three-in-two")
    assert regime.predicted.sel(quantity="loss_over_limit").values.tolist() == [1.0, 1.0]
    ratio, loss = (regime.learned.sel(quantity=name).max("seed").values for name in ("loss_over_limit", "loss"))
    np.testing.assert_allclose(ratio, loss / (np.square(PROBABILITIES) / 3), rtol=1e-6)
    others = dataset.sel(regime=["linear", "nothing-predicted"], quantity="loss_over_limit")
    assert np.isnan(others.predicted).all()
    assert np.isnan(others.learned).all()


def test_the_predicted_loss_tends_to_its_limit():
    probabilities = np.array([0.005, 0.01, 0.02])
    ratios = [predict(TINY.replace(active_probability=p)).quantities["loss"] / (p**2 / 3) for p in probabilities]
    slopes = np.diff(np.log(1 - np.array(ratios))) / np.log(2)
    # 1 - ratio is a p + b p^2: slopes are above 1 by about p b/a, and their distance to 1 halves with p.
    assert np.all(np.abs(slopes - 1) < 0.1)
    assert abs(slopes[0] - 1) < abs(slopes[1] - 1)


def test_the_learned_loss_is_that_of_the_learned_network(dataset):
    member = dataset.sel(regime="three-in-two", active_probability=0.1, seed=1)
    weights, bias = member.weights.values[:2, :3], member.bias.values[:3]
    rng = np.random.default_rng(0)
    inputs = rng.random((3, 400_000)) * (rng.random((3, 400_000)) < 0.1)
    errors = np.sum((inputs - np.maximum(weights.T @ weights @ inputs + bias[:, None], 0)) ** 2, axis=0)
    learned = member.learned.sel(quantity="loss").item()
    assert abs(learned - errors.mean()) < 5 * errors.std() / np.sqrt(errors.size)


def test_the_last_record_is_the_mean_over_its_draws(dataset):
    """Each of 64 draws is combined with all masks: five standard errors of their mean."""
    member = dataset.sel(regime="three-in-two", active_probability=0.1, seed=1)
    weights, bias = member.weights.values[:2, :3], member.bias.values[:3]
    values, errors = np.random.default_rng(0).random((3, 10_000)), np.zeros(10_000)
    for mask in itertools.product((0.0, 1.0), repeat=3):
        inputs, n_active = np.array(mask)[:, None] * values, sum(mask)
        residual = inputs - np.maximum(weights.T @ weights @ inputs + bias[:, None], 0)
        errors += 0.1**n_active * 0.9 ** (3 - n_active) * np.sum(residual**2, axis=0)
    last, learned = member.history_loss.values[-1], member.learned.sel(quantity="loss").item()
    assert abs(last - learned) < 5 * errors.std() / np.sqrt(TINY.n_evaluation)


def test_the_linear_network_never_superposes(dataset):
    linear = as_shown(dataset).sel(regime="linear")
    assert np.all(linear.basis == "theorem")
    assert np.all(linear.learned.sel(quantity="n_represented").max("seed") == 2)
    assert np.all(linear.learned.sel(quantity="dimensionality_error").max("seed") < 0.02)
    # The loss is quadratic about its minimum, and weights are within 2 % of it.
    np.testing.assert_allclose(linear.learned.sel(quantity="loss").min("seed"), linear.predicted.sel(quantity="loss"),
                               rtol=5e-3)  # fmt: skip


def test_where_nothing_is_predicted_the_learned_geometry_stands_alone(dataset):
    rare = dataset.sel(regime="nothing-predicted", active_probability=0.1)
    assert rare.basis.item() == "none"
    assert np.isnan(rare.predicted).all()
    assert np.isnan(rare.weights_predicted).all()
    assert np.isfinite(rare.learned.sel(quantity=["loss", "n_represented", "gain"])).all()
    assert "none" in format_result(dataset)


def test_a_feature_is_represented_by_the_same_norm_in_theory_in_training_and_in_figures():
    """Theory, training and figures may not import each other."""
    assert superposition.LEAST_NORM == metrics.LEAST_NORM == polygons.SHORT


def test_a_loss_outside_its_band_is_noted(dataset):
    banded = add_band(dataset)
    ratio = as_shown(dataset).learned.sel(quantity="excess_loss").max("seed") + 1
    np.testing.assert_allclose(banded.loss_ratio, ratio)
    assert np.isnan(banded.loss_ratio.sel(regime="nothing-predicted", active_probability=0.1))
    assert not any(OUTSIDE in note for note in banded.note.sel(regime="three-in-two").values)
    worse = dataset.copy(deep=True)
    worse.learned.loc[{"quantity": "excess_loss", "regime": "three-in-two"}] += 0.01
    notes = add_band(worse).note
    assert all(OUTSIDE in note for note in notes.sel(regime="three-in-two").values)
    assert notes.sel(regime="three-in-two").values[0].startswith(dataset.note.sel(regime="three-in-two").values[0])


def test_predictions_together_and_one_by_one_are_the_same():
    pair = FeatureConfiguration(n_features=2, n_hidden=1)
    configurations = [pair, TINY, pair.replace(importance=(2.0, 0.5)), pair.replace(active_probability=0.5)]
    for together, configuration in zip(predict_all(configurations), configurations, strict=True):
        alone = predict(configuration)
        assert together.kind == alone.kind
        assert "," not in together.kind, "headings list the kinds of several cells with commas"
        for name, value in alone.quantities.items():
            # Both end where the gradient is below 1e-12 of its unit; the loss is flat to its square.
            assert together.quantities[name] == pytest.approx(value, rel=1e-6, abs=1e-9, nan_ok=True), name


def test_a_plan_solves_its_cells_together_once():
    calls = []
    counted = SUPERPOSITION._replace(predict_all=lambda configurations: calls.append(len(configurations)) or
                                     predict_all(configurations))  # fmt: skip
    plan = make_plan("tiny", counted, {"pair": FeatureConfiguration(n_features=2, n_hidden=1)}, [0],
                     {"importance_ratio": [0.5, 1.0, 2.0]})  # fmt: skip
    first, again = plan.predict(), plan.predict()
    assert calls == [3]
    assert all(one is other for one, other in zip(first, again, strict=True))
    assert [cell.prediction for cell in plan.cells] == first


def test_regimes_of_the_experiment_have_predictions_but_one():
    for preset in ("quick", "paper"):
        plan = find_experiment("superposition").plan(preset, {"active_probability": 0.1})
        bases = {cell.regime: prediction.basis for cell, prediction in zip(plan.cells, plan.predict(), strict=True)}
        assert bases.pop("sixty-in-twenty") == "none"
        assert bases == {
            "two-features": "numerical", "three-in-two": "ansatz", "five-in-two": "ansatz", "six-in-three": "ansatz",
            "thirty-in-twenty": "ansatz", "linear": "theorem",
        }  # fmt: skip


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--active-probability 0", "active_probability: expected a number in (0, 1], got 0.0"),
        ("--active-probability 1.5", "active_probability: expected a number in (0, 1], got 1.5"),
        ("--n-features 1", "n_features: expected at least n_hidden=2, got 1: with fewer features than dimensions"),
        ("--n-hidden 0", "n_hidden: expected at least 1, got 0"),
        ("--importance-ratio 0", "importance_ratio: expected a positive finite number, got 0.0"),
        ("--importance 1,0.3", "importance: expected 3 numbers, one for each feature, got 2"),
        ("--importance 1,0.3 --n-features 2 --n-hidden 2 --importance-ratio 2", "importance_ratio: expected 1 where"),
        ("--importance=1,0 --n-features 2 --n-hidden 2 --importance-ratio 1", "importance: expected a positive"),
        ("--nonlinearity tanh", "nonlinearity: expected one of relu, linear, got 'tanh'"),
        ("--vary importance=1,0.5", "vary importance: expected an option of single values, got '1'"),
        ("--masks weighted", "masks: expected sampled or auto for more than 10 features, got 'weighted'"),
        ("--masks some", "masks: expected one of auto, weighted, sampled, got 'some'"),
    ],
)
def test_bad_input_is_one_line(tmp_path, capsys, words, message):
    assert main(["run", "superposition", "--out", str(tmp_path / "run"), *words.split()]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert lines[0].startswith(f"simlab: {message}")
    assert not (tmp_path / "run").exists()
