"""Population InfoNCE by hand and as the mean over batches, the encoders of symbols, and what is refused."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from simlab.data.sources import FreshExamples, Population
from simlab.losses.contrastive import InfoNCE
from simlab.losses.expected_info_nce import ExpectedInfoNCE, Hyperparameters, expected_info_nce, score_table
from simlab.networks.encoders.symbols import FreeSymbols, SymbolMLP, TwoEncoders
from simlab.networks.specs.symbol_encoder import SymbolEncoder
from simlab.sweeps.members import Member
from simlab.sweeps.sweep import train_members
from simlab.tasks.paired.cooccurrence import GivenWorld, RingWorld
from simlab.tasks.paired.gaussian_pairs import GaussianPairs
from simlab.tasks.pairs import ViewPair
from simlab.training.spec import TrainingSpec

TABLE = np.array([[4.0, 1.0, 1.0], [1.0, 3.0, 5.0]]) / 15
HYPER = Hyperparameters(learning_rate=0.1, initial_scale=0.7, temperature=0.5)
WORLD = RingWorld(n_events=6)
SPEC = TrainingSpec(
    task=WORLD,
    source=Population(),
    network=SymbolEncoder(output_dim=4),
    objective=ExpectedInfoNCE(),
    n_steps=4,
    steps_per_record=2,
    n_evaluation=1,
)


def by_hand(table, scores):
    total = 0.0
    for a in range(len(table)):
        sums = sum(table[:, b].sum() * np.exp(scores[a, b]) for b in range(table.shape[1]))
        for b in range(table.shape[1]):
            total += table[a, b] * (np.log(table.shape[1] * sums) - scores[a, b])
    return total


@pytest.mark.quick
@pytest.mark.parametrize("is_two_sided", [False, True])
def test_the_loss_by_hand(is_two_sided):
    scores = np.random.default_rng(0).normal(size=(2, 3))
    sides = [by_hand(TABLE, scores), by_hand(TABLE.T, scores.T)]
    expected = np.mean(sides) if is_two_sided else sides[0]
    value = expected_info_nce(jnp.asarray(TABLE), jnp.asarray(scores), is_two_sided=is_two_sided)
    assert float(value) == pytest.approx(expected, rel=1e-6)


@pytest.mark.quick
def test_of_both_sides_the_least_scores_are_pmi_up_to_one_constant():
    """The gradient vanishes there, and a constant of a row or column moves one side of the two."""
    pmi = np.log(TABLE / np.outer(TABLE.sum(axis=1), TABLE.sum(axis=0)))
    slope = jax.jit(jax.grad(lambda scores: expected_info_nce(jnp.asarray(TABLE), scores, is_two_sided=True)))
    assert np.abs(slope(jnp.asarray(pmi + 0.3))).max() < 1e-6
    assert np.abs(slope(jnp.asarray(pmi + np.array([[0.3], [0.0]])))).max() > 1e-3


@pytest.mark.parametrize("similarity", ["dot", "cosine", "distance"])
def test_similarities_pair_by_pair(similarity):
    first, second = np.random.default_rng(1).normal(size=(2, 3, 4))
    table = score_table(jnp.asarray(first), jnp.asarray(second), similarity)
    for a, z in enumerate(first):
        for b, other in enumerate(second):
            expected = {
                "dot": z @ other,
                "cosine": z @ other / np.linalg.norm(z) / np.linalg.norm(other),
                "distance": -np.sum((z - other) ** 2) / 2,
            }[similarity]
            assert float(table[a, b]) == pytest.approx(expected, abs=1e-5)


@pytest.mark.quick
def test_it_is_the_limit_of_batches_of_pairs():
    """In-batch InfoNCE, less the logarithm of its negatives, approaches the population's less that of its candidates.

    A batch of 1500 has a sampling error of about the deviation of a term, one, over its root, 0.026; five of these."""

    @jax.jit
    def losses(data):
        network = SPEC.network.build(WORLD, HYPER, dtype=jnp.float32, rngs=nnx.Rngs(params=0))
        pairs = WORLD.draw(jax.random.key(0), data, 1500)
        in_batch = InfoNCE(similarity="dot").loss(network, pairs, data, HYPER, None)  # reads the temperature alone
        return in_batch, ExpectedInfoNCE().loss(network, data, data, HYPER, None) - jnp.log(6.0)

    in_batch, population = losses(WORLD.sample(0))
    assert float(in_batch) == pytest.approx(float(population), abs=0.13)


def test_encoders_of_symbols():
    rngs = nnx.Rngs(params=0)
    free = FreeSymbols(n_symbols=5, output_dim=400, initial_scale=0.5, rngs=rngs)
    lengths = np.linalg.norm(free(jnp.arange(5)), axis=1)
    np.testing.assert_allclose(lengths, 0.5, rtol=5 / 800**0.5)
    mlp, one_hot = (
        SymbolMLP(n_symbols=5, code_dim=code_dim, hidden_width=300, depth=depth, output_dim=300, rngs=rngs)
        for code_dim, depth in ((7, 2), (None, 1))
    )
    for network, shapes in ((mlp, [(7, 300), (300, 300), (300, 300)]), (one_hot, [(5, 300), (300, 300)])):
        assert 0.5 < np.sqrt(np.mean(np.sum(np.square(np.asarray(network(jnp.arange(5)))), axis=1))) < 1.5
        assert [leaf.shape for leaf in jax.tree.leaves(nnx.state(network, nnx.Param))] == shapes, (
            "codes are not trained"
        )
    assert np.array_equal(one_hot.codes[...], np.eye(5))
    pair = TwoEncoders(free, mlp)
    first, second = pair.embed_pairs(ViewPair(jnp.array([1, 1]), jnp.array([0, 4])))
    assert np.array_equal(first[0], first[1])
    np.testing.assert_allclose(second[1], mlp(jnp.array([4]))[0], atol=1e-6)  # rounding of products of other shapes
    assert np.array_equal(pair(jnp.array([2])), free(jnp.array([2])))
    again = nnx.Rngs(params=1), nnx.Rngs(params=1)
    spec = SymbolEncoder(output_dim=3, n_encoders=2, hidden_width=4, code_dim=2)
    one, same = (spec.build(WORLD, HYPER, dtype=jnp.float32, rngs=rngs) for rngs in again)
    assert np.array_equal(one.first(jnp.arange(6)), same.first(jnp.arange(6)))
    assert not np.array_equal(one.first(jnp.arange(6)), one.second(jnp.arange(6)))


@pytest.mark.quick
def test_training_descends_and_other_worlds_do_not_recompile():
    members = [
        Member(SPEC, HYPER, 0),
        Member(replace(SPEC, task=RingWorld(n_events=6, block=2, window="gaussian")), HYPER, 0),
    ]
    assert members[0].spec.group_key == members[1].spec.group_key
    runs = train_members(members)
    assert all(run.metrics["loss"][-1] < run.metrics["loss"][0] for run in runs)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: replace(SPEC, source=FreshExamples(batch_size=4)), "source: expected the population of a world"),
        (lambda: ExpectedInfoNCE(similarity="angle"), "similarity: expected one of dot, cosine, distance"),
        (
            lambda: replace(SPEC, task=GaussianPairs(variances=(1.0,), augmentation_ratios=(1.0,))),
            "source: expected the population of a world",
        ),
        (lambda: replace(SPEC, task=RingWorld(n_events=6, second_block=2)), "n_encoders: expected 2, as both sides"),
        (lambda: SymbolEncoder(output_dim=0), "output_dim: expected a whole number of at least 1, got 0"),
        (lambda: SymbolEncoder(output_dim=2, n_encoders=3), "n_encoders: expected at most 2, got 3"),
        (lambda: replace(SPEC, task=GivenWorld(table=((1.0, 1.0, 1.0),) * 2)), "n_encoders: expected 2, as both"),
    ],
)
def test_bad_specifications_are_one_line(make, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        make()
