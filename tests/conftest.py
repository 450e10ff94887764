"""Strict JAX for every test: shapes must agree, no silent broadcasting of ranks; eight virtual devices."""

import gc
import os

# Tests compile much and compute little, so they take what compiles fastest: no optimisation, loops that are emitted
# without MLIR (half of all time went there; JAX 0.12 knows no other way and ignores the option), one thread for each
# program. Set before JAX starts; a subprocess of a test inherits it.
os.environ["XLA_FLAGS"] = " ".join(
    [
        os.environ.get("XLA_FLAGS", ""),
        "--xla_backend_optimization_level=0",
        "--xla_llvm_disable_expensive_passes=true",
        "--xla_backend_extra_options=xla_cpu_disable_new_fusion_emitters",
        "--xla_cpu_parallel_codegen_split_count=1",
    ]
)
# As in the command line: idle threads of OpenBLAS sleep instead of keeping the cores of other tests busy.
os.environ.setdefault("OPENBLAS_THREAD_TIMEOUT", "4")

import jax
import pytest

jax.config.update("jax_numpy_rank_promotion", "raise")
# Sweeps are sharded over all devices: a mesh of eight on any machine.
jax.config.update("jax_num_cpu_devices", 8)
# Programs need not remember which line of Python each operation comes from.
jax.config.update("jax_traceback_in_locations_limit", 0)
# What JAX keeps of traced functions only grows: to search it for garbage often is in vain.
gc.set_threshold(100_000, 50, 50)


@pytest.fixture(autouse=True)
def no_global_precision():
    """The library must not leave float64 switched on."""
    yield
    assert not jax.config.jax_enable_x64
