"""The benchmark of an encoder at a tiny size, and its PyTorch twin against ours."""

import importlib.util

import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from experiments.benchmarks import encoder, pytorch
from experiments.benchmarks.settings import BenchSettings
from simlab.networks.encoders.bert import BertEncoder
from simlab.networks.specs.bert import BertSpec

TINY = BertSpec(n_tokens=30, n_positions=20, dim=12, n_layers=2, n_heads=3, n_hidden=16)


def test_statistics_and_forward_pass_are_timed(monkeypatch):
    monkeypatch.setattr(encoder, "SPECS", {"quick": TINY})
    monkeypatch.setattr(pytorch, "is_installed", lambda: False)
    rows = list(encoder.measure_encoder(BenchSettings(rounds=1)))
    values = {row.contestant: row.value for row in rows if row.quantity == "time"}
    assert values[encoder.MEASURED] > 0
    assert values[encoder.FORWARD] > 0
    assert np.isnan(values[encoder.PEER])


@pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="PyTorch is not installed")
def test_the_twin_has_the_same_hidden_states():
    import torch

    network = BertEncoder(TINY, rngs=nnx.Rngs(params=0))
    rng = np.random.default_rng(0)
    is_token = np.arange(8) < rng.integers(2, 9, size=5)[:, None]
    ids = np.where(is_token, rng.integers(30, size=is_token.shape), 0)
    ours = np.asarray(network.hidden(jnp.asarray(ids), jnp.asarray(is_token)).tokens)
    theirs = encoder.torch_forward(network, TINY)(torch.tensor(ids), torch.tensor(is_token)).numpy()
    np.testing.assert_allclose(ours[:, is_token], theirs[:, is_token], atol=1e-5)
