"""Compile programs for a device that is not present: ``python -m experiments.compile_elsewhere v5e:2x4``.

This shows whether every program of every experiment compiles for a GPU or a TPU, how much memory it needs, and how many
calls (kernels, copies, transfers) a step makes. Nothing is run. A TPU needs the extra ``tpu``, a GPU the extra
``cuda``. Without the GPU, its compiler selects algorithms of matrix products by heuristics instead of by measurement.
"""

import argparse
import math
import os
import re
import sys
import time
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from experiments.registry import NAMES, find_experiment
from simlab.validation import check_choice, first_line, invalid

# How XLA describes an H100 SXM (its GpuTargetConfigProto): limits of compute capability 9.0, and the data sheet.
H100 = """
platform_name: "CUDA"
device_description_str: "NVIDIA H100 80GB HBM3"
dnn_version_info { major: 9 minor: 8 }
runtime_version { major: 12 minor: 8 }
gpu_device_info {
  cuda_compute_capability { major: 9 }
  core_count: 132 fpus_per_core: 128 clock_rate_ghz: 1.98
  threads_per_warp: 32 threads_per_block_limit: 1024 threads_per_core_limit: 2048
  registers_per_block_limit: 65536 registers_per_core_limit: 65536
  shared_memory_per_block: 49152 shared_memory_per_block_optin: 232448 shared_memory_per_core: 233472
  block_dim_limit_x: 2147483647 block_dim_limit_y: 65535 block_dim_limit_z: 65535
  l2_cache_size: 52428800 memory_bandwidth: 3352320000000 device_memory_size: 84929347584
}
"""
STEPS = "steps"
# Instructions without a call of the device.
_FREE = ("parameter", "constant", "tuple", "get-tuple-element", "bitcast", "after-all")


class Compiled(NamedTuple):
    """A compiled program: seconds of compilation, bytes on each device, and calls per step of all members together.

    The calls are NaN if the compiler does not report the trip count of a loop, as the one for TPUs does not.
    """

    seconds: float
    held: int
    calls: float


def main() -> int:
    """Compile the programs, print a line for each, and return 1 if one does not compile, else 0."""
    parser = argparse.ArgumentParser(description="Compile programs for a GPU or a TPU that is not present.")
    parser.add_argument("device", help="h100, h100:N, or a TPU slice such as v5e:2x4 or v5p:4x4x4")
    parser.add_argument(
        "what", nargs="*", default=[STEPS], help=f"experiments, all, or {STEPS} of the benchmark (default: {STEPS})"
    )
    parser.add_argument(
        "--preset", default="quick", choices=("quick", "paper"), help="preset of the experiments (default: quick)"
    )
    arguments = parser.parse_args()
    try:
        names = _chosen(arguments.what)
        devices = describe(arguments.device)
    except ValueError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(f"{len(devices)} x {devices[0].device_kind}, by description")
    failures = 0
    for label, spec, layout in _programs(names, arguments.preset, devices):
        try:
            compiled = compile_for(devices, spec, layout)
            calls = f"{compiled.calls:6.1f} calls a step" if math.isfinite(compiled.calls) else ""
            text = f"{compiled.held / 1e6:10.2f} MB  {compiled.seconds:4.0f} s  {calls}".rstrip()
        except Exception as error:  # compilers raise errors of many types, and each is a result
            failures += 1
            text = f"does not compile: {first_line(error)}"
        print(f"{label:65}  {text}", flush=True)
    return int(failures > 0)


def describe(device: str) -> list:
    """Return the devices with the given name, which need not be present.

    Raises:
        ValueError: there is no such device, or the compiler for it is not installed.
    """
    # Set before JAX starts, which would otherwise search for the devices of its plugins.
    os.environ["JAX_PLATFORMS"] = "cpu"
    os.environ.update(TPU_SKIP_MDS_QUERY="1", TPU_WORKER_HOSTNAMES="localhost", TPU_ACCELERATOR_TYPE="v5litepod-8")
    from jax.experimental import topologies

    name, _, size = device.partition(":")
    if name == "h100":
        options = {"platform": "cuda", "target_config": H100, "topology": f"1x1x{size or 1}"}
    else:
        options = {"platform": "tpu", "topology_name": device}
    try:
        return list(topologies.get_topology_desc(**options).devices)
    except (RuntimeError, NotImplementedError) as error:
        wanted = "h100, h100:N or a TPU slice like v5e:2x4, with the extra cuda or tpu installed"
        raise ValueError(f"{invalid('device', wanted, device)} ({first_line(error)})") from error


