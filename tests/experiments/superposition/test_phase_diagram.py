"""The phase diagram: phases of the best restart, ties, lines, and the grids that are none."""

import numpy as np
import pytest

from experiments.commands.cli import main
from experiments.core.sweep import run_plan
from experiments.registry import find_experiment
from experiments.superposition import phase_diagram_derived
from experiments.superposition.phase_diagram_derived import AGREES, derive
from theory.superposition import minimise_two_features

SMALL = {"active_probability": [1.0, 0.3, 0.05], "importance_ratio": [0.1, 1.0, 5.0]}


@pytest.fixture(scope="module", autouse=True)
def few_points_of_lines():
    """Each point of the exact boundary is found by bisection."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(phase_diagram_derived, "N_LINE", 7)
        yield


@pytest.fixture(scope="module")
def plan():
    overrides = {"n_steps": 400, "n_records": 2, "batch_size": 64, "n_evaluation": 16}
    return find_experiment("phase-diagram").plan("quick", overrides, seeds=3, axes=SMALL)


@pytest.fixture(scope="module")
def dataset(plan):
    return run_plan(plan)


def test_learned_phases_are_the_predicted_ones(dataset):
    cells = dataset.isel(regime=0)
    # p = 1: the more important feature alone; p = 0.05: both; in between by importance.
    assert cells.phase_predicted.sel(active_probability=0.05).values.tolist() == [3, 3, 3]
    assert cells.phase_predicted.sel(active_probability=1.0).values[[0, 2]].tolist() == [1, 2]
    certain = cells.drop_sel(importance_ratio=1.0)  # at p = 1 either feature is as good
    assert np.all(certain.phase == certain.phase_predicted)
    assert cells.median_excess_loss.item() < 1e-3  # 400 steps; 1e-4 is for the preset's 1,000
    assert cells.agreement.item() == np.mean(cells.phase == cells.phase_predicted)
    assert np.sum(cells.note == AGREES) == np.sum(cells.phase == cells.phase_predicted)


def test_predictions_of_the_grid_are_those_of_theory(dataset):
    p, r = np.meshgrid(dataset.active_probability, dataset.importance_ratio, indexing="ij")
    minima = minimise_two_features(p, r)
    np.testing.assert_allclose(dataset.predicted.sel(quantity="loss").isel(regime=0), minima.loss, rtol=1e-9)


def test_a_cell_that_learned_another_phase_is_counted_and_named(dataset, plan):
    worse = dataset.copy(deep=True)
    place = {"regime": 0, "active_probability": 2, "importance_ratio": 1}
    worse.represented[place] = 0.0
    again = derive(worse, plan)
    assert again.phase[place].item() == 0
    n_agreed = int((dataset.phase == dataset.phase_predicted).sum())
    assert again.agreement.item() == pytest.approx((n_agreed - 1) / 9)
    assert "differ" in again.note[place].item()


def test_the_best_restart_is_that_of_the_least_loss(dataset, plan):
    """A restart that is worse may represent anything."""
    changed = dataset.copy(deep=True)
    worst = changed.learned.sel(quantity="loss").isel(regime=0).argmax("seed").values
    for i, j in np.ndindex(3, 3):
        changed.represented[0, i, j, worst[i, j]] = 0.0
    assert np.array_equal(derive(changed, plan).phase, dataset.phase)


def test_the_lines_reach_the_edges_of_the_map_and_differ(dataset):
    ratios = dataset.line_importance_ratio.values
    assert ratios[0] < 0.1
    assert ratios[-1] > 5
    below = dataset.line_importance_ratio < 0.7
    assert np.all(dataset.boundary.where(below, drop=True) > dataset.crossing.where(below, drop=True))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--vary active_probability=0.1", "vary active_probability: expected at least two values"),
        ("--vary importance_ratio=1", "vary importance_ratio: expected at least two values"),
        ("--active-probability 0.1", "vary active_probability: expected at least two values"),
        ("--vary learning_rate=0.1,0.2", "vary: expected no axis besides active_probability and importance_ratio"),
        ("--n-features 3", "n_features: expected 2 in a phase diagram, got 3"),
        ("--nonlinearity linear", "nonlinearity: expected relu in a phase diagram, got 'linear'"),
        ("--vary active_probability=0.5,2", "active_probability: expected a number in (0, 1], got 2.0"),
    ],
)
def test_other_grids_are_refused_in_one_line(tmp_path, capsys, words, message):
    assert main(["run", "phase-diagram", "--out", str(tmp_path / "run"), *words.split()]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert lines[0].startswith(f"simlab: {message}")
