"""The benchmark of InfoNCE: the same loss for all contestants; no test looks at a speed."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from experiments.benchmarks import contrastive as benchmark
from experiments.benchmarks import pytorch
from experiments.benchmarks.settings import BenchSettings
from simlab.losses.info_nce import info_nce

pytestmark = pytest.mark.quick


def test_every_contestant_is_measured_or_said_to_be_missing(monkeypatch):
    small = benchmark.views(16, 8)
    monkeypatch.setattr(benchmark, "views", lambda: small)
    monkeypatch.setattr(benchmark, "N_PAIRS", 16)
    monkeypatch.setattr(benchmark, "DIM", 8)
    monkeypatch.setattr(pytorch, "is_installed", lambda: False)
    measured = [one for part in benchmark.make_parts(BenchSettings(rounds=1)) for one in part.measure()]
    by_name = {(one.case.partition(",")[0], one.contestant, one.quantity): one for one in measured}
    for side in benchmark.SIDES:
        assert by_name[side, benchmark.OURS, "time"].value > 0
        assert by_name[side, benchmark.OURS, "times the products"].value > 0
        assert (side, benchmark.PRODUCTS, "times the products") not in by_name
        assert "not installed" in by_name[side, benchmark.EAGER, "time"].note


def test_products_are_those_that_the_compiler_counts():
    cost = benchmark.products(32, 8)
    side, scores = jax.ShapeDtypeStruct((32, 8), jnp.float32), jax.ShapeDtypeStruct((32, 32), jnp.float32)
    compiled = jax.jit(lambda a, b, g: (a @ b.T, g @ b, g.T @ a)).lower(side, side, scores).compile()
    assert cost.flops == compiled.cost_analysis()["flops"]


@pytest.mark.parametrize("is_two_sided", [False, True])
def test_pytorch_has_the_same_loss_and_gradient(is_two_sided):
    torch = pytest.importorskip("torch", reason="PyTorch is an optional extra")
    first, second = benchmark.views(24, 6)
    loss = lambda a, b: info_nce(a, b, benchmark.TEMPERATURE, similarity="cosine", is_two_sided=is_two_sided)  # noqa: E731
    value, gradients = jax.value_and_grad(loss, (0, 1))(first, second)
    tensors = [torch.tensor(side, requires_grad=True) for side in (first, second)]
    for theirs, ours in zip(benchmark.torch_gradient(tensors, is_two_sided), (value, *gradients), strict=True):
        np.testing.assert_allclose(theirs.numpy(), ours, atol=1e-5)  # scores of 10, rounded
