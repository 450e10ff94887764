"""Losses of the margin of the two-layer network with fixed signs, against NumPy."""

import math

import numpy as np
import pytest
from flax import nnx

from simlab.data.sources import FreshExamples
from simlab.losses.margin import Hyperparameters, MarginLoss, mean_weights
from simlab.losses.objective import EvaluationSet, check_hyperparameters
from simlab.networks.specs.signed_units import ACTIVATIONS, SignedUnits
from simlab.sweeps.members import Member
from simlab.sweeps.sweep import train_members
from simlab.tasks.batch import Batch
from simlab.tasks.orthogonal_clusters import OrthogonalClusters
from simlab.tasks.signed_features import SignedFeatures
from simlab.training.spec import TrainingSpec

TASK = SignedFeatures(core_features=3, background_features=2)
VALUES = {
    "relu": lambda h: np.where(h > 0, h, 0.2 * h),
    "gelu": lambda h: h * np.vectorize(lambda value: 0.5 * (1 + math.erf(value / math.sqrt(2))))(h),
    "tanh": np.tanh,
    "linear": lambda h: h,
}


def make_spec(**changes):
    fields = {
        "task": TASK,
        "source": FreshExamples(batch_size=32),
        "network": SignedUnits(n_hidden=4),
        "objective": MarginLoss(loss_function="hinge"),
        "n_steps": 20,
        "steps_per_record": 10,
        "n_evaluation": 64,
    }
    return TrainingSpec(**fields | changes)


@pytest.fixture(scope="module")
def batch():
    rng = np.random.default_rng(0)
    return Batch(rng.standard_normal((6, 5)).astype(np.float32), np.array([0, 1, 1, 0, 1, 0], np.int32))


@pytest.mark.quick
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("loss", ["hinge", "logistic"])
def test_loss_margin_and_accuracy_by_hand(batch, activation, loss):
    spec = make_spec(network=SignedUnits(n_hidden=4, activation=activation), objective=MarginLoss(loss_function=loss))
    hyper = Hyperparameters(0.1, 1.0, 0.2)
    network = spec.network.build(TASK, hyper, dtype=np.float32, rngs=nnx.Rngs(params=0))
    weights = np.asarray(network.weights[...], float)
    signs = np.array([1.0, 1.0, -1.0, -1.0])
    margin = (2 * batch.classes - 1) * (VALUES[activation](batch.inputs @ weights.T) @ signs) / 4
    by_hand = {
        "loss": np.maximum(1 - margin, 0).mean() if loss == "hinge" else np.log1p(np.exp(-margin)).mean(),
        "margin": margin.mean(),
        "accuracy": np.mean(margin > 0),
        "core_weight": np.mean(signs * weights[:, :3].sum(axis=1)) / math.sqrt(3),
        "background_weight": np.mean(weights[:, 3:].sum(axis=1)) / math.sqrt(2),
    }
    flipped = batch._replace(classes=1 - batch.classes)
    sets = {"test": EvaluationSet(batch, True), "ood": EvaluationSet(flipped, True)}
    measured = spec.objective.measure(network, sets, TASK.sample(0), hyper, penalty=0.0, spec=spec)
    assert set(measured) == set(MarginLoss.recorded)
    for name, value in by_hand.items():
        assert float(measured[name]) == pytest.approx(value, abs=1e-5)
    assert float(measured["ood_margin"]) == pytest.approx(-margin.mean(), abs=1e-5)
    assert float(spec.objective.loss(network, batch, TASK.sample(0), hyper, None)) == pytest.approx(
        by_hand["loss"], abs=1e-5
    )


@pytest.mark.quick
def test_an_output_of_zero_is_a_coin_flip(batch):
    spec = make_spec()
    network = spec.network.build(TASK, Hyperparameters(0.1, 1.0, 0.0), dtype=np.float32, rngs=nnx.Rngs(params=0))
    silent = batch._replace(inputs=0 * batch.inputs)
    assert float(spec.objective._evaluate(network, silent, TASK.sample(0))["accuracy"]) == 0.5


def test_mean_weights_are_signed():
    weights = np.array([[1.0, 2.0, 3.0, 0.0, 1.0], [-1.0, -2.0, -3.0, 0.0, 3.0]])
    assert mean_weights(weights, np.array([1.0, -1.0]), 3) == pytest.approx((6 / math.sqrt(3), 2 / math.sqrt(2)))


def test_slopes_and_rotations_train_in_one_sweep_as_they_do_alone():
    """A linear network does not learn the background; a ReLU does. A rotated task is the same task."""
    spec = make_spec(n_steps=40, steps_per_record=40, network=SignedUnits(n_hidden=16))
    members = [Member(spec, Hyperparameters(1.0, 1e-3, slope), 0) for slope in (0.0, 1.0)]
    relu, linear = train_members(members)
    assert relu.last_metrics["background_weight"] > 0.3 * relu.last_metrics["core_weight"] > 0.03
    assert abs(linear.last_metrics["background_weight"]) < 0.05 * linear.last_metrics["core_weight"]
    [alone] = train_members(members[:1])
    np.testing.assert_array_equal(alone.final["weights"], relu.final["weights"])
    rotated = make_spec(
        n_steps=40, steps_per_record=40, network=SignedUnits(n_hidden=16),
        task=SignedFeatures(core_features=3, background_features=2, input_dim=7),
    )  # fmt: skip
    [turned] = train_members([Member(rotated, Hyperparameters(1.0, 1e-3, 0.0), 0)])
    assert turned.final["weights"].shape == (16, 5)
    ratio = turned.last_metrics["background_weight"] / turned.last_metrics["core_weight"]
    assert 0.3 < ratio < 1


@pytest.mark.quick
@pytest.mark.parametrize(
    ("make", "line"),
    [
        (lambda: SignedUnits(n_hidden=3), "n_hidden: expected an even number, half of each sign, got 3"),
        (lambda: SignedUnits(activation="softmax"),
         "activation: expected one of relu, gelu, tanh, linear, got 'softmax'"),
        (lambda: MarginLoss(loss_function="squared"),
         "loss_function: expected one of hinge, logistic, got 'squared'"),
        (lambda: make_spec(source=FreshExamples(batch_size=31)),
         "batch_size: expected an even number, half of each label, got 31"),
        (lambda: make_spec(task=OrthogonalClusters(n_clusters=2, input_dim=4)),
         "objective: expected one for the examples of the task, got 'OrthogonalClusters'"),
        (lambda: check_hyperparameters(MarginLoss(), Hyperparameters(0.1, 1.0, 1.5)),
         "leaky_slope: expected a number from 0 to 1, got 1.5"),
    ],
)  # fmt: skip
def test_bad_input_is_one_line(make, line):
    with pytest.raises(ValueError, match=f"^{line}$"):
        make()


def test_the_network_reads_its_own_task():
    with pytest.raises(ValueError, match=r"^network: expected one that reads the examples of the task, got 'Ortho"):
        SignedUnits().check(OrthogonalClusters(n_clusters=2, input_dim=4), FreshExamples())
