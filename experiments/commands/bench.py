"""``simlab bench``: check the options, measure what is missing, print, save."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from experiments.benchmarks.saved import SavedParts, check_resumable
from experiments.benchmarks.settings import BenchSettings
from experiments.benchmarks.suite import choose_benchmarks, measure
from experiments.commands.environment import adapt_settings
from experiments.core.options import read_count
from experiments.core.output import check_writable, save_and_draw
from experiments.core.progress import show_line


def prepare_bench(arguments: argparse.Namespace) -> Callable[[], int]:
    """Check names, options and folder, and return the action that measures."""
    names = choose_benchmarks(arguments.names)
    settings = BenchSettings(
        sizes=tuple(arguments.sizes.split(",")),
        rounds=read_count("rounds", arguments.rounds, 1),
        members=None if arguments.members is None else read_count("members", arguments.members, 1),
        precision=arguments.precision,
        preset=arguments.preset,
        only=() if arguments.only is None else tuple(arguments.only.split(",")),
    ).check()
    folder = None if arguments.out is None else Path(arguments.out)
    if folder is not None:
        check_writable(folder)
        check_resumable(folder, settings, overwrite=arguments.overwrite)

    def action() -> int:
        from experiments.benchmarks.report import (
            describe_machine,
            format_measurements,
            measurements_to_dataset,
            measurements_to_json,
        )
        from simlab.runtime.devices import use_all_cores

        use_all_cores()
        adapt_settings(lambda text: print(f"simlab: {text}", file=sys.stderr))
        saved = SavedParts(folder, settings, describe_machine())
        if not arguments.overwrite:
            saved.read()
        measurements = measure(
            names, settings, lambda measurement: _show_progress(measurement, quiet=arguments.quiet), saved
        )
        if not arguments.quiet:
            show_line("")
        if arguments.json:
            print(measurements_to_json(measurements))
        else:
            print(f"{describe_machine()}\n\n{format_measurements(measurements)}")
        if folder is not None:
            save_and_draw(measurements_to_dataset(saved.measurements), folder)
        return 0

    return action


def _show_progress(measurement, *, quiet: bool) -> None:
    """Show the last measurement on a terminal; a log contains only the final tables."""
    if not quiet:
        where = f"{measurement.benchmark}: {measurement.case}: {measurement.contestant}"
        show_line(f"{where}: {measurement.quantity} {measurement.value:.4g} {measurement.unit}")
