"""The command line: ``simlab list | predict | run | atlas | plot | report | verify | bench``.

Results go to stdout, progress and errors to stderr. Exit status: 0 done; 1 a run or a claim failed; 2 bad input, told
in one line, with nothing written; 130 interrupted; 141 done, but nobody reads the output any longer.
"""

import os
import sys
from argparse import Namespace
from collections.abc import Callable, Sequence

from experiments.atlas.entries import NAMES as ATLAS_NAMES
from experiments.benchmarks.suite import BENCHMARKS
from experiments.commands import simple as commands
from experiments.commands.atlas import prepare_atlas
from experiments.commands.bench import prepare_bench
from experiments.commands.failures import UnreadableRun, describe_failure
from experiments.commands.parser import CommandParser, join_negative_numbers
from experiments.commands.predict import add_predictor_options, build_predict
from experiments.commands.report import prepare_report
from experiments.commands.run_options import add_experiment_options, build_run
from experiments.commands.streams import kept_going
from experiments.verification.suite import GROUPS
from figures.drawing.venues import VENUES
from simlab import __version__
from simlab.storage.manifest import OtherSweep
from simlab.validation import check_choice, first_line

Action = Callable[[], int]

# The options that name files and folders.
_PATHS = ("out", "folders", "source_folder", "overview")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit status."""
    return carry_out(lambda: parse(list(sys.argv[1:] if argv is None else argv)))


def carry_out(read: Callable[[], Namespace]) -> int:
    """Read the options, prepare what they ask for, do it, and return the exit status."""
    with kept_going() as output:
        status = _carry_out(read)
        output.flush()
        if output.error is None:
            return status
        if isinstance(output.error, BrokenPipeError):  # as in "simlab list | head -1"
            return status or 141
        return _fail(f"stdout: {output.error.strerror}", 1)


def _carry_out(read: Callable[[], Namespace]) -> int:
    """Carry out a command, and tell in one line what keeps it from being done."""
    begun = False
    try:
        arguments = with_home(read())
        action = arguments.prepare(arguments)
        begun = True
        return action()
    except (OtherSweep, UnreadableRun) as error:
        return _fail(str(error), 2)
    except ValueError as error:
        if begun and not isinstance(error, OSError):  # input is checked before: this is a fault of simlab's
            raise
        return _fail(str(error), 1 if begun else 2)
    except ArithmeticError as error:  # a solver that did not converge
        return _fail(first_line(error), 1)
    except OSError as error:
        return _fail(_describe_os_error(error), 1 if begun else 2)
    except (MemoryError, RuntimeError, ImportError) as error:
        line = describe_failure(error)
        if line is None:
            raise
        return _fail(line, 1)
    except KeyboardInterrupt:
        return _fail("interrupted", 130)


def with_home(arguments: Namespace) -> Namespace:
    """Return the options with ``~`` expanded in paths: a shell leaves it as it is in ``--out=~/runs``."""
    expanded = {}
    for name in _PATHS:
        match getattr(arguments, name, None):
            case str(path):
                expanded[name] = os.path.expanduser(path)
            case list(paths):
                expanded[name] = [os.path.expanduser(path) for path in paths]
    return Namespace(**vars(arguments) | expanded)


def _fail(line: str, status: int) -> int:
    print(f"simlab: {line}", file=sys.stderr)
    return status


def _describe_os_error(error: OSError) -> str:
    """Return what the operating system did not do, and with which file."""
    if error.strerror is None:
        return first_line(error)
    return error.strerror if error.filename is None else f"{error.filename!r}: {error.strerror}"


def parse(argv: Sequence[str]) -> Namespace:
    """Return the options that the words give, as texts, with the command's ``prepare``.

    Raises:
        ValueError: a command, a name or an option does not exist.
    """
    words = join_negative_numbers(argv or ["--help"])
    parser, subparsers = _build_parser()
    if words[0].startswith("-"):
        if words[0] not in parser.flags:
            parser.refuse(words[0])
        return parser.parse_args(words)
    command = subparsers[check_choice("command", words[0], subparsers)]
    if words[0] in _OPTIONS_BY_NAME:
        _OPTIONS_BY_NAME[words[0]](command, words[1:])
    arguments, unknown = parser.parse_known_args(words)
    if unknown:
        command.refuse(unknown[0])
    return arguments


def _build_parser() -> tuple[CommandParser, dict[str, CommandParser]]:
    parser = CommandParser(prog="simlab", description="Train, predict, compare: a theory simulator.")
    parser.add_argument("--version", action="version", version=f"simlab {__version__}")
    added = parser.add_subparsers(metavar="COMMAND", required=True, parser_class=CommandParser)
    subparsers = {}
    for name, build in _COMMANDS.items():
        subparsers[name] = added.add_parser(name, help=build.__doc__, description=build.__doc__)
        build(subparsers[name])
        subparsers[name].commands = subparsers
    return parser, subparsers


def _build_list(parser: CommandParser) -> None:
    """List the experiments."""
    parser.add_argument("--json", action="store_true", help="print a list of JSON objects")
    parser.set_defaults(prepare=commands.prepare_list)


def _build_atlas(parser: CommandParser) -> None:
    """Run an experiment of every phenomenon, and draw learned on predicted values on one page."""
    parser.add_argument("--only", metavar="NAMES", help=f"separated by commas, of {', '.join(ATLAS_NAMES)} (all)")
    parser.add_argument("--preset", default="quick", metavar="NAME", help="quick (default) or paper")
    parser.add_argument("--out", metavar="DIR", help="folder of the page and of all runs (runs/atlas-PRESET)")
    parser.add_argument("--json", action="store_true", help="print the table as a list of JSON objects")
    parser.add_argument("--quiet", action="store_true", help="no progress")
    parser.set_defaults(prepare=prepare_atlas)


def _build_plot(parser: CommandParser) -> None:
    """Redraw the figures of saved runs, or draw one page of several."""
    parser.add_argument("folders", nargs="+", metavar="DIR", help="folder that holds results.nc; a figure with --check")
    parser.add_argument("--check", action="store_true", help="say whether figures show the results.nc beside them")
    parser.add_argument(
        "--overview", metavar="FILE", help="draw one page for a talk, a panel for each run (.pdf, .png or .svg)"
    )
    parser.add_argument("--figures", metavar="NAMES", help="names of their files, separated by commas (all)")
    parser.add_argument("--format", metavar="KINDS", help="pdf, png, svg (pdf,png)")
    parser.add_argument("--width", metavar="WIDTH", help="single, double or inches (that of each figure)")
    parser.add_argument("--style", metavar="VENUE", help=f"width and typeface of {', '.join(VENUES)} (those of simlab)")
    parser.set_defaults(prepare=commands.prepare_plot)


def _build_report(parser: CommandParser) -> None:
    """Write one HTML page from saved runs: tables, figures, provenance."""
    parser.add_argument("folders", nargs="+", metavar="DIR", help="folder that holds results.nc")
    parser.add_argument("--out", default="report.html", metavar="FILE", help="the page (report.html)")
    parser.add_argument("--title", metavar="TEXT", help="its heading (the names of the experiments)")
    parser.add_argument("--overwrite", action="store_true", help="replace a page that is there")
    parser.set_defaults(prepare=prepare_report)


def _build_verify(parser: CommandParser) -> None:
    """Check the theorems' claims numerically; exit status 1 if one fails."""
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"groups of claims: {', '.join(GROUPS)} (all)")
    parser.add_argument("--json", action="store_true", help="print a list of JSON objects")
    parser.add_argument("--out", metavar="DIR", help="also save the claims and their figure in this folder")
    parser.add_argument("--overwrite", action="store_true", help="replace a run that the folder holds")
    parser.add_argument("--quiet", action="store_true", help="no progress")
    parser.set_defaults(prepare=commands.prepare_verify)


