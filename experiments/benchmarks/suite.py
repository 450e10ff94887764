"""All benchmarks by name; a module is imported only when its benchmark is run."""

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from importlib import import_module

from experiments.benchmarks.measurement import Measurement, Part
from experiments.benchmarks.saved import SavedParts
from experiments.benchmarks.settings import BenchSettings
from simlab.validation import check_choice

# Name -> the module and the function that measures, or that makes parts, which are saved one by one.
BENCHMARKS = {
    "training": ("training", "make_parts"),
    "step": ("step", "make_parts"),
    "overheads": ("overheads", "make_parts"),
    "word-table": ("word_table", "make_parts"),
    "minimum": ("minimum", "make_parts"),
    "scaling": ("scaling", "make_parts"),
    "superposition": ("superposition", "measure_superposition"),
    "contamination": ("contamination", "measure_contamination"),
    "contrastive": ("contrastive", "make_parts"),
    "encoder": ("encoder", "measure_encoder"),
}


def choose_benchmarks(names: Iterable[str]) -> list[str]:
    """Return the benchmarks to run, all of them if none is named; an unknown name raises ``ValueError``."""
    return [check_choice("name", name, BENCHMARKS) for name in names] or list(BENCHMARKS)


def measure(
    names: Iterable[str],
    settings: BenchSettings,
    on_measurement: Callable[[Measurement], None],
    saved: SavedParts | None = None,
) -> list[Measurement]:
    """Run benchmarks one after the other and return all that was asked for.

    Settings of JAX are those of a run, whatever the environment says.

    Args:
        names: of the benchmarks.
        settings: the choices.
        on_measurement: called with each number when it is known.
        saved: parts that are not measured again; each new part is added when it is finished.
    """
    from simlab.runtime.settings import precision_of  # imports JAX, which the command line does not wait for

    saved = saved or SavedParts()
    measurements = []
    for name in names:
        with precision_of("float32"):
            parts = list(parts_of(name, settings))
        for part in parts:
            found = saved.find(name, part.name)
            if found is None:
                with precision_of("float32"):
                    found = _measure_part(part, on_measurement)
                saved.add(name, part.name, found)
            measurements += found
    return measurements


def parts_of(name: str, settings: BenchSettings) -> Iterator[Part]:
    """Yield the parts of a benchmark; one without parts is a single one."""
    module, function = BENCHMARKS[name]
    call = partial(getattr(import_module(f"experiments.benchmarks.{module}"), function), settings)
    if function == "make_parts":
        yield from call()
    else:
        yield Part(name, call)


def _measure_part(part: Part, on_measurement: Callable[[Measurement], None]) -> list[Measurement]:
    measurements = []
    for measurement in part.measure():
        measurements.append(measurement)
        on_measurement(measurement)
    return measurements
