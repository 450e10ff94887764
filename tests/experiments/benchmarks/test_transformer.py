"""The benchmark of the encoder of sentences: equal work for all contestants; no test looks at a speed."""

import jax
import numpy as np
import pytest

from experiments.benchmarks import pytorch
from experiments.benchmarks import transformer as benchmark
from experiments.benchmarks.settings import BenchSettings


@pytest.fixture
def member(monkeypatch):
    """A small encoder, and turns of two steps."""
    monkeypatch.setattr(benchmark, "TURN_STEPS", 2)
    [member] = benchmark.encoder_members(BenchSettings(members=1))
    return member


def test_products_are_those_of_the_network(member):
    """Operations of a forward pass, counted from the weights: 2 for each weight and token, and those of attention."""
    spec = member.spec
    n_tokens = 2 * spec.source.batch_size * spec.task.sentence_length
    weights = spec.network.depth * 12 * spec.network.embedding_dim**2
    attention = spec.network.depth * 4 * n_tokens * spec.task.sentence_length * spec.network.embedding_dim
    counted = sum(2 * count * np.prod(shape) for count, shape in benchmark.product_shapes(member))
    assert counted == 2 * weights * n_tokens + attention
    assert benchmark.matrix_products("products", member).turn() != 0


def test_members_are_the_experiment_in_one_program(member):
    members = benchmark.encoder_members(BenchSettings(members=None))
    assert len(members) == benchmark.MEMBERS
    assert len({one.spec.group_key for one in members}) == 1
    assert members[0].spec.n_steps == members[0].spec.steps_per_record == 2


def test_what_is_missing_is_said(member, monkeypatch):
    monkeypatch.setattr(pytorch, "is_installed", lambda: False)
    monkeypatch.setattr(benchmark, "encoder_members", lambda settings: [member])
    monkeypatch.setattr(benchmark.ours, "sweep", lambda name, members, layout: benchmark.matrix_products(name, member))
    measured = {(m.contestant, m.quantity): m for m in benchmark.measure_transformer(BenchSettings(rounds=1))}
    assert measured[benchmark.ALONE, "of the products"].value > 0
    assert "not installed" in measured[benchmark.EAGER, "time"].note
    assert np.isnan(measured[benchmark.COMPILED, "time"].value)


def test_pytorch_has_the_same_network_and_learns_the_same(member):
    """Equal weights give equal vectors, to rounding in float32; 60 steps fall from log 24 = 3.2 nats below 2.5."""
    torch = pytest.importorskip("torch")
    ours = member.spec.network.build(member.spec.task, member.hyperparameters, dtype=np.float32, rngs=benchmark_rngs())
    theirs, words = benchmark.make_encoder(member), member.spec.task.sample(0).evaluation.words[:6]
    with torch.no_grad():
        for name in ("embeddings", "positions"):
            array = np.array(getattr(ours, name)[...])[: len(getattr(theirs, name))]
            getattr(theirs, name).copy_(torch.tensor(array))
        for block, other in zip(ours.blocks, theirs.blocks, strict=True):
            layers = {name: getattr(block.attention, name) for name in ("queries", "keys", "values", "mix")}
            layers |= {name: getattr(block.feed_forward, name) for name in ("expand", "contract")}
            for name, layer in layers.items():
                getattr(other, name).weight.copy_(torch.tensor(np.array(layer.kernel[...]).T))
                getattr(other, name).bias.copy_(torch.tensor(np.array(layer.bias[...])))
        vectors = theirs(torch.tensor(words.astype(np.int64))).numpy()
    np.testing.assert_allclose(vectors, jax.jit(ours)(words), atol=1e-5)
    assert benchmark.begin(member)(60) < 2.5


def benchmark_rngs():
    from flax import nnx

    return nnx.Rngs(params=0)
