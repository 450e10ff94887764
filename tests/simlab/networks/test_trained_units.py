"""The two-layer network with biases, and the loss of its margin under AdamW, against NumPy."""

import math

import jax
import numpy as np
import pytest
from flax import nnx

from simlab.data.sources import FixedSample, FreshExamples
from simlab.losses.decayed_margin import DecayedMarginLoss, Hyperparameters
from simlab.losses.objective import EvaluationSet
from simlab.networks.specs.trained_units import ACTIVATIONS, TrainedUnits
from simlab.sweeps.members import Member
from simlab.sweeps.sweep import train_members
from simlab.tasks.batch import Batch
from simlab.tasks.orthogonal_clusters import OrthogonalClusters
from simlab.tasks.signed_features import SignedFeatures
from simlab.training.spec import TrainingSpec

TASK = SignedFeatures(core_features=3, background_features=2)
HYPER = Hyperparameters(1e-2, 1.5, 1e-3)
erf = np.vectorize(math.erf)
VALUES = {
    "relu": lambda h: np.maximum(h, 0),
    "gelu": lambda h: h * 0.5 * (1 + erf(h / math.sqrt(2))),
    "sigmoid": lambda h: 1 / (1 + np.exp(-h)),
    "tanh": np.tanh,
    "linear": lambda h: h,
}


def make_spec(**changes):
    fields = {
        "task": TASK,
        "source": FixedSample(n_examples=20, batch_size="all"),
        "network": TrainedUnits(n_hidden=6),
        "objective": DecayedMarginLoss(),
        "optimizer": "adamw",
        "n_steps": 100,
        "steps_per_record": 50,
        "n_evaluation": 32,
    }
    return TrainingSpec(**fields | changes)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_outputs_and_metrics_by_hand(activation):
    spec = make_spec(network=TrainedUnits(n_hidden=6, activation=activation))
    network = spec.network.build(TASK, HYPER, dtype=np.float32, rngs=nnx.Rngs(params=0))
    names = ("weights", "bias", "output", "output_bias")
    weights, bias, output, constant = (np.asarray(getattr(network, name)[...], float) for name in names)
    assert np.abs(weights).max() <= 1.5 / math.sqrt(5)
    assert np.abs(weights).max() > 0.8 * 1.5 / math.sqrt(5)
    assert np.abs(output).max() <= 1.5 / math.sqrt(6)
    inputs = np.random.default_rng(0).standard_normal((8, 5)).astype(np.float32)
    by_hand = VALUES[activation](inputs @ weights.T + bias) @ output + constant
    np.testing.assert_allclose(network(inputs, TASK.sample(0)), by_hand, atol=1e-5)
    batch = Batch(inputs, (np.arange(8) % 2).astype(np.int32))
    sets = dict.fromkeys(("train", "test", "ood"), EvaluationSet(batch, True))
    measured = spec.objective.measure(network, sets, TASK.sample(0), HYPER, penalty=0.0, spec=spec)
    assert set(measured) == set(DecayedMarginLoss.recorded)
    labels = np.where(np.arange(8) % 2, 1, -1)
    assert float(measured["train_loss"]) == pytest.approx(np.log1p(np.exp(-labels * by_hand)).mean(), abs=1e-5)
    assert float(measured["background_norm"]) == pytest.approx(np.linalg.norm(weights[:, 3:], axis=1).mean(), abs=1e-5)
    core = np.mean(np.sign(output) * weights[:, :3].sum(axis=1)) / math.sqrt(3)
    assert float(measured["core_weight"]) == pytest.approx(core, abs=1e-5)


def test_all_layers_are_trained_and_the_loss_falls():
    [run] = train_members([Member(make_spec(), HYPER, 0)])
    losses = run.metrics["train_loss"]
    assert losses[-1] < 0.2 * losses[0]


def test_spheres_have_the_radius_of_their_label():
    task = SignedFeatures(core_features=3, background_features=2, core="spheres")
    law = jax.tree.map(np.float32, task.sample(0))
    batch = task.draw_evaluation("ood", jax.random.key(0), law, 4000)
    inputs, classes = np.asarray(batch.inputs), np.asarray(batch.classes)
    np.testing.assert_allclose(np.linalg.norm(inputs[:, :3], axis=1), np.where(classes == 1, 1, 2), rtol=1e-5)
    # A coordinate of a uniform direction in three dimensions has the variance 1/3; radii are 1 and 2.
    assert np.all(np.abs(inputs[:, :3].mean(axis=0)) < 5 * math.sqrt(2.5 / 3 / 4000))
    assert np.all(inputs[:, 3:] <= 0)
    assert np.abs(np.corrcoef(inputs.T) - np.eye(5)).max() < 5 / math.sqrt(4000)


@pytest.mark.parametrize(
    ("make", "line"),
    [
        (lambda: TrainedUnits(n_hidden=0), "n_hidden: expected a whole number of at least 1, got 0"),
        (lambda: TrainedUnits(activation="softmax"),
         "activation: expected one of relu, gelu, sigmoid, tanh, linear, got 'softmax'"),
        (lambda: SignedFeatures(core_features=1, background_features=1, core="cube"),
         "core: expected one of signed, spheres, got 'cube'"),
        (lambda: TrainedUnits().check(OrthogonalClusters(n_clusters=2, input_dim=4), FreshExamples()),
         "network: expected one that reads the examples of the task, got 'OrthogonalClusters'"),
    ],
)  # fmt: skip
def test_bad_input_is_one_line(make, line):
    with pytest.raises(ValueError, match=f"^{line}"):
        make()
