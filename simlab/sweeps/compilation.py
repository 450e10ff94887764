"""Compilation in background threads, and the memory use of compiled programs."""

import os
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache

from jax.stages import Compiled, Lowered

from simlab.runtime.devices import count_cores, platform


@lru_cache(maxsize=1)
def compilers() -> ThreadPoolExecutor:
    """Return the threads that compile, two per core, as one compilation rarely keeps a core busy."""
    return ThreadPoolExecutor(2 * count_cores(), thread_name_prefix="compile")


def compiler_options() -> dict[str, str | bool] | None:
    """Return optimisation level 1 on a CPU: these programs run as fast and compile in half the time."""
    chosen = "xla_backend_optimization_level" in os.environ.get("XLA_FLAGS", "")
    return None if chosen or platform() != "cpu" else {"xla_backend_optimization_level": "1"}


def compile_piece(lowered: Lowered) -> Compiled:
    """Compile a lowered program with the options of this module."""
    return lowered.compile(compiler_options=compiler_options())


def held_bytes(compiled: Compiled) -> int:
    """Return the bytes of device memory that a compiled program uses while it runs.

    Raises:
        RuntimeError: the compiler does not report them.
    """
    memory = compiled.memory_analysis()
    if memory is None:
        raise RuntimeError("this compiler does not report the memory use of a program")
    arguments_and_outputs = memory.argument_size_in_bytes + memory.output_size_in_bytes - memory.alias_size_in_bytes
    return arguments_and_outputs + memory.temp_size_in_bytes