def compile_for(devices: list, spec, layout) -> Compiled:
    """Compile a program for the devices, and return its time, memory and calls."""
    from simlab.runtime.devices import programs_for
    from simlab.sweeps.program import Program

    with programs_for(devices):
        program = Program(spec, layout)
        started = time.perf_counter()
        program.start_compiling()
        pieces = program.begin, program.segment, program.record
        seconds = time.perf_counter() - started
    return Compiled(seconds, program.bytes_needed(), count_calls(pieces[1].as_text()) / spec.steps_per_record)


def count_calls(text: str) -> float:
    """Return the number of calls of the device in a compiled program, from its HLO text.

    The body of a loop counts as often as its trip count; the result is NaN if the text does not state it. A conditional
    counts as its longest branch.
    """
    bodies = dict(re.findall(r"^(?:ENTRY )?%?([\w.-]+) \([^\n]*\{\n(.*?)^\}", text, re.MULTILINE | re.DOTALL))
    counts: dict[str, float] = {}

    def calls(name: str) -> float:
        if name not in counts:
            counts[name] = sum(of_line(line) for line in bodies[name].splitlines())
        return counts[name]

    def of_line(line: str) -> float:
        instruction = re.search(r" = .*? ([a-z][a-z0-9-]*)\(", line)
        kind = instruction[1] if instruction else _FREE[0]
        if kind in _FREE or kind.endswith("-done"):
            return 0
        if kind == "while":
            turns = re.search(r'"known_trip_count":\{"n":"(\d+)"', line)
            return (int(turns[1]) if turns else math.nan) * calls(_named(r"body=%?([\w.-]+)", line))
        if kind == "conditional":
            branches = re.findall(r"(?:true|false)_computation=%?([\w.-]+)", line)
            listed = re.search(r"branch_computations=\{([^}]*)\}", line)
            branches += [name.strip(" %") for name in listed[1].split(",")] if listed else []
            return 1 + float(np.max([calls(name) for name in branches]))
        if kind == "call":
            return calls(_named(r"to_apply=%?([\w.-]+)", line))
        return 1

    return calls(_named(r"^ENTRY %?([\w.-]+)", text))


def _named(pattern: str, text: str) -> str:
    """Return the name of a computation that a pattern's group matches.

    Raises:
        ValueError: the text has no match.
    """
    match = re.search(pattern, text, re.MULTILINE)
    if match is None:
        raise ValueError(f"HLO: expected a line that matches {pattern}, got none")
    return match[1]


def _chosen(what: list[str]) -> list[str]:
    """Return the checked names to compile."""
    for name in what:
        check_choice("what", name, (STEPS, "all", *NAMES))
    return [STEPS, *NAMES] if "all" in what else what


def _programs(names: list[str], preset: str, devices: list) -> Iterator[tuple]:
    """Yield ``(label, spec, layout)`` of every program, without duplicates."""
    from experiments.core.sweep import make_sweep
    from simlab.runtime.devices import programs_for
    from simlab.sweeps.measurements import MeasurementSweep

    seen = set()
    for name in names:
        if name == STEPS:
            yield from _steps(len(devices))
            continue
        sweep = make_sweep(find_experiment(name).plan(preset, {}))
        if isinstance(sweep, MeasurementSweep):
            continue  # a measurement has no training program
        with programs_for(devices):
            layouts = sweep.choose_layouts(chunk=len(sweep.members))
        for spec, layout in zip(sweep.specs, layouts, strict=True):
            if (spec, layout) not in seen:
                seen.add((spec, layout))
                yield f"{name}, {_describe(spec)}, {_counted(layout.rows)}", spec, layout


def _steps(n_devices: int) -> Iterator[tuple]:
    """Yield the steps of ``simlab bench step``, for 1 and 64 members, and one with a million sharded classes."""
    from experiments.benchmarks.scaling import MANY_CLASSES, PAPER, make_spec
    from experiments.benchmarks.settings import SIZES, BenchSettings
    from experiments.benchmarks.step import make_cases
    from simlab.sweeps.layout import Layout

    for case in make_cases(BenchSettings(sizes=SIZES)):
        for members in (1, 64):
            yield f"{case.name}, {_counted(members)}", case.spec, Layout(members, members, min(members, n_devices))
    spec = make_spec(PAPER._replace(n_classes=MANY_CLASSES), n_steps=100)
    yield f"a million classes on {n_devices} devices", spec, Layout(1, 1, 1, n_devices)


def _counted(members: int) -> str:
    return "alone" if members == 1 else f"{members} members"


def _describe(spec) -> str:
    """Return the settings that distinguish the programs of an experiment: source, normalisation, optimiser."""
    source = re.sub(r"(?<!^)(?=[A-Z])", " ", type(spec.source).__name__).lower()
    normalisation = getattr(spec.network, "normalisation", getattr(spec.network, "kind", ""))
    return ", ".join(part for part in (source, normalisation, spec.optimizer) if part not in ("", "none"))


if __name__ == "__main__":
    sys.exit(main())
