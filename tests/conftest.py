"""Strict JAX for every test: shapes must agree, no silent broadcasting of ranks."""

import jax
import pytest

jax.config.update("jax_numpy_rank_promotion", "raise")


@pytest.fixture(autouse=True)
def no_global_precision():
    """The library must not leave float64 switched on."""
    yield
    assert not jax.config.jax_enable_x64
