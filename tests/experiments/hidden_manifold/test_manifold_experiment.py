"""Encoders of hidden manifolds beside their prediction, and choices that are refused."""

import json

import numpy as np
import pytest

from experiments.commands.cli import main
from experiments.core.experiment import make_plan
from experiments.core.sweep import run_plan
from experiments.hidden_manifold.comparison import is_folded, population_loss, turn
from experiments.hidden_manifold.configuration import ManifoldConfiguration
from experiments.hidden_manifold.phenomenon import HIDDEN_MANIFOLD
from experiments.hidden_manifold.reference import JUMP, predict
from experiments.hidden_manifold.regimes import derive
from experiments.registry import find_experiment
from simlab.tasks.paired.manifolds import grid_coordinates, sphere_kernel
from theory import hidden_manifold as theory

CIRCLE = ManifoldConfiguration(
    n_points=32, output_dim=3, frequency=1.0, hidden_width=32, n_steps=1000, learning_rate=1e-2, n_records=2
)
CONTRAST = ManifoldConfiguration(
    manifold="sphere", n_points=96, output_dim=4, objective="info-nce", concentration=4.0, hidden_width=8, depth=1,
    n_steps=2, n_records=1, batch_size=8,
)  # fmt: skip


@pytest.fixture(scope="module")
def dataset():
    plan = make_plan("tiny", HIDDEN_MANIFOLD, {"circle": CIRCLE, "contrast": CONTRAST}, [0, 1])
    return derive(run_plan(plan), plan)


def learned(dataset, regime, quantity):
    return dataset.learned.sel(regime=regime, quantity=quantity).values


def test_the_circle_is_found_to_the_accuracy_of_the_issue(dataset):
    """Gram matrix 1e-2, loss 3e-3 above the least, R^2 0.999, on any seed."""
    assert np.all(learned(dataset, "circle", "gram_distance") < 1e-2)
    excess = learned(dataset, "circle", "loss_excess")
    assert np.all((excess > -1e-5) & (excess < 3e-3))
    assert np.all(learned(dataset, "circle", "identified") == 1)
    assert np.all(learned(dataset, "circle", "eigenvalue_error") < 1e-3)
    # 2000 random points: five standard errors.
    assert learned(dataset, "circle", "intrinsic_dimension") == pytest.approx([1, 1], abs=5 / np.sqrt(2000))


def test_embeddings_are_turned_onto_the_predicted_ones(dataset):
    regime = dataset.sel(regime="circle").isel(point=slice(32), dimension=slice(3))
    distance = np.linalg.norm(regime.embeddings - regime.embeddings_predicted, axis=(1, 2))
    assert np.all(distance < 2e-2 * np.linalg.norm(regime.embeddings_predicted[0]))


def test_an_untrained_encoder_is_far_from_the_sphere(dataset):
    assert np.all(learned(dataset, "contrast", "loss_excess") > 0.1)
    assert np.all(learned(dataset, "contrast", "r_squared") < 0.999)
    # A map into more than three dimensions has no degree.
    assert np.all(np.isnan(learned(dataset, "contrast", "folded")))


def test_points_are_in_the_dataset(dataset):
    coordinates = dataset.coordinates.sel(regime="contrast").values[:, :3]
    np.testing.assert_allclose(coordinates, theory.spiral_points(96))
    assert dataset.is_sampled.values.tolist() == [0, 1]


def test_the_loss_of_a_rotation_is_the_predicted_one():
    """Sums over the points are good to 1e-4 with twelve points for each kappa, as the experiment asks for."""
    rotation = np.linalg.qr(np.random.default_rng(0).normal(size=(3, 3)))[0]
    for kappa in (2.0, 8.0, 20.0):
        points = grid_coordinates("sphere", int(12 * kappa) + 8)
        kernel = sphere_kernel(points, kappa, is_folded=False)
        loss = population_loss(points @ rotation, kernel / kernel.sum(), 1 / kappa)
        assert loss == pytest.approx(theory.least_loss(kappa), abs=1e-3)


def test_folds_are_told_from_rotations():
    points = grid_coordinates("sphere", 200)
    assert is_folded(points, -points) == 0
    assert is_folded(points, points * [1, 1, 0] + np.abs(points) * [0, 0, 1]) == 1
    assert np.isnan(is_folded(points, points * np.nan))
    assert np.array_equal(turn(points * np.nan, points), points * np.nan, equal_nan=True)


