"""The weighted squared error of an autoencoder: its value by hand, and what a sweep varies without compiling again."""

from dataclasses import replace

import jax
import numpy as np
import pytest
from flax import nnx

from simlab.data.sources import FreshExamples
from simlab.losses.reconstruction import Hyperparameters, Reconstruction, weighted_error
from simlab.networks.specs.autoencoder import Autoencoder
from simlab.sweeps.members import Member
from simlab.sweeps.sweep import Sweep, train_members
from simlab.tasks.sparse_features import SparseExamples, SparseFeatures
from simlab.training.spec import TrainingSpec

RATES = Hyperparameters(learning_rate=0.02, initial_scale=1.0)


def _spec(nonlinearity: str = "relu", **task) -> TrainingSpec:
    task = {"n_features": 2, "active_probability": 0.3, "weights_masks": True} | task
    return TrainingSpec(
        task=SparseFeatures(**task),
        source=FreshExamples(batch_size=16),
        network=Autoencoder(n_hidden=1, nonlinearity=nonlinearity),
        objective=Reconstruction(),
        optimizer="adam",
        n_steps=20,
        steps_per_record=10,
        n_evaluation=64,
    )


@pytest.mark.quick
@pytest.mark.parametrize("nonlinearity", ["relu", "linear"])
def test_the_error_of_drawn_examples_by_hand(nonlinearity):
    spec = _spec(nonlinearity, weights_masks=False, importance=(1.0, 0.5))
    law = jax.tree.map(lambda array: np.asarray(array, np.float32), spec.task.sample(0))
    network = spec.network.build(spec.task, RATES, dtype=np.float32, rngs=nnx.Rngs(params=0))
    network.weights[...], network.bias[...] = np.array([[0.8, -0.5]], np.float32), np.array([-0.1, 0.2], np.float32)
    values, active = np.array([[0.2, 0.9], [0.7, 0.4]], np.float32), np.array([[True, False], [True, True]])
    thresholds = np.where(active, 0.1, 0.6).astype(np.float32)  # p = 0.3
    total = 0.0
    for x in values * active:
        hidden = 0.8 * x[0] - 0.5 * x[1]
        output = np.array([0.8 * hidden - 0.1, -0.5 * hidden + 0.2])
        output = np.maximum(output, 0) if nonlinearity == "relu" else output
        total += ((x[0] - output[0]) ** 2 + 0.5 * (x[1] - output[1]) ** 2) / 2
    error = weighted_error(network, SparseExamples(values, thresholds), law)
    assert abs(float(error) - total) < 1e-6  # a dozen float32 operations on numbers below 1
    loss = Reconstruction().loss(network, SparseExamples(values, thresholds), law, RATES, None)
    assert abs(float(loss) - total / (0.3 * 0.5)) < 1e-5


@pytest.mark.quick
def test_probabilities_importances_and_hyperparameters_share_one_program():
    members = [
        Member(_spec(active_probability=p, importance=(1.0, r)), Hyperparameters(rate, scale), 0)
        for p, r, rate, scale in ((0.3, 1.0, 0.02, 1.0), (0.1, 0.5, 0.01, 0.5))
    ]
    sweep = Sweep(members)
    assert len(sweep.groups) == 1
    runs = train_members(members)
    assert all(run.status == "finished" for run in runs)
    assert not np.allclose(runs[0].final["weights"], runs[1].final["weights"])


def test_a_row_of_the_sweep_is_the_single_run():
    members = [Member(_spec(active_probability=p), RATES, seed) for p in (0.3, 0.1) for seed in range(2)]
    together, alone = train_members(members), train_members([members[3]])
    # Side by side and alone the order of sums differs: float32 rounding over 20 steps of Adam.
    np.testing.assert_allclose(together[3].final["weights"], alone[0].final["weights"], rtol=1e-4, atol=1e-6)


@pytest.mark.quick
def test_bad_networks_are_named():
    spec = _spec()
    with pytest.raises(ValueError, match="n_features: expected at least n_hidden=3, as fewer features need no"):
        replace(spec, network=Autoencoder(n_hidden=3))
    with pytest.raises(ValueError, match="nonlinearity: expected one of relu, linear, got 'tanh'"):
        Autoencoder(n_hidden=1, nonlinearity="tanh")
    with pytest.raises(ValueError, match="n_hidden: expected a whole number of at least 1, got 0"):
        Autoencoder(n_hidden=0)
