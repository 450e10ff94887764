"""Hierarchical labels from the command line and from training to the dataset."""

import json

import numpy as np
import pytest

from experiments import run
from experiments.commands.cli import main
from experiments.hierarchy.labels_configuration import LabelConfiguration
from experiments.registry import find_experiment
from figures import draw
from theory import hierarchy

FLAGS = "--branching 2 --depth 3 --level-eigenvalues 0.94,0.87,0.68 --samples-per-leaf 4"
DECAYS = "--feature-weight-decay 0.045 --classifier-weight-decay 0.045"


@pytest.fixture(scope="module")
def dataset():
    """Two regimes at a weight decay below all thresholds, between the two last ones, and above all."""
    experiment = find_experiment("hierarchical-labels")
    wanted = [regime for regime in experiment.regimes if regime.name in ("binary-tree", "cyclic-confusions")]
    small = experiment._replace(regimes=tuple(wanted))
    return run(small, vary={"weight_decay": [0.02, 0.045, 0.065]}, seeds=1, n_steps=200)


@pytest.mark.quick
def test_json_is_what_python_returns(capsys):
    assert main(["predict", "hierarchical-labels", *FLAGS.split(), *DECAYS.split(), "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    prediction = hierarchy.predict_labels(feature_weight_decay=0.045, classifier_weight_decay=0.045,
                                          level_eigenvalues=(0.94, 0.87, 0.68))  # fmt: skip
    assert printed == prediction.to_json()
    assert {"thresholds", "resolved", "level_strengths", "rank", "risk", "basis"} <= printed.keys()
    np.testing.assert_allclose(printed["thresholds"], [0.1175, 0.10875, 0.085], rtol=1e-14)
    assert printed["resolved"] == [True, True, False]
    assert (printed["rank"], printed["basis"]) == (3, "theorem")


def test_the_table_has_a_line_for_each_level(capsys):
    assert main(["predict", "hierarchical-labels", "--cyclic-confusion", "0.15"]) == 0
    printed = capsys.readouterr().out
    assert "targets are not those of a tree: the convex problem, solved and certified" in printed
    assert [line.split()[0] for line in printed.splitlines()[-3:]] == ["1", "2", "3"]


@pytest.mark.quick
@pytest.mark.parametrize(
    ("words", "line"),
    [
        ("--branching 1", "branching: expected at least 2, got 1"),
        ("--depth 0", "depth: expected at least 1, got 0"),
        ("--level-eigenvalues 0.1,0.5,0.9", "level_eigenvalues: expected numbers that fall"),
        ("--level-eigenvalues 1.2,0.5,0.1", "level_eigenvalues: expected numbers that fall from 1 at most"),
        ("--depth 2", "level_eigenvalues: expected 2 numbers, one for each level, got 3"),
        ("--cyclic-confusion 0.6", "cyclic_confusion: expected a number from 0 to 0.5, got 0.6"),
        ("--cyclic-confusion 0.1 --level-eigenvalues 0.9,0.5,0.1", "cyclic_confusion: expected none with"),
        ("--samples-per-leaf 0", "samples_per_leaf: expected at least 1, got 0"),
        ("--feature-weight-decay 0", "feature_weight_decay: expected a positive finite number, got 0.0"),
        ("--feature-dim 6", "feature_dim: expected at least 7, the rank of the minimiser, got 6"),
    ],
)
def test_bad_input_is_one_line(capsys, words, line):
    assert main(["predict", "hierarchical-labels", *words.split()]) == 2
    printed = capsys.readouterr().err
    assert printed.startswith(f"simlab: {line}")
    assert printed.count("\n") == 1


def test_a_sweep_refuses_what_theory_cannot_take(capsys, tmp_path):
    words = ["run", "hierarchical-labels", "--feature-dim", "5", "--out", str(tmp_path / "run")]
    assert main(words) == 2
    assert "feature_dim: expected at least 7, the rank of the minimiser, got 5" in capsys.readouterr().err


def test_training_ends_in_the_predicted_geometry(dataset):
    """L-BFGS in float64 ends within 1e-9 of the Gram matrix, here within 1e-8 of the level strengths (nats)."""
    tree = dataset.sel(regime="binary-tree").isel(seed=0)
    np.testing.assert_allclose(tree.level_strengths, tree.level_strengths_predicted, atol=1e-8)
    np.testing.assert_array_equal(tree.learned.sel(quantity="rank"), [7, 3, 0])
    np.testing.assert_array_equal(tree.learned.sel(quantity="n_resolved"), [3, 2, 0])
    assert (tree.learned.sel(quantity="gram_distance")[:2] <= 1e-9).all()
    assert tree.learned.sel(quantity="step_cosine")[0] <= 1e-8
    assert list(tree.basis.values) == ["theorem"] * 3


def test_other_targets_are_solved_and_learned(dataset):
    cyclic = dataset.sel(regime="cyclic-confusions").isel(seed=0)
    assert list(cyclic.basis.values) == ["certified"] * 3
    np.testing.assert_allclose(cyclic.logits, cyclic.logits_predicted, atol=1e-7)
    assert (cyclic.learned.sel(quantity="tree_deviation")[:2] > 0.05).all()


def test_the_dataset_has_the_staircase(dataset):
    assert dataset.joint_decay.isel(regime=0).values == pytest.approx([0.04, 0.09, 0.13])
    at_threshold = dataset.line_strengths.sel(regime="binary-tree").isel(level=2)
    resolved = dataset.line_decay < dataset.level_thresholds.sel(regime="binary-tree").isel(level=2)
    np.testing.assert_array_equal(at_threshold > 0, resolved)


@pytest.mark.parametrize("name", ["staircase", "label_tree", "orthogonality"])
def test_figures_are_drawn(dataset, name):
    figure = draw(f"hierarchy.{name}", dataset)
    assert all(ax.lines for ax in figure.axes)


def test_the_tree_is_found_in_the_vectors(dataset):
    cell = dataset.sel(regime="binary-tree").isel(seed=0, weight_decay=0)
    np.testing.assert_allclose(cell.merges[:, 2], cell.merges_predicted[:, 2], rtol=1e-7)
    pairs = {tuple(sorted(pair)) for pair in cell.merges[:4, :2].values.astype(int).tolist()}
    assert pairs == {(0, 1), (2, 3), (4, 5), (6, 7)}


def test_defaults_of_both_doors_agree():
    configuration = LabelConfiguration()
    prediction = hierarchy.predict_labels(level_eigenvalues=configuration.level_eigenvalues)
    assert prediction.decay == pytest.approx(0.02 * configuration.samples_per_leaf**0.5)


@pytest.mark.parametrize("vary", [{}, {"feature_weight_decay": [0.02, 0.05]}, {"feature_dim": [8, 9]}])
@pytest.mark.parametrize("name", ["staircase", "label_tree", "orthogonality"])
def test_other_sweeps_are_drawn(small_runs, vary, name):
    assert draw(f"hierarchy.{name}", small_runs(tuple(vary.items()))).axes


@pytest.fixture(scope="module")
def small_runs():
    """Runs of a few steps at one weight decay, over another axis or none, each once."""
    experiment = find_experiment("hierarchical-labels")
    small = experiment._replace(regimes=experiment.regimes[:1], vary={})
    made = {}

    def get(vary):
        key = repr(vary)
        if key not in made:
            made[key] = run(small, vary=dict(vary), seeds=1, n_steps=4, optimizer="adam")
        return made[key]

    return get
