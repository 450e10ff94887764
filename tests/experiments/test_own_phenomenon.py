"""A phenomenon of one's own runs through the doors of those of simlab, and breaks its contract in one line."""

import dataclasses
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest
import xarray

from experiments import (
    Configuration,
    Experiment,
    Measured,
    Phenomenon,
    Prediction,
    Quantity,
    Regime,
    Variable,
    main,
    option,
    run,
    standard_comparison,
)
from experiments.examples import linear_autoencoder as example
from simlab.storage.results import load_dataset

ROOT = Path(__file__).parents[2]
FEW = {"vary": {"weight_decay": [0.4, 1.5]}, "seeds": 2}


@pytest.fixture(scope="module")
def dataset():
    return run(example.EXPERIMENT, **FEW)


@pytest.mark.quick
def test_learned_and_predicted_agree_to_eight_digits(dataset):
    """The minimiser computed here from the covariance that each seed draws, by soft thresholding of S^-1."""
    learned = dataset.learned.sel(quantity="risk").isel(regime=0)
    for decay in (0.4, 1.5):
        for seed in (0, 1):
            covariance = example.Covariance(variances=example.Choices().variances).sample(seed)
            values, vectors = np.linalg.eigh(covariance)
            product = vectors * np.maximum(0, 1 - decay / values) @ vectors.T
            residual = np.eye(5) - product
            risk = np.trace(residual @ covariance @ residual.T) / 2 + decay * np.linalg.norm(product, "nuc")
            assert float(learned.sel(weight_decay=decay, seed=seed)) == pytest.approx(risk, rel=1e-8)
    np.testing.assert_allclose(dataset.eigenvalues, dataset.eigenvalues_predicted, atol=1e-6)
    np.testing.assert_allclose(dataset.learned.sel(quantity="rank"), [[[5, 5], [3, 3]]])


@pytest.mark.quick
def test_the_theorem_is_the_minimum_of_the_risk():
    """Against the risk of random perturbations of the predicted minimiser: none is lower."""
    s, rng = np.array(example.Choices().variances), np.random.default_rng(0)
    for decay in (0.4, 1.5):
        prediction = example.predict(example.Choices(weight_decay=decay))
        m = prediction.arrays["eigenvalues"]

        def risk(product, decay=decay):
            residual = np.eye(5) - product
            return np.sum(residual**2 * s) / 2 + decay * np.linalg.norm(product, "nuc")

        least = risk(np.diag(m))
        assert least == pytest.approx(prediction.quantities["risk"], rel=1e-12)
        for scale in (1e-3, 1e-1, 1.0):
            assert all(risk(np.diag(m) + scale * rng.standard_normal((5, 5))) > least for _ in range(20))


@pytest.mark.quick
def test_the_dataset_holds_both_and_says_what_made_it(dataset):
    assert dataset.attrs["experiment"] == "linear-autoencoder"
    assert dataset.attrs["topic"] == dataset.attrs["phenomenon"]
    assert dataset.eigenvalues.dims == ("regime", "weight_decay", "seed", "direction")
    assert set(dataset.basis.values.ravel()) == {"theorem"}
    assert dataset.history_risk.dims == ("regime", "weight_decay", "seed", "record")
    assert dataset.eigenvalues.dtype == np.float64


def test_the_command_prints_a_table_and_draws_the_figures(tmp_path, capsys):
    assert main(example.EXPERIMENT, ["--vary", "weight-decay=0.4,1.5", "--out", str(tmp_path / "run"), "--quiet"]) == 0
    assert "0.4       1.67333  1.673333(0)" in capsys.readouterr().out
    assert {path.name for path in (tmp_path / "run").iterdir()} >= {"results.nc", "shrinkage.pdf", "sweep.png"}
    assert main(example.EXPERIMENT, ["--per-class", "3"]) == 2
    assert "got '--per-class'" in capsys.readouterr().err
    assert main(example.EXPERIMENT, ["--n-hidden", "3", "--out", str(tmp_path / "none")]) == 2
    assert capsys.readouterr().err == "simlab: n_hidden: expected at least 5 hidden units, got 3\n"
    assert not (tmp_path / "none").exists()


