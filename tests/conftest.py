"""Strict JAX for every test: shapes must agree, no silent broadcasting of ranks; eight virtual devices."""

import os

# Tests compile much and compute little: no optimisation, and no splitting of a program among threads that compile it.
# Set before JAX starts; a subprocess of a test inherits it.
os.environ["XLA_FLAGS"] = (
    f"{os.environ.get('XLA_FLAGS', '')} --xla_backend_optimization_level=0 --xla_cpu_parallel_codegen_split_count=1"
)

import jax
import pytest

jax.config.update("jax_numpy_rank_promotion", "raise")
# Sweeps are sharded over all devices: a mesh of eight on any machine.
jax.config.update("jax_num_cpu_devices", 8)


@pytest.fixture(autouse=True)
def no_global_precision():
    """The library must not leave float64 switched on."""
    yield
    assert not jax.config.jax_enable_x64
