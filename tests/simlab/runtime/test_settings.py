"""Settings of JAX and XLA either reach no result, or are named in it and keep its parts apart."""

import sys
import types
from contextlib import contextmanager

import jax
import numpy as np
import pytest

from experiments.benchmarks import suite as benchmarking
from experiments.core import sweep
from experiments.registry import find_experiment
from experiments.sweep import run
from experiments.verification import suite as verification
from simlab.runtime.settings import all_settings, other_settings, precision_of
from simlab.storage.manifest import OtherSweep
from simlab.sweeps.program import _cached_program

SMALL = {"n_words": 6, "n_classes": 8, "sentence_length": 2, "embedding_dim": 4, "batch_size": 8, "n_evaluation": 20}


@contextmanager
def option(name, value):
    before = getattr(jax.config, name)
    jax.config.update(name, value)
    try:
        yield
    finally:
        jax.config.update(name, before)


SETTINGS = {
    "double precision": lambda: jax.enable_x64(True),
    "another order of counters": lambda: jax.threefry_partitionable(False),
    "another generator": lambda: jax.default_prng_impl("rbg"),
    "an offset of the seeds": lambda: option("jax_random_seed_offset", 1),
    "strict types": lambda: jax.numpy_dtype_promotion("strict"),
    "products of low precision": lambda: jax.default_matmul_precision("bfloat16"),
}


def compute():
    _cached_program.cache_clear()
    return run("uniform-small-sample", epochs=4, dtype="float32", **SMALL)


@pytest.fixture(scope="module")
def by_default():
    return compute()


@pytest.mark.parametrize("setting", SETTINGS.values(), ids=SETTINGS.keys())
def test_no_setting_changes_a_bit(setting, by_default):
    with setting():
        dataset = compute()
    for name, variable in by_default.variables.items():
        assert dataset[name].dtype == variable.dtype
        assert dataset[name].variable.equals(variable), name


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_programs_are_compiled_under_the_same_settings_whatever_the_users(dtype):
    with precision_of(dtype):
        wanted = all_settings()
    for name, setting in SETTINGS.items():
        with setting(), precision_of(dtype):
            assert (all_settings() == wanted) == (name != "an offset of the seeds")


def settings_in_a_run():
    with precision_of("float32"):
        return all_settings()


def record_settings(monkeypatch, suite, table, place):
    """Let the only claim or benchmark of a suite be the settings that it is computed under; return these."""
    seen = []

    def compute(*_):
        seen.append(all_settings())
        yield from ()

    module = types.ModuleType("experiments.benchmarks.recorder")
    module.compute = compute
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setattr(suite, table, {"recorder": place})
    return seen


@pytest.mark.parametrize("name", [name for name in SETTINGS if name != "an offset of the seeds"])
def test_claims_and_benchmarks_are_computed_under_the_settings_of_a_run(name, monkeypatch):
    claims = record_settings(monkeypatch, verification, "GROUPS", "experiments.benchmarks.recorder:compute")
    with SETTINGS[name]():
        verification.verify(["recorder"])
    benchmarks = record_settings(monkeypatch, benchmarking, "BENCHMARKS", ("recorder", "compute"))
    with SETTINGS[name]():
        benchmarking.measure(["recorder"], None, print)
    assert claims == benchmarks == [settings_in_a_run()]


def test_what_cannot_be_pinned_is_named_and_no_sweep_goes_on_under_another(tmp_path, monkeypatch):
    plan = find_experiment("uniform-small-sample").plan("quick", SMALL | {"epochs": 4})
    monkeypatch.delenv("XLA_FLAGS")
    assert other_settings() == {}
    assert sweep.describe_sweep(plan) == plan.describe()
    layouts = sweep.make_sweep(plan).choose_layouts()
    sweep._open(tmp_path, plan, lambda: layouts, sweep.Quiet(), overwrite=False)
    monkeypatch.setenv("XLA_FLAGS", "--xla_dump_to=here --xla_cpu_enable_fast_math=true")
    assert other_settings() == {"XLA_FLAGS": "--xla_cpu_enable_fast_math=true"}
    with pytest.raises(OtherSweep, match=r"settings.*nothing there, .*fast_math=true.* here"):
        sweep._open(tmp_path, plan, lambda: layouts, sweep.Quiet(), overwrite=False)


def test_a_result_names_the_settings_beside_the_pinned_ones(by_default):
    assert "xla_backend_optimization_level=0" in by_default.attrs["settings"]
    assert np.all(by_default.status == "finished")
