"""Stopping at a small gradient: not at the saddle of zero weights, where it is small as well."""

import pytest

from simlab.data.sources import FixedSample
from simlab.losses.classification import CrossEntropy, Hyperparameters
from simlab.networks.specs import TwoLayer
from simlab.sweeps.members import Member
from simlab.sweeps.sweep import train_members
from simlab.tasks.sentence_task import SentenceTask
from simlab.training.spec import TrainingSpec

pytestmark = pytest.mark.quick

LIMIT = 0.02
SPEC = TrainingSpec(
    task=SentenceTask(n_concepts=3, n_words=6, sentence_length=2, n_classes="all"),
    source=FixedSample(n_examples=36, batch_size="all"),
    network=TwoLayer(embedding_dim=4),
    objective=CrossEntropy(),
    n_steps=300,
    steps_per_record=10,
    n_evaluation=36,
    until_gradient_norm=LIMIT,
)


@pytest.mark.parametrize("scale", [1e-6, 1e-4, 1.0])
def test_a_member_stops_at_its_minimum_and_not_at_zero(scale):
    rates = Hyperparameters(
        learning_rate=2.0, initial_scale=scale, embedding_weight_decay=0.005, classifier_weight_decay=0.005
    )
    above = rates._replace(embedding_weight_decay=0.5, classifier_weight_decay=0.5, learning_rate=0.1)
    run, collapsed = train_members([Member(SPEC, rates, 0), Member(SPEC, above, 0)])
    norms = run.metrics["gradient_norm"][: run.n_segments + 1]
    assert run.status == "converged"
    assert norms[-1] <= LIMIT
    if scale < 1e-3:
        assert norms[0] < LIMIT < norms.max()  # small at the start, then not
    # Above the zero threshold weights end at zero, which is told apart by no small gradient.
    assert collapsed.status == "finished"