def _build_bench(parser: CommandParser) -> None:
    """Measure speed and memory beside the machine's limits and beside PyTorch."""
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"benchmarks: {', '.join(BENCHMARKS)} (all)")
    parser.add_argument("--preset", default="quick", metavar="NAME", help="quick (default) or paper, except for step")
    parser.add_argument(
        "--only", metavar="NAMES", help=f"of training: separated by commas, of {', '.join(ATLAS_NAMES)} (all)"
    )
    parser.add_argument("--sizes", default="small,paper", metavar="NAMES", help="of step: small, paper (both)")
    parser.add_argument("--rounds", default="9", metavar="N", help="turns of each contestant (9)")
    parser.add_argument("--members", metavar="N", help="of the sweeps (each benchmark has its own number)")
    parser.add_argument(
        "--precision", default="highest", metavar="NAME", help="of matrix products: highest, high or default"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--out", metavar="DIR", help="save each finished case here, and continue what is there")
    parser.add_argument("--overwrite", action="store_true", help="replace a run that the folder holds")
    parser.add_argument("--quiet", action="store_true", help="no progress")
    parser.set_defaults(prepare=prepare_bench)


_COMMANDS = {
    "list": _build_list,
    "predict": build_predict,
    "run": build_run,
    "atlas": _build_atlas,
    "plot": _build_plot,
    "report": _build_report,
    "verify": _build_verify,
    "bench": _build_bench,
}

# Of these commands, what can be chosen depends on the experiment or phenomenon that is named.
_OPTIONS_BY_NAME = {"predict": add_predictor_options, "run": add_experiment_options}


if __name__ == "__main__":
    sys.exit(main())
