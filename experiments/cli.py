"""The command line: ``simlab list | predict | run | plot | report | verify | bench``.

Results go to stdout, progress and errors to stderr. Exit status: 0 done; 1 a run or a claim failed; 2 bad input, told
in one line, with nothing written; 130 interrupted.
"""

import argparse
import sys
from collections.abc import Callable, Sequence

from experiments import commands
from experiments.bench_command import prepare_bench
from experiments.benchmarks.suite import BENCHMARKS
from experiments.configuration import Configuration
from experiments.options import add_options
from experiments.phenomena import PHENOMENA
from experiments.predict_command import build_predict
from experiments.report_command import prepare_report
from experiments.run_command import prepare_run
from experiments.verification.suite import GROUPS
from simlab.sweep_manifest import OtherSweep
from simlab.validation import check_choice, is_number, nearest

Action = Callable[[], int]


class _Parser(argparse.ArgumentParser):
    """A parser that knows its own options and whose errors are one line."""

    @property
    def flags(self) -> list[str]:
        """Every option's name."""
        return [flag for action in self._actions for flag in action.option_strings]

    def error(self, message):
        raise ValueError(message)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit status."""
    try:
        action = _prepare(list(sys.argv[1:] if argv is None else argv))
    except ValueError as error:
        print(f"simlab: {error}", file=sys.stderr)
        return 2
    except ArithmeticError as error:  # a solver that did not converge
        print(f"simlab: {error}", file=sys.stderr)
        return 1
    try:
        return action()
    except OtherSweep as error:
        print(f"simlab: {error}", file=sys.stderr)
        return 2
    except (OSError, MemoryError) as error:
        print(f"simlab: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("simlab: interrupted", file=sys.stderr)
        return 130


def _prepare(argv: list[str]) -> Action:
    """Return what the words ask for, with all input checked."""
    parser, subparsers = _build_parser()
    if not argv:
        argv = ["--help"]
    if not argv[0].startswith("-"):
        check_choice("command", argv[0], subparsers)
    arguments, unknown = parser.parse_known_args(_join_negative_numbers(argv))
    if unknown:
        hint = nearest(unknown[0].partition("=")[0], subparsers[argv[0]].flags)
        raise ValueError(f"option: expected one that 'simlab {argv[0]} --help' lists, got {unknown[0]!r}{hint}")
    return arguments.prepare(arguments)


def _join_negative_numbers(argv: list[str]) -> list[str]:
    """Write ``--option -1e-3`` as ``--option=-1e-3``: argparse takes such a number for an option."""
    joined: list[str] = []
    for word in argv:
        if joined and joined[-1].startswith("--") and "=" not in joined[-1] and _is_negative_number(word):
            joined[-1] += f"={word}"
        else:
            joined.append(word)
    return joined


def _is_negative_number(word: str) -> bool:
    return word.startswith("-") and is_number(word.partition(",")[0])


def _build_parser() -> tuple[_Parser, dict[str, _Parser]]:
    parser = _Parser(prog="simlab", description="Train, predict, compare: a theory simulator.", allow_abbrev=False)
    added = parser.add_subparsers(metavar="COMMAND", required=True, parser_class=_Parser)
    subparsers = {}
    for name, build in _COMMANDS.items():
        subparsers[name] = added.add_parser(name, help=build.__doc__, description=build.__doc__, allow_abbrev=False)
        build(subparsers[name])
    return parser, subparsers


def _build_list(parser: argparse.ArgumentParser) -> None:
    """List the experiments."""
    parser.set_defaults(prepare=commands.prepare_list)


def _build_run(parser: argparse.ArgumentParser) -> None:
    """Run an experiment over named axes: train, predict, compare, draw."""
    parser.add_argument("name", nargs="?", metavar="NAME", help="one of those that 'simlab list' shows")
    parser.add_argument("--preset", metavar="NAME", help="quick (default) or paper")
    parser.add_argument("--from", dest="source_folder", metavar="DIR", help="make the run of this folder again")
    parser.add_argument("--out", metavar="DIR", help="folder for results.nc and the figures (runs/NAME-PRESET)")
    parser.add_argument("--overwrite", action="store_true", help="replace another run that the folder holds")
    parser.add_argument("--quiet", action="store_true", help="no progress")
    sweep = parser.add_argument_group("sweep")
    sweep.add_argument("--seeds", metavar="N", help="number of seeds, trained side by side (1)")
    sweep.add_argument("--first-seed", metavar="N", help="the first of the consecutive seeds (0)")
    sweep.add_argument(
        "--vary", action="append", default=[], metavar="NAME=VALUES",
        help="an axis: any option below without its dashes, with 1e-4,3e-4 or log:1e-4:1e-2:9 or lin:2:8:4; repeatable",
    )  # fmt: skip
    sweep.add_argument("--plan", action="store_true", help="print what would be run, how and how long; run nothing")
    sweep.add_argument("--trajectories", action="store_true", help="keep the weights at every record")
    sweep.add_argument("--chunk", metavar="N", help="members that run at once (as many as memory holds)")
    sweep.add_argument("--class-shards", default="1", metavar="N", help="devices that share the classes (1)")
    sweep.add_argument("--shard", metavar="I/N", help="do the share of process I of N, as in a job array")
    sweep.add_argument("--distributed", action="store_true", help="join the processes that the cluster has started")
    sweep.add_argument("--coordinator", metavar="HOST:PORT", help="of process 0, where the cluster is not known")
    sweep.add_argument("--n-processes", metavar="N", help="how many, where the cluster is not known")
    sweep.add_argument("--process-id", metavar="I", help="which this is, where the cluster is not known")
    common = parser.add_argument_group("training", "defaults are those of the preset")
    common.add_argument("--weight-decay", metavar="X", help="lam, nats, where the regime penalises at all")
    add_options(common, Configuration)
    for phenomenon in PHENOMENA:
        add_options(parser.add_argument_group(f"{phenomenon.name} experiments"), phenomenon.configuration)
    parser.set_defaults(prepare=prepare_run)


def _build_plot(parser: argparse.ArgumentParser) -> None:
    """Redraw the figures of saved runs, or draw one page of several."""
    parser.add_argument("folders", nargs="+", metavar="DIR", help="folder that holds results.nc")
    parser.add_argument(
        "--overview", metavar="FILE", help="draw one page for a talk, a panel for each run (.pdf, .png or .svg)"
    )
    parser.set_defaults(prepare=commands.prepare_plot)


def _build_report(parser: argparse.ArgumentParser) -> None:
    """Write one HTML page from saved runs: tables, figures, provenance."""
    parser.add_argument("folders", nargs="+", metavar="DIR", help="folder that holds results.nc")
    parser.add_argument("--out", default="report.html", metavar="FILE", help="the page (report.html)")
    parser.add_argument("--title", metavar="TEXT", help="its heading (the names of the experiments)")
    parser.add_argument("--overwrite", action="store_true", help="replace a page that is there")
    parser.set_defaults(prepare=prepare_report)


def _build_verify(parser: argparse.ArgumentParser) -> None:
    """Check the theorems' claims numerically; exit status 1 if one fails."""
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"groups of claims: {', '.join(GROUPS)} (all)")
    parser.add_argument("--json", action="store_true", help="print a list of JSON objects")
    parser.add_argument("--out", metavar="DIR", help="also save the claims and their figure in this folder")
    parser.add_argument("--overwrite", action="store_true", help="replace a run that the folder holds")
    parser.add_argument("--quiet", action="store_true", help="no progress")
    parser.set_defaults(prepare=commands.prepare_verify)


