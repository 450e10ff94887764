"""Gain of an autoencoder and flips of a classifier of clusters, learned beside predicted."""

import numpy as np
import pytest

from experiments.commands.cli import main
from experiments.core.experiment import make_plan
from experiments.core.sweep import run_plan
from experiments.registry import find_experiment
from experiments.superposition.adversarial_gain import ADVERSARIAL_GAIN, CLUSTERS, FEATURES, derive
from experiments.superposition.gain_comparison import measure_clusters
from simlab.networks.signed_relu import unit_signs
from simlab.tasks.orthogonal_clusters import OrthogonalClusters

PAIR = FEATURES.replace(n_features=2, n_hidden=1, n_steps=400, n_records=2, n_evaluation=16)
FOUR = CLUSTERS.replace(n_clusters=4, input_dim=16, n_steps=800, n_records=2, n_units=16, n_evaluation=16)


@pytest.fixture(scope="module")
def dataset():
    plan = make_plan("tiny", ADVERSARIAL_GAIN, {"p-0.1": PAIR, "4-clusters": FOUR}, [0, 1, 2])
    return derive(run_plan(plan), plan)


def test_the_gain_is_the_predicted_one(dataset):
    cell = dataset.sel(regime="p-0.1")
    best = cell.learned.sel(quantity="loss").argmin("seed")
    learned = cell.learned.sel(quantity="gain").isel(seed=best).item()
    # The acceptance number of the experiment.
    assert learned == pytest.approx(cell.predicted.sel(quantity="gain").item(), rel=5e-3)
    assert np.isnan(cell.learned.sel(quantity="flip_distance")).all()


def test_labels_flip_at_the_predicted_distance(dataset):
    cell = dataset.sel(regime="4-clusters")
    assert cell.predicted.sel(quantity="flip_distance").item() == 0.5
    for name in ("flip_distance", "flip_distance_largest"):
        # The acceptance number of the experiment, for each seed.
        np.testing.assert_allclose(cell.learned.sel(quantity=name), 0.5, rtol=0.01)
    # The attack along the gradient overestimates the distance by more than that. Units of different signs that are not
    # quite orthogonal bring it below sqrt(2) times, to first order in their cosine.
    gradient = cell.learned.sel(quantity="gradient_attack")
    assert np.all((gradient > 1.01 * 0.5) & (gradient < np.sqrt(1 / 2)))
    # Nearer to the averages than to units of one cluster each, whose cosine is sqrt(1/2).
    assert np.all(cell.learned.sel(quantity="alignment") > (1 + np.sqrt(1 / 2)) / 2)
    assert np.isnan(cell.learned.sel(quantity="gain")).all()


def test_the_averaged_network_is_measured_as_the_theorem_says():
    data = OrthogonalClusters(n_clusters=8, input_dim=10, mean_norm=3.0).sample(0)
    averages = np.stack([data.means[data.classes == label].mean(axis=0) for label in (0, 1)])
    weights = averages[(unit_signs(6) > 0).astype(int)]
    measured = measure_clusters(weights, data)
    expected = {
        "flip_distance": 3 / np.sqrt(8),
        "flip_distance_largest": 3 / np.sqrt(8),
        "gradient_attack": 3 * np.sqrt(2 / 8),
        "alignment": 1.0,
    }
    assert measured == pytest.approx(expected, rel=1e-9)


def test_a_network_that_keeps_clusters_apart_is_not_near_the_averages():
    """A unit for each cluster has the cosine sqrt(1/2) with the average of two."""
    data = OrthogonalClusters(n_clusters=4, input_dim=4).sample(1)
    order = np.argsort(-data.classes, kind="stable")
    measured = measure_clusters(data.means[order], data)
    assert measured["alignment"] == pytest.approx(np.sqrt(1 / 2))


def test_what_is_drawn_against_what(dataset):
    assert dataset.feature_probability.values.tolist()[0] == 0.1
    assert np.isnan(dataset.feature_probability.values[1])
    assert dataset.cluster_count.values[1] == 4
    assert dataset.robust_distance.values[1] == pytest.approx(np.sqrt(1 / 2))


def test_the_experiment_has_both_halves():
    plan = find_experiment("adversarial-gain").plan("quick", {})
    clusters = [cell.configuration.n_clusters for cell in plan.cells]
    assert [k for k in clusters if k] == [4, 8, 16, 32]
    assert {cell.configuration.active_probability for cell in plan.cells if not cell.configuration.n_clusters} >= {
        0.25, 0.2, 0.1, 0.02,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--n-clusters 3", "n_clusters: expected an even number, half of each label, got 3"),
        ("--n-clusters 100", "input_dim: expected at least n_clusters=100 orthogonal directions, got 64"),
        ("--n-units 3", "n_units: expected an even number, half of each sign, got 3"),
        ("--n-units 0", "n_units: expected a whole number of at least 2, got 0"),
        ("--mean-norm 0", "mean_norm: expected a positive finite number, got 0.0"),
        ("--active-probability 2", "active_probability: expected a number in (0, 1], got 2.0"),
    ],
)
def test_bad_input_is_one_line(tmp_path, capsys, words, message):
    assert main(["run", "adversarial-gain", "--out", str(tmp_path / "run"), *words.split()]) == 2
    assert capsys.readouterr().err == f"simlab: {message}\n"