def test_a_killed_run_goes_on_and_ends_with_the_same_bits(tmp_path):
    """Killed once its first part is saved; members of four float32 steps each are spread over many parts."""
    words = [sys.executable, "-m", "experiments.examples.linear_autoencoder", "--out", str(tmp_path / "run"), "--quiet",
             "--chunk", "1", "--seeds", "4", "--vary", "weight-decay=0.4,0.6,0.9,1.5", "--dtype", "float32",
             "--optimizer", "sgd", "--learning-rate", "0.05", "--n-steps", "2000", "--no-figures"]  # fmt: skip
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    started = subprocess.Popen(words, env=environment, cwd=tmp_path, stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 100
    while not list(tmp_path.glob("run/parts/*.done")):
        assert started.poll() is None, "the run ended before it was killed"
        assert time.monotonic() < deadline
        time.sleep(0.01)
    started.send_signal(signal.SIGKILL)
    started.wait()
    assert not (tmp_path / "run" / "results.nc").exists()
    subprocess.run(words, env=environment, cwd=tmp_path, check=True, stdout=subprocess.DEVNULL)
    resumed = load_dataset(tmp_path / "run")
    words[words.index(str(tmp_path / "run"))] = str(tmp_path / "whole")
    subprocess.run(words, env=environment, cwd=tmp_path, check=True, stdout=subprocess.DEVNULL)
    xarray.testing.assert_identical(resumed.drop_attrs(), load_dataset(tmp_path / "whole").drop_attrs())


def broken(**changes):
    """Return the example with changes of its phenomenon."""
    phenomenon = example.EXPERIMENT.phenomenon._replace(**changes)
    return example.EXPERIMENT._replace(phenomenon=phenomenon)


def with_objective(**methods):
    """Return the example with another objective."""
    kind = type("Changed", (example.Reconstruction,), methods)

    def make_spec(choices):
        return dataclasses.replace(example.make_spec(choices), objective=kind())

    return broken(make_training_spec=make_spec)


def predict_with(**changes):
    return broken(predict=lambda choices: dataclasses.replace(example.predict(choices), **changes))


def measured_with(**changes):
    def measure(member, run, prediction):
        return dataclasses.replace(example.measure(member, run, prediction), **changes)

    comparison = standard_comparison(
        quantities=example.QUANTITIES, arrays=example.ARRAYS, metrics=example.Reconstruction.recorded, measure=measure
    )
    return broken(load_comparison=lambda: comparison)


FIVE_BY_FIVE = np.ones((5, 5))
BREACHES = {
    "no basis": (predict_with(basis=None), "prediction basis: expected one of theorem, certified, .*, got None"),
    "unknown basis": (predict_with(basis="theorm"), "prediction basis: .* got 'theorm' .did you mean 'theorem'"),
    "missing quantity": (
        predict_with(quantities={"risk": 1.0, "rank": 1}),
        "prediction quantities: expected a value for imbalance, got 'risk, rank'",
    ),
    "missing array": (predict_with(arrays={}), "prediction arrays: expected a value for eigenvalues, got 'none'"),
    "not a number": (
        predict_with(quantities={"risk": np.ones(2), "rank": 1, "imbalance": 0}),
        r"prediction quantities risk: expected a number, got 'an array of shape \(2,\)'",
    ),
    "quantity not measured": (
        measured_with(quantities={"risk": 1.0}),
        "measured quantities: expected a value for rank, got 'risk'",
    ),
    "array of another rank": (
        measured_with(arrays={"eigenvalues": FIVE_BY_FIVE}),
        r"array eigenvalues: expected the dimensions \(direction\), got 'an array of shape \(5, 5\)'",
    ),
    "array of another size": (
        measured_with(predicted={"eigenvalues": np.ones(4)}),
        "array eigenvalues_predicted: expected size 5 along direction, as in eigenvalues, got 4",
    ),
    "undeclared array": (
        measured_with(predicted={"other": np.ones(5)}),
        "measured arrays: expected only the declared .*, got 'other_predicted'",
    ),
    "metric not a scalar": (
        with_objective(measure=lambda self, *args, **options: {"risk": jnp.ones(3)}),
        r"metrics risk: expected a scalar, got 'an array of shape \(3,\)'",
    ),
    "other metrics": (
        with_objective(measure=lambda self, *args, **options: {"rsk": jnp.ones(())}),
        "metrics: expected a mapping with the names risk, got 'rsk'",
    ),
}


@pytest.mark.parametrize("name", BREACHES)
def test_a_broken_contract_is_one_line_before_anything_is_trained(name, tmp_path):
    experiment, message = BREACHES[name]
    with pytest.raises(ValueError, match=f"^{message}"):
        run(experiment, out=tmp_path / "run", **FEW)
    assert not (tmp_path / "run").exists()


@dataclasses.dataclass(frozen=True, kw_only=True)
class Draws(Configuration):
    size: int = option(1000, "numbers drawn")


def mean_of_draws(member, run, prediction):
    drawn = np.random.default_rng(member.seed).standard_normal(member.subject.size)
    error = {"mean": member.subject.size**-0.5}
    return Measured(quantities={"mean": drawn.mean()}, arrays={"draws": drawn[:3]}, sampling_errors=error)


MEASUREMENT = Experiment(
    name="mean-of-draws",
    summary="a measurement without training",
    regimes=(Regime("normal", "", Draws()),),
    phenomenon=Phenomenon(
        name="mean-of-draws",
        configuration=Draws,
        predict=lambda choices: Prediction(basis="theorem", quantities={"mean": 0.0}, arrays={"draws": np.zeros(3)}),
        load_comparison=lambda: standard_comparison(
            quantities={"mean": Quantity(label="mean", headline="compared")},
            arrays={"draws": Variable(("draw",), "first draws")},
            measure=mean_of_draws,
        ),
    ),
    seeds={"quick": 4},
)


def test_a_measurement_needs_no_training(tmp_path, capsys):
    words = ["--vary", "size=100,10000", "--out", str(tmp_path / "run"), "--quiet"]
    assert main(MEASUREMENT, words) == 0
    assert "mean" in capsys.readouterr().out
    dataset = load_dataset(tmp_path / "run")
    assert set(dataset.status.values.ravel()) == {"measured"}
    # Five standard errors.
    assert np.all(np.abs(dataset.learned.values) < 5 * dataset.sampling_error.values)
    assert dataset.sizes["seed"] == 4
    assert main(MEASUREMENT, [*words, "--plan"]) == 0
    assert "8 measurements, nothing is trained" in capsys.readouterr().out
