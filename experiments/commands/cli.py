"""The command line: ``simlab list | predict | run | atlas | plot | report | verify | bench``.

Results go to stdout, progress and errors to stderr. Exit status: 0 success; 1 a run or a claim failed; 2 invalid input,
reported in one line with nothing written; 130 interrupted; 141 success, but the reader of the output has closed it; 143
terminated.
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
from experiments.commands.failures import Action, attempt
from experiments.commands.parser import CommandParser, join_negative_numbers
from experiments.commands.predict import add_predictor_options, build_predict
from experiments.commands.report import prepare_report
from experiments.commands.run_options import add_experiment_options, build_run
from experiments.commands.streams import kept_going
from experiments.verification.suite import GROUPS
from figures.drawing.venues import VENUES
from simlab import __version__
from simlab.validation import check_choice

# The options that name files and folders.
_PATHS = ("out", "folders", "source_folder", "overview")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit status."""
    return carry_out(lambda: parse(list(sys.argv[1:] if argv is None else argv)))


def carry_out(read: Callable[[], Namespace]) -> int:
    """Read the options, prepare and perform the command, and return the exit status."""
    with kept_going() as output:
        status = _carry_out(read)
        output.flush()
        if output.error is None:
            return status
        if isinstance(output.error, BrokenPipeError):  # as in "simlab list | head -1"
            return status or 141
        return _fail(f"stdout: {output.error.strerror}", 1)


def _carry_out(read: Callable[[], Namespace]) -> int:
    """Carry out a command, report an expected failure in one line, and return the exit status."""

    def prepare() -> Action:
        arguments = with_home(read())
        return arguments.prepare(arguments)

    status, line = attempt(prepare)
    return status if line is None else _fail(line, status)


def with_home(arguments: Namespace) -> Namespace:
    """Return the options with ``~`` expanded in paths, because a shell does not expand it in ``--out=~/runs``."""
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


def parse(argv: Sequence[str]) -> Namespace:
    """Return the options of a command line as texts, with the command's ``prepare``.

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
    """Run one experiment of every phenomenon, and plot learned against predicted values on one page."""
    names = f"phenomena separated by commas: {', '.join(ATLAS_NAMES)} (default: all)"
    parser.add_argument("--only", metavar="NAMES", help=names)
    parser.add_argument("--preset", default="quick", metavar="NAME", help="quick (default) or paper")
    parser.add_argument("--out", metavar="DIR", help="folder of the page and of all runs (default: runs/atlas-PRESET)")
    parser.add_argument("--json", action="store_true", help="print the table as a list of JSON objects")
    parser.add_argument("--quiet", action="store_true", help="show no progress")
    parser.set_defaults(prepare=prepare_atlas)


def _build_plot(parser: CommandParser) -> None:
    """Redraw the figures of saved runs, or draw one page from several runs."""
    parser.add_argument("folders", nargs="+", metavar="DIR", help="folder with results.nc; with --check, a figure file")
    parser.add_argument("--check", action="store_true", help="check figures against the results.nc in their folder")
    parser.add_argument(
        "--overview", metavar="FILE", help="draw one page for a talk, with a panel for each run (.pdf, .png or .svg)"
    )
    parser.add_argument("--figures", metavar="NAMES", help="file names without suffix, by commas (default: all)")
    parser.add_argument("--format", metavar="KINDS", help="pdf, png, svg, separated by commas (default: pdf,png)")
    parser.add_argument("--width", metavar="WIDTH", help="single, double or inches (default: that of each figure)")
    venues = f"width and typeface of {', '.join(VENUES)} (default: those of simlab)"
    parser.add_argument("--style", metavar="VENUE", help=venues)
    parser.set_defaults(prepare=commands.prepare_plot)


def _build_report(parser: CommandParser) -> None:
    """Write one HTML page from saved runs: tables, figures, provenance."""
    parser.add_argument("folders", nargs="+", metavar="DIR", help="folder with results.nc")
    parser.add_argument("--out", default="report.html", metavar="FILE", help="file of the page (default: report.html)")
    parser.add_argument("--title", metavar="TEXT", help="heading of the page (default: the names of the experiments)")
    parser.add_argument("--overwrite", action="store_true", help="replace an existing page")
    parser.set_defaults(prepare=prepare_report)


def _build_verify(parser: CommandParser) -> None:
    """Check the claims of the theorems numerically; exit status 1 if one fails."""
    groups = f"groups of claims: {', '.join(GROUPS)} (default: all)"
    parser.add_argument("names", nargs="*", metavar="NAME", help=groups)
    parser.add_argument("--json", action="store_true", help="print a list of JSON objects")
    parser.add_argument("--out", metavar="DIR", help="also save the claims and their figure in this folder")
    parser.add_argument("--overwrite", action="store_true", help="replace an existing run in the folder")
    parser.add_argument("--quiet", action="store_true", help="show no progress")
    parser.set_defaults(prepare=commands.prepare_verify)


def _build_bench(parser: CommandParser) -> None:
    """Measure speed and memory against the limits of the machine and against PyTorch."""
    benchmarks = f"benchmarks: {', '.join(BENCHMARKS)} (default: all)"
    parser.add_argument("names", nargs="*", metavar="NAME", help=benchmarks)
    parser.add_argument("--preset", default="quick", metavar="NAME", help="quick (default) or paper, except for step")
    parser.add_argument(
        "--only",
        metavar="NAMES",
        help=f"training, overheads: phenomena, comma-separated: {', '.join(ATLAS_NAMES)} (default: all)",
    )
    parser.add_argument("--sizes", default="small,paper", metavar="NAMES", help="step: small, paper (default: both)")
    parser.add_argument("--rounds", default="9", metavar="N", help="repetitions of each measurement (default: 9)")
    parser.add_argument("--members", metavar="N", help="members of a sweep (default: a number for each benchmark)")
    parser.add_argument(
        "--precision",
        default="highest",
        metavar="NAME",
        help="precision of matrix products: highest (default), high or default",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--out", metavar="DIR", help="save each finished case in this folder; measure only the others")
    parser.add_argument("--overwrite", action="store_true", help="replace an existing run in the folder")
    parser.add_argument("--quiet", action="store_true", help="show no progress")
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

# Commands whose options depend on the named experiment or phenomenon.
_OPTIONS_BY_NAME = {"predict": add_predictor_options, "run": add_experiment_options}


if __name__ == "__main__":
    sys.exit(main())