def test_every_regime_is_predicted():
    cells = {cell.regime: cell.prediction for cell in find_experiment("hidden-manifold").plan("quick", {}).cells}
    assert {name: cell.basis for name, cell in cells.items()} == {
        "circle": "theorem", "torus": "theorem", "sphere": "numerical", "restricted": "numerical",
        "infonce": "theorem", "infonce-4d": "theorem", "infonce-restricted": "none",
    }  # fmt: skip
    identified = {name for name, cell in cells.items() if cell.quantities["identified"] == 1}
    assert identified == {"circle", "torus", "sphere", "infonce", "infonce-4d"}
    assert cells["restricted"].note == JUMP
    assert cells["restricted"].quantities["r_squared"] == pytest.approx(11 / 12, abs=1e-3)
    assert cells["infonce"].quantities["loss"] == theory.least_loss(8.0)
    assert find_experiment("hidden-manifold").plan("paper", {}).cells


@pytest.mark.quick
def test_another_temperature_is_not_predicted():
    prediction = predict(CONTRAST.replace(temperature=1.0))
    assert (prediction.basis, prediction.kind) == ("none", "nothing")
    assert "1/kappa" in prediction.note


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--output-dim 4", "output_dim: expected a number that splits no eigenspace, such as 3 or 5, got 4"),
        ("--objective info-nce", "manifold: expected sphere with InfoNCE of unit embeddings, got 'circle'"),
        ("--objective info-nce --manifold sphere --output-dim 2", "output_dim: expected at least 3"),
        ("--objective info-nce --manifold sphere --concentration 100", "n_points: expected at least 12 kappa = 1200"),
        ("--objective spectral --temperature 1", "temperature: expected none with the spectral loss, got 1.0"),
        ("--objective spectral --support folded", "support: expected full on the circle, got 'folded'"),
        ("--n-points 50", "n_points: expected a square number on the torus, got 50"),
        ("--observed-dim 0", "observed_dim: expected a whole number of at least 1, got 0"),
        ("--batch-size 1", "batch_size: expected at least 2"),
        ("--optimizer lbfgs --schedule constant", "batch_size: expected 'all' with optimizer=lbfgs"),
    ],
)
def test_bad_choices_are_one_line(tmp_path, capsys, words, message):
    assert main(["run", "hidden-manifold", *words.split(), "--out", str(tmp_path / "run")]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert lines[0].startswith(f"simlab: {message}")


# --- simlab predict ---


@pytest.mark.quick
@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ("", lambda: theory.predict()),
        (
            "--manifold torus --output-dim 7 --width 0.3",
            lambda: theory.predict(manifold="torus", output_dim=7, width=0.3),
        ),
        ("--manifold sphere --n-points 50", lambda: theory.predict(manifold="sphere", output_dim=4, n_points=50)),
        (
            "--manifold sphere --support folded",
            lambda: theory.predict(manifold="sphere", output_dim=6, support="folded"),
        ),
        (
            "--manifold sphere --objective info-nce --batch-size 64 --concentration 5",
            lambda: theory.predict_contrast(concentration=5.0, batch_size=64),
        ),
    ],
)
def test_json_is_what_python_returns(capsys, options, expected):
    assert main(["predict", "hidden-manifold", *options.split(), "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    shown.pop("task")
    assert shown == expected().to_json()


@pytest.mark.quick
def test_the_table_has_a_line_for_each_eigenfunction(capsys):
    assert main(["predict", "hidden-manifold", "--output-dim", "4"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "task: manifold=circle width=0.5 output_dim=4"
    assert any("3 or 5 cuts none" in line for line in lines)
    assert [line.split()[0] for line in lines[-4:]] == ["1", "2", "3", "4"]


@pytest.mark.quick
@pytest.mark.parametrize(
    ("options", "line"),
    [
        ("--manifold klein", "manifold: expected one of circle, torus, sphere, got 'klein'"),
        ("--objective info-nce", "manifold: expected sphere with objective info-nce, got 'circle'"),
        (
            "--manifold sphere --objective info-nce --n-points 9",
            "n_points: expected none with objective info-nce, got 9",
        ),
        ("--temperature 1", "temperature: expected none with the spectral loss, got 1.0"),
        ("--output-dim 0", "output_dim: expected at least 1, got 0"),
        ("--width -1", "width: expected a positive finite number, got -1.0"),
    ],
)
def test_bad_options_are_one_line(capsys, options, line):
    assert main(["predict", "hidden-manifold", *options.split()]) == 2
    assert capsys.readouterr().err == f"simlab: {line}\n"
