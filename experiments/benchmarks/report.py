"""Measurements as tables, as JSON and as a labelled dataset."""

# PyTorch is optional.
# pyright: reportMissingImports=false

import json
import platform
from collections.abc import Iterable, Sequence
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from experiments.benchmarks.measurement import Measurement
from experiments.tables.columns import format_columns


def describe_machine() -> str:
    """Return one line on what was measured: the devices, the cores, the versions."""
    import jax

    from simlab.runtime.devices import count_cores

    device = jax.local_devices()[0]
    name = _processor() if device.platform == "cpu" else f"{device.device_kind} ({len(jax.local_devices())})"
    versions = [f"jax {jax.__version__}", f"Python {platform.python_version()}"]
    if find_spec("torch") is not None:
        import torch

        versions.append(f"PyTorch {torch.__version__}")
    return f"{device.platform.upper()}: {name}, {count_cores()} cores; {', '.join(versions)}"


def _processor() -> str:
    table = Path("/proc/cpuinfo")
    if table.exists():
        for line in table.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def format_measurements(measurements: Sequence[Measurement]) -> str:
    """Return a table for each case, contestants by quantities, and at the end one of all phenomena's training steps.

    A number is the median, with the quartiles beside it.
    """
    cases = dict.fromkeys((measurement.benchmark, measurement.case) for measurement in measurements)
    tables = [
        _format_case(
            benchmark,
            case,
            [
                measurement
                for measurement in measurements
                if (measurement.benchmark, measurement.case) == (benchmark, case)
            ],
        )
        for benchmark, case in cases
    ]
    steps = [measurement for measurement in measurements if measurement.benchmark == "training"]
    return "\n\n".join([*tables, *([format_training(steps)] if steps else [])])


def format_training(measurements: Sequence[Measurement]) -> str:
    """Return one table of the training steps of all phenomena: two rows each, alone and as a member of a sweep."""
    from experiments.benchmarks import training  # imports JAX

    known = {(one.case, one.contestant, one.quantity): one for one in measurements}
    quantities: tuple[str, ...] = ("time", training.OF_LIMIT, *training.PEERS)
    rows: list[tuple[str, ...]] = [("training step", "kFLOP", "us", "us, limit", *quantities[1:], "the limit is")]
    for case in dict.fromkeys(one.case for one in measurements):
        limit = known[case, training.LIMIT, "time"]
        facts = (_format_value(known[case, training.LIMIT, "operations"]), _format_value(limit), limit.note)
        for contestant, label in ((training.ALONE, case), (training.SWEEP, "  per member of the sweep")):
            found = [known.get((case, contestant, quantity)) for quantity in quantities]
            time, *ratios = ("-" if one is None else _format_value(one) for one in found)
            operations, least, bound = facts if contestant == training.ALONE else ("", "", "")
            rows.append((label, operations, time, least, *ratios, bound))
    return format_columns(rows)


def _format_case(benchmark: str, case: str, measurements: list[Measurement]) -> str:
    columns = dict.fromkeys((measurement.quantity, measurement.unit) for measurement in measurements)
    rows = dict.fromkeys((measurement.contestant, measurement.at) for measurement in measurements)
    cells = {
        (measurement.contestant, measurement.at, measurement.quantity): _format_value(measurement)
        for measurement in measurements
    }
    header = (f"{benchmark}: {case}", *(f"{name} ({unit})" if unit else name for name, unit in columns))
    table = [header]
    for contestant, at in rows:
        label = contestant if np.isnan(at) else f"{contestant}, {at:,g}"
        table.append((f"  {label}", *(cells.get((contestant, at, name), "") for name, _ in columns)))
    notes = [f"  {measurement.contestant}: {measurement.note}" for measurement in measurements if measurement.note]
    return "\n".join([format_columns(table), *notes])


def _format_value(measurement: Measurement) -> str:
    if np.isnan(measurement.value):
        return "-"
    if measurement.rounds < 2:
        return f"{measurement.value:.4g}"
    return f"{measurement.value:.4g} ({measurement.low:.3g} to {measurement.high:.3g})"


def measurements_to_json(measurements: Iterable[Measurement]) -> str:
    """Return a JSON object: the machine, and the measurements as a list of objects."""
    return json.dumps(
        {"machine": describe_machine(), "measurements": [measurement.to_json() for measurement in measurements]},
        indent=1,
    )


def measurements_to_dataset(measurements: Sequence[Measurement]):
    """Return the measurements as an ``xarray.Dataset`` over ``measurement``."""
    import xarray

    from simlab.storage.results import provenance

    numbers = ("value", "low", "high", "rounds", "at")
    texts = ("benchmark", "case", "contestant", "quantity", "unit", "note")
    return xarray.Dataset(
        {
            **{
                name: ("measurement", np.array([getattr(measurement, name) for measurement in measurements], float))
                for name in numbers
            },
            **{
                name: ("measurement", np.array([getattr(measurement, name) for measurement in measurements], object))
                for name in texts
            },
        },
        attrs={
            "experiment": "bench",
            "figures": json.dumps(
                ["benchmarks"] if any(measurement.benchmark == "scaling" for measurement in measurements) else []
            ),
            "machine": describe_machine(),
            **provenance(),
        },
    )
