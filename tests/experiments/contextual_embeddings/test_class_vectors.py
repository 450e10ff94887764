"""Free class vectors beside their prediction, the time to isotropy, and choices that are refused."""

import numpy as np
import pytest

from experiments.commands.cli import main
from experiments.contextual_embeddings.class_vectors import derived, temperature_derived
from experiments.contextual_embeddings.class_vectors.configuration import ClassConfiguration, ConeConfiguration
from experiments.contextual_embeddings.class_vectors.isotropy_comparison import crossing_time
from experiments.contextual_embeddings.class_vectors.isotropy_time import ISOTROPY_TIME
from experiments.contextual_embeddings.class_vectors.phenomenon import CLASS_VECTORS
from experiments.core.experiment import make_plan
from experiments.core.sweep import run_plan
from figures.contextual_embeddings import class_imbalance, contrastive_batch, contrastive_temperature
from theory import contextual_embeddings as theory

SMALL = ClassConfiguration(n_classes=4, dim=4, batch_size=3, n_steps=40, n_records=2)
REGIMES = {
    "distinct": SMALL,
    "colliding": SMALL.replace(repeats_classes=True),
    "drawn": SMALL.replace(
        repeats_classes=True, negatives="batch", batches_per_step=64, optimizer="sgd", schedule="cosine",
        learning_rate=1.0, n_steps=400, dtype="float32",
    ),
    "uneven": SMALL.replace(batch_size=None, largest_prior=0.6),
    "crowded": SMALL.replace(dim=2),
}  # fmt: skip
CONE = ConeConfiguration(
    n_classes=4, batch_size=4, dim=4, initial_angle=0.2, learning_rate=0.1, n_steps=200, n_records=200
)


@pytest.fixture(scope="module")
def dataset():
    plan = make_plan("tiny", CLASS_VECTORS, REGIMES, [0, 1])
    return derived.derive(run_plan(plan), plan)


@pytest.fixture(scope="module")
def times():
    regimes = {"coarse": CONE, "fine": CONE.replace(learning_rate=0.05, n_steps=400)}
    plan = make_plan("tiny", ISOTROPY_TIME, regimes, [0])
    return temperature_derived.derive(run_plan(plan), plan)


def error(dataset, regime, quantity):
    cell = dataset.sel(regime=regime, quantity=quantity)
    return np.abs(cell.learned - cell.predicted).max().item()


@pytest.mark.parametrize("regime", ["distinct", "colliding", "uneven"])
def test_the_mean_over_all_batches_ends_where_theory_says(dataset, regime):
    assert error(dataset, regime, "loss") < 1e-10
    assert error(dataset, regime, "gram_error") < 1e-4
    assert error(dataset, regime, "anisotropy") < 1e-4


def test_drawn_batches_end_there_too(dataset):
    assert error(dataset, "drawn", "loss") < 1e-3
    assert error(dataset, "drawn", "gram_error") < 0.1
    last = dataset.sel(regime="drawn").history_loss.isel(record=-1).values
    np.testing.assert_allclose(last, dataset.learned.sel(regime="drawn", quantity="loss").values, rtol=1e-5)


def test_too_few_dimensions_are_said_and_the_bound_holds(dataset):
    crowded = dataset.sel(regime="crowded")
    assert crowded.basis.item() == "approximation"
    assert "lower bound" in crowded.note.item()
    assert np.all(crowded.learned.sel(quantity="loss") > crowded.predicted.sel(quantity="loss") + 1e-3)


def test_bases_and_certificates(dataset):
    assert dataset.basis.values.tolist() == ["theorem", "theorem", "theorem", "certified", "approximation"]
    assert dataset.predicted.sel(regime="uneven", quantity="kkt_residual").item() < 1e-8
    assert dataset.floor_anisotropy.values.tolist() == pytest.approx([0, 0, 0, 0.04, 0])


def test_descent_takes_the_time_of_the_flow_up_to_its_step(times):
    errors = (times.learned / times.predicted - 1).isel(seed=0).transpose("regime", "quantity").values
    assert np.all(np.abs(errors) < 0.05)
    np.testing.assert_allclose(errors[1] / errors[0], 0.5, atol=0.05)


def test_the_curve_of_the_flow_is_beside_that_of_descent(times):
    learned, predicted = times.history_mean_cosine.sel(regime="fine"), times.history_mean_cosine_predicted
    assert np.nanmax(np.abs(learned - predicted.sel(regime="fine"))) < 0.01


def test_a_crossing_between_records():
    angles = np.arctan(np.exp(np.linspace(-2, 1, 30)))
    cosines, at = theory.cosine_of_angle(angles, 6), np.linspace(0, 3, 30)
    target = float(theory.cosine_of_angle(np.arctan(np.exp(-0.5)), 6))
    assert crossing_time(at, cosines, target, 6) == pytest.approx(1.5, abs=1e-9)
    assert np.isnan(crossing_time(at, cosines, -0.19, 6))
    assert np.isnan(crossing_time(at, cosines, 0.999, 6))


def test_figures_of_a_run_without_axes(dataset, times):
    assert len(contrastive_batch.draw(dataset).axes) == 2
    assert len(class_imbalance.draw(dataset.sel(regime=["uneven"])).axes) == 1
    figure = contrastive_temperature.draw(times)
    stars = [line for line in figure.axes[0].lines if line.get_marker() == "*"]
    best = [theory.best_temperature(4, 0.2, target)[0] for target in (0.5, 0.1, 0.01)]
    np.testing.assert_allclose([line.get_xdata()[0] for line in stars], best)


@pytest.mark.parametrize(
    ("command", "line"),
    [
        (
            "contrastive-batch --batch-size 7",
            "batch_size: expected at most n_classes=6, as the classes of a batch differ",
        ),
        ("contrastive-batch --negatives all", "negatives: expected one of expected, batch, got 'all'"),
        ("contrastive-batch --largest-prior 0.5", "batch_size: expected none with unequal priors"),
        ("class-imbalance --temperature 0.01", "temperature: expected at least 0.02 with unequal priors, got 0.01"),
        ("class-imbalance --largest-prior 2", "largest_prior: expected a number from 1/n_classes=0.125 to below 1"),
        ("contrastive-temperature --optimizer adam", "optimizer: expected sgd with a constant schedule"),
        ("contrastive-temperature --batch-size 4", "batch_size: expected n_classes=24, each class once, got 4"),
        ("contrastive-temperature --dim 4", "dim: expected at least n_classes=24, for a simplex about an axis, got 4"),
    ],
)
def test_bad_choices_are_one_line(capsys, tmp_path, command, line):
    assert main(["run", *command.split(), "--out", str(tmp_path / "run")]) == 2
    shown = capsys.readouterr().err
    assert shown.startswith(f"simlab: {line}")
    assert shown.count("\n") == 1
