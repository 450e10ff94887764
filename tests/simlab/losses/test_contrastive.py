"""Contrastive losses by hand, pair by pair; their limit of many negatives; and what they refuse."""

from dataclasses import replace

import jax
import numpy as np
import pytest
from flax import nnx

from simlab.data.sources import FreshExamples, Population
from simlab.losses.contrastive import ExpectedContrastive, Hyperparameters, InfoNCE, SpectralContrastive
from simlab.networks.specs.linear_encoder import LinearEncoder
from simlab.sweeps.members import Member
from simlab.sweeps.sweep import Sweep, train_members
from simlab.tasks.paired.gaussian_pairs import GaussianPairs
from simlab.tasks.pairs import ViewPair
from simlab.tasks.sparse_features import SparseFeatures
from simlab.training.spec import TrainingSpec

TASK = GaussianPairs(variances=(0.5, 1.0, 1.5), augmentation_ratios=(0.3, 1.0, 2.0), views=2)
HYPER = Hyperparameters(learning_rate=0.1, initial_scale=0.6, weight_decay=0.0, temperature=0.7)
SPEC = TrainingSpec(
    task=TASK,
    source=FreshExamples(batch_size=16),
    network=LinearEncoder(output_dim=4),
    objective=InfoNCE(),
    n_steps=4,
    steps_per_record=2,
    n_evaluation=16,
)


@pytest.fixture(scope="module")
def network():
    return SPEC.network.build(TASK, HYPER, dtype=np.float32, rngs=nnx.Rngs(params=0))


@pytest.fixture(scope="module")
def batch():
    normal = np.random.default_rng(0).normal(size=(2, 6, 3)).astype(np.float32)
    return ViewPair(normal[0], normal[0] + normal[1])


def similarity(name, z, other):
    """The logarithm of the similarity of two embeddings, times tau."""
    if name == "distance":
        return -np.sum((z - other) ** 2) / 2
    if name == "cosine":
        return z @ other / (np.linalg.norm(z) * np.linalg.norm(other))
    return z @ other


def by_hand(name, negatives, anchors, partners):
    """The mean over anchors, each against its partner and the other embeddings of one side."""
    others = {"first": [anchors], "second": [partners], "both": [anchors, partners]}[negatives]
    total = 0.0
    for i, z in enumerate(anchors):
        positive = similarity(name, z, partners[i]) / 0.7
        scores = [similarity(name, z, other) / 0.7 for side in others for j, other in enumerate(side) if j != i]
        total += np.log(sum(np.exp(scores)) + np.exp(positive)) - positive
    return total / len(anchors) - np.log(len(others) * (len(anchors) - 1))


@pytest.mark.quick
@pytest.mark.parametrize("is_two_sided", [False, True])
@pytest.mark.parametrize("negatives", ["first", "second", "both"])
@pytest.mark.parametrize("name", ["distance", "dot", "cosine"])
def test_info_nce_by_hand(network, batch, name, negatives, is_two_sided):
    objective = InfoNCE(similarity=name, negatives=negatives, is_two_sided=is_two_sided)
    weights = np.asarray(network.weights[...], float)
    first, second = batch.first @ weights.T, batch.second @ weights.T
    expected = by_hand(name, negatives, first, second)
    if is_two_sided:
        expected = (expected + by_hand(name, negatives, second, first)) / 2
    # some dozen float32 operations on numbers below 10
    assert float(objective.loss(network, batch, None, HYPER, None)) == pytest.approx(expected, abs=1e-5)


@pytest.mark.quick
def test_the_spectral_loss_by_hand(network, batch):
    weights = np.asarray(network.weights[...], float)
    first, second = batch.first @ weights.T, batch.second @ weights.T
    views = np.concatenate([first, second])
    expected = np.mean([(a @ b) ** 2 for a in views for b in views]) - 2 * np.mean(np.sum(first * second, axis=1))
    assert float(SpectralContrastive().loss(network, batch, None, HYPER, None)) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("name", ["distance", "dot"])
@pytest.mark.parametrize("views", [1, 2])
def test_many_negatives_have_the_expected_loss(network, name, views):
    task = replace(TASK, views=views)
    law = jax.tree.map(lambda array: np.asarray(array, np.float32), task.sample(0))
    hyper = HYPER._replace(temperature=2.0)  # so that the mean over negatives has a small variance
    objective = InfoNCE(similarity=name, negatives="first" if views == 1 else "second")
    losses = [
        float(objective.loss(network, task.draw(jax.random.key(seed), law, 512), law, hyper, None))
        for seed in range(16)
    ]
    expected = float(ExpectedContrastive(similarity=name).loss(network, task.population(law), law, hyper, None))
    error = 5 * np.std(losses, ddof=1) / 4
    assert abs(np.mean(losses) - expected) < error + 3 / 512  # the excess of a batch is of order 1/511
    assert error < 0.05


def test_zero_vectors_have_a_cosine_and_a_gradient(network, batch):
    empty = ViewPair(np.zeros_like(batch.first), batch.second)
    graph, state = nnx.split(network)
    loss = lambda state: InfoNCE(similarity="cosine").loss(nnx.merge(graph, state), empty, None, HYPER, None)  # noqa: E731
    value, gradient = jax.value_and_grad(loss)(state)
    assert np.isfinite(value)
    assert all(np.all(np.isfinite(leaf)) for leaf in jax.tree.leaves(gradient))


def test_laws_and_hyperparameters_share_one_program():
    other = replace(SPEC, task=replace(TASK, law_seed=3, variances=(1.0, 2.0, 3.0)))
    members = [Member(SPEC, HYPER, 0), Member(other, HYPER._replace(temperature=2.0, weight_decay=0.1), 1)]
    assert len(Sweep(members).groups) == 1
    runs = train_members(members)
    assert [run.status for run in runs] == ["finished", "finished"]


SPARSE = SparseFeatures(n_features=3)


@pytest.mark.quick
@pytest.mark.parametrize(
    ("changes", "line"),
    [
        (
            {"source": FreshExamples(batch_size=1)},
            "batch_size: expected at least 2, so that there are negatives, got 1",
        ),
        ({"objective": SpectralContrastive()}, "n_pairs: expected a data set used as one batch"),
        ({"objective": ExpectedContrastive()}, "source: expected the population of Gaussian pairs"),
        ({"task": SPARSE}, "objective: expected one for the examples of the task, not InfoNCE"),
        (
            {"task": replace(TASK, n_pairs=5), "source": Population(), "objective": ExpectedContrastive()},
            "source: expected the population of Gaussian pairs",
        ),
    ],
)
def test_what_does_not_fit_is_named(changes, line):
    with pytest.raises(ValueError, match=f"^{line}"):
        replace(SPEC, **changes)


def test_bad_names_are_named():
    with pytest.raises(ValueError, match=r"^similarity: expected one of distance, dot, cosine, got 'euclid'"):
        InfoNCE(similarity="euclid")
    with pytest.raises(ValueError, match=r"^negatives: expected one of first, second, both"):
        InfoNCE(negatives="third")
    with pytest.raises(ValueError, match=r"^similarity: expected one of distance, dot, spectral"):
        ExpectedContrastive(similarity="cosine")
    with pytest.raises(ValueError, match=r"^output_dim: expected a whole number of at least 1, got 0"):
        LinearEncoder(output_dim=0)
