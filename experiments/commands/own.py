"""The command line of a user-defined experiment: the options of ``simlab run``, in a file that calls :func:`main`."""

import sys
from argparse import Namespace
from collections.abc import Sequence

from experiments.commands.cli import carry_out
from experiments.commands.parser import CommandParser, join_negative_numbers
from experiments.commands.run_options import add_run_options, show_experiment
from experiments.core.experiment import Experiment


def main(experiment: Experiment, argv: Sequence[str] | None = None) -> int:
    """Run an experiment as ``simlab run`` runs a registered one, and return the exit status.

    It prints the table of learned against predicted values, and saves ``results.nc`` and the figures in its folder
    (``--out``, by default ``runs/NAME-PRESET``); after an interruption the same command continues the run. The options
    are those of ``simlab run`` and the fields of the experiment's configuration.

    Args:
        experiment: the experiment, registered or not.
        argv: the words of the command line; by default those of the process.
    """
    words = sys.argv[1:] if argv is None else argv
    return carry_out(lambda: _parse(experiment, words))


def _parse(experiment: Experiment, words: Sequence[str]) -> Namespace:
    parser = CommandParser(prog=experiment.name)
    add_run_options(parser)
    show_experiment(parser, experiment)
    parser.set_defaults(experiment=experiment, name=None)
    arguments, unknown = parser.parse_known_args(join_negative_numbers(words))
    if unknown:
        parser.refuse(unknown[0])
    return arguments
