"""The cross-entropy of uncertain labels: against NumPy, and against that of certain labels."""

import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import log_softmax

from simlab.data.sources import Population
from simlab.losses.classification import CrossEntropy
from simlab.losses.cross_entropy import cross_entropy
from simlab.losses.soft_cross_entropy import SoftCrossEntropy, soft_cross_entropy
from simlab.networks.specs import FreeFeatures
from simlab.tasks.batch import Batch
from simlab.tasks.labelled_samples import LabelledTask
from simlab.tasks.soft_labels import SoftLabels, SoftLabelTask, as_rows, tree_targets
from simlab.training.spec import TrainingSpec

pytestmark = pytest.mark.quick

LOGITS = np.random.default_rng(0).standard_normal((8, 4)).astype(np.float32)
CLASSES = np.repeat(np.arange(4), 2).astype(np.int32)
BATCH = Batch(jnp.asarray(LOGITS), jnp.asarray(CLASSES))
# Eight sums of four float32 terms of order one.
ROUNDING = 32 * float(np.finfo(np.float32).eps)


def loss(targets):
    data = SoftLabels(CLASSES[:, None], None, jnp.asarray(targets, jnp.float32))
    return float(soft_cross_entropy(lambda logits: logits, BATCH, data))


def test_it_is_the_mean_over_samples():
    targets = tree_targets(2, 2, (0.8, 0.5))
    expected = -np.mean(np.sum(targets[CLASSES] * log_softmax(LOGITS.astype(float), axis=1), axis=1))
    assert loss(targets) == pytest.approx(expected, abs=ROUNDING)


def test_certain_labels_give_the_ordinary_cross_entropy():
    assert loss(np.eye(4)) == pytest.approx(float(cross_entropy(lambda logits: logits, BATCH)), abs=ROUNDING)


def test_objectives_and_tasks_must_fit():
    fields = {"source": Population(), "network": FreeFeatures(feature_dim=3), "n_steps": 2, "steps_per_record": 1}
    soft = SoftLabelTask(factor_sizes=4, samples_per_cell=2, targets=as_rows(np.eye(4)))
    TrainingSpec(task=soft, objective=CrossEntropy(), **fields)
    TrainingSpec(task=soft, objective=SoftCrossEntropy(), **fields)
    certain = LabelledTask(factor_sizes=4, samples_per_cell=2)
    with pytest.raises(ValueError, match=r"^objective: expected one for the labels of the task, which are certain"):
        TrainingSpec(task=certain, objective=SoftCrossEntropy(), **fields)
