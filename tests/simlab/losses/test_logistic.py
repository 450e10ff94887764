"""The logistic loss of the two-layer classifier with fixed signs, against NumPy."""

import numpy as np
import pytest
from flax import nnx

from simlab.data.sources import FreshExamples
from simlab.losses.logistic import Hyperparameters, Logistic
from simlab.metrics.label_flips import outputs
from simlab.networks.signed_relu import unit_signs
from simlab.networks.specs.signed_relu import SignedReLU
from simlab.sweeps.members import Member
from simlab.sweeps.sweep import train_members
from simlab.tasks.batch import Batch
from simlab.tasks.orthogonal_clusters import OrthogonalClusters
from simlab.training.spec import TrainingSpec

pytestmark = pytest.mark.quick

TASK = OrthogonalClusters(n_clusters=4, input_dim=8)


def test_the_loss_by_hand():
    network = SignedReLU(n_hidden=4).build(TASK, Hyperparameters(1.0, 1.0), dtype=np.float32, rngs=nnx.Rngs(params=0))
    weights = np.asarray(network.weights[...], np.float64)
    inputs, classes = np.random.default_rng(0).standard_normal((5, 8)).astype(np.float32), np.array([0, 1, 1, 0, 1])
    values = outputs(weights, unit_signs(4), inputs)
    by_hand = np.mean(np.log1p(np.exp(-np.where(classes == 1, 1, -1) * values)))
    assert abs(float(Logistic().loss(network, Batch(inputs, classes), None, None, None)) - by_hand) < 1e-5


def test_a_short_run_learns_the_labels():
    spec = TrainingSpec(
        task=TASK,
        source=FreshExamples(batch_size=32),
        network=SignedReLU(n_hidden=8),
        objective=Logistic(),
        n_steps=200,
        steps_per_record=100,
        n_evaluation=64,
    )
    [run] = train_members([Member(spec, Hyperparameters(3.0, 1e-2), 0)])
    data = TASK.sample(0)
    assert np.all((outputs(run.final["weights"], unit_signs(8), data.means) > 0) == (data.classes == 1))


def test_bad_input_is_named():
    with pytest.raises(ValueError, match="n_hidden: expected an even number, half of each sign, got 3"):
        SignedReLU(n_hidden=3)
