"""All benchmarks by name; a module is imported only when its benchmark is run."""

from collections.abc import Callable, Iterable, Iterator
from importlib import import_module

from experiments.benchmarks.measurement import Measurement
from experiments.benchmarks.settings import BenchSettings
from simlab.validation import check_choice

# Name -> the module and the function that measures.
BENCHMARKS = {
    "step": ("step", "measure_step"),
    "word-table": ("word_table", "measure_word_table"),
    "minimum": ("minimum", "measure_minimum"),
    "scaling": ("scaling", "measure_scaling"),
    "superposition": ("superposition", "measure_superposition"),
    "contamination": ("contamination", "measure_contamination"),
    "transformer": ("transformer", "measure_transformer"),
    "encoder": ("encoder", "measure_encoder"),
}


def choose_benchmarks(names: Iterable[str]) -> list[str]:
    """Return the benchmarks to run, all of them if none is named; an unknown name raises ``ValueError``."""
    return [check_choice("name", name, BENCHMARKS) for name in names] or list(BENCHMARKS)


def measure(
    names: Iterable[str], settings: BenchSettings, on_measurement: Callable[[Measurement], None]
) -> list[Measurement]:
    """Run benchmarks one after the other; ``on_measurement`` is called with each number when it is known.

    Settings of JAX are those of a run, whatever the environment says.
    """
    from simlab.runtime.settings import precision_of  # imports JAX, which the command line does not wait for

    measurements = []
    with precision_of("float32"):
        for measurement in _run(names, settings):
            measurements.append(measurement)
            on_measurement(measurement)
    return measurements


def _run(names: Iterable[str], settings: BenchSettings) -> Iterator[Measurement]:
    for name in names:
        module, function = BENCHMARKS[name]
        yield from getattr(import_module(f"experiments.benchmarks.{module}"), function)(settings)
