"""The toy experiment in small: what it learns of a background, and what is refused."""

import numpy as np
import pytest

from experiments.commands.cli import main
from experiments.core.experiment import make_plan
from experiments.core.sweep import run_plan
from experiments.feature_contamination.contamination_toy import CONTAMINATION_TOY, ToyConfiguration
from experiments.registry import find_experiment

TINY = ToyConfiguration(
    core_features=16, background_features=16, input_dim=40, n_examples=200, n_hidden=64, n_steps=200, n_records=4,
    n_evaluation=512,
)  # fmt: skip


@pytest.fixture(scope="module")
def dataset():
    regimes = {f"signed-{name}": TINY.replace(activation=name) for name in ("relu", "tanh")}
    plan = make_plan("tiny", CONTAMINATION_TOY, regimes | {"spheres-relu": TINY.replace(core="spheres")}, [0])
    return run_plan(plan)


def test_a_relu_learns_the_background_and_a_tanh_does_not(dataset):
    learned = dataset.learned.isel(seed=0)
    relu, tanh = (learned.sel(regime=f"signed-{name}") for name in ("relu", "tanh"))
    assert relu.sel(quantity="background_weight") > 0.1
    assert abs(tanh.sel(quantity="background_weight")) < 0.03
    assert relu.sel(quantity="ood_loss") > 10 * relu.sel(quantity="loss")
    assert tanh.sel(quantity="ood_loss") < 2 * tanh.sel(quantity="loss")
    assert np.all(dataset.history_train_loss.isel(record=-1) < dataset.history_train_loss.isel(record=0))


def test_nothing_is_predicted(dataset):
    assert np.all(dataset.basis == "none")
    assert np.isnan(dataset.predicted).all()


def test_the_experiment_has_both_cores_and_five_activations():
    plan = find_experiment("contamination-toy").plan("paper", {})
    settings = {(cell.configuration.core, cell.configuration.activation) for cell in plan.cells}
    assert len(settings) == 10
    assert {cell.configuration.n_steps for cell in plan.cells} == {20_000}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--n-examples 31", "n_examples: expected an even number, half of each label, got 31"),
        ("--input-dim 10", "input_dim: expected at least the 64 features, got 10"),
        ("--optimizer sgd", "optimizer: expected one of adamw"),
        ("--core cube", "core: expected one of signed, spheres, got 'cube'"),
    ],
)
def test_bad_input_is_one_line(tmp_path, capsys, words, message):
    assert main(["run", "contamination-toy", "--out", str(tmp_path / "run"), *words.split()]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert lines[0].startswith(f"simlab: {message}")
