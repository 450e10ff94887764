"""The settings of JAX and XLA that determine the bits of a result: pinned where JAX allows it, else recorded.

The environment (``JAX_ENABLE_X64=1`` and the like) or a program's own ``jax.config`` may set them. Those pinned by
:func:`precision_of` never affect a result. Those of :func:`other_settings` may: a sweep records them, and does not
resume under different ones.
"""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import jax

# The generator of every random number; its bits do not depend on how an array is split over devices.
GENERATOR = "threefry2x32"

# Options of JAX that may change the numbers of a program and that no context manager sets, with their defaults.
_OPTIONS = {
    "jax_allow_f16_reductions": True,
    "jax_compiler_enable_remat_pass": True,
    "jax_disable_jit": False,
    "jax_disable_most_optimizations": False,
    "jax_enable_pgle": False,
    "jax_exec_time_optimization_effort": 0.0,
    "jax_high_dynamic_range_gumbel": False,
    "jax_memory_fitting_effort": 0.0,
    "jax_memory_fitting_level": "O2",
    "jax_optimization_level": "UNKNOWN",
    "jax_random_seed_offset": 0,
    "jax_softmax_custom_jvp": False,
    "jax_use_direct_linearize": True,
}
_VARIABLES = ("XLA_FLAGS", "LIBTPU_INIT_ARGS", "NVIDIA_TF32_OVERRIDE")
# Flags that change no number: dumps for the reader, and the number of devices, which the layout records.
_WITHOUT_EFFECT = ("--xla_dump", "--xla_force_host_platform_device_count")


@contextmanager
def precision_of(dtype: str) -> Iterator[None]:
    """Pin all settings that have a context manager in JAX, for programs with weights of this type.

    Programs are compiled and called in this context. It switches double precision on for ``float64`` and off for
    ``float32``, and sets the generator, the rules of type promotion and the default precision of matrix products to
    JAX's own defaults, regardless of the environment.
    """
    with ExitStack() as pinned:
        pinned.enter_context(jax.enable_x64(dtype == "float64"))
        pinned.enter_context(jax.threefry_partitionable(True))
        pinned.enter_context(jax.default_prng_impl(GENERATOR))
        pinned.enter_context(jax.numpy_dtype_promotion("standard"))
        pinned.enter_context(jax.default_matmul_precision(None))
        yield


def is_double_precision() -> bool:
    """Return whether float64 is enabled in the current context, see :func:`precision_of`."""
    return jax.config.jax_enable_x64  # pyright: ignore[reportAttributeAccessIssue] - defined at run time


def other_settings() -> dict[str, str]:
    """Return, by name, the settings that :func:`precision_of` does not pin and that differ from their defaults."""
    options = {name: str(getattr(jax.config, name, default)) for name, default in _OPTIONS.items()}
    variables = {name: _flags(os.environ.get(name, "")) for name in _VARIABLES}
    changed = {name: value for name, value in options.items() if value != str(_OPTIONS[name])}
    return changed | {name: value for name, value in variables.items() if value}


def all_settings() -> tuple:
    """Return all settings that determine the bits of a program compiled in this context, as part of a cache key."""
    config: Any = jax.config  # its attributes are defined at run time
    pinned = (
        config.jax_enable_x64,
        config.jax_threefry_partitionable,
        config.jax_default_prng_impl,
        config.jax_numpy_dtype_promotion,
        config.jax_default_matmul_precision,
    )
    return (*pinned, *sorted(other_settings().items()))


def _flags(text: str) -> str:
    """Return those flags of an environment variable that may change a number."""
    return " ".join(flag for flag in text.split() if not flag.startswith(_WITHOUT_EFFECT))