def _build_bench(parser: argparse.ArgumentParser) -> None:
    """Measure speed and memory beside the machine's limits and beside PyTorch."""
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"benchmarks: {', '.join(BENCHMARKS)} (all)")
    parser.add_argument("--preset", default="quick", metavar="NAME", help="quick (default) or paper, except for step")
    parser.add_argument("--sizes", default="small,paper", metavar="NAMES", help="of step: small, paper (both)")
    parser.add_argument("--rounds", default="9", metavar="N", help="turns of each contestant (9)")
    parser.add_argument("--members", metavar="N", help="of the sweeps of step (256 small; 8 or, on a GPU, 64)")
    parser.add_argument(
        "--precision", default="highest", metavar="NAME", help="of matrix products: highest, high or default"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--out", metavar="DIR", help="also save the measurements and their figure in this folder")
    parser.add_argument("--overwrite", action="store_true", help="replace a run that the folder holds")
    parser.add_argument("--quiet", action="store_true", help="no progress")
    parser.set_defaults(prepare=prepare_bench)


_COMMANDS = {
    "list": _build_list,
    "predict": build_predict,
    "run": _build_run,
    "plot": _build_plot,
    "report": _build_report,
    "verify": _build_verify,
    "bench": _build_bench,
}


if __name__ == "__main__":
    sys.exit(main())
