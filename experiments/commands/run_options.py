"""The options of ``simlab run``: those of every run, and those of the named experiment."""

import dataclasses
from collections.abc import Sequence

from experiments.commands.parser import CommandParser
from experiments.commands.run import prepare_run
from experiments.commands.run_all import prepare_run_all
from experiments.core.configuration import GROUPS, Configuration, fields_set
from experiments.core.experiment import Experiment
from experiments.core.options import add_options, default_text, flag_of
from experiments.phenomena import load_configurations
from experiments.registry import NAMES, find_experiment

PRESETS = ("quick", "paper")

# In place of the name of an experiment: every one in turn, with the options that all have.
ALL = "all"
SHARED = (
    *("help", "preset", "seeds", "first_seed", "plan", "chunk", "relayout", "grace"),
    *("out", "overwrite", "no_figures", "json", "quiet"),
)


def build_run(parser: CommandParser) -> None:
    """Run an experiment over named axes: train, predict, compare, draw."""
    parser.add_argument("name", nargs="?", metavar="NAME", help="an experiment, as listed by 'simlab list', or all")
    add_run_options(parser)


def add_run_options(parser: CommandParser) -> None:
    """Add the options that every run has, independent of the experiment."""
    for title in GROUPS:  # created first to come first in help, which omits empty groups
        parser.add_argument_group(title)
    sweep = parser.add_argument_group("sweep")
    sweep.add_argument("--preset", metavar="NAME", help="quick (default) or paper")
    sweep.add_argument("--from", dest="source_folder", metavar="DIR", help="rerun the saved configuration of a folder")
    sweep.add_argument("--seeds", metavar="N", help="number of seeds, trained side by side (default: 1)")
    sweep.add_argument("--first-seed", metavar="N", help="the first of the consecutive seeds (default: 0)")
    sweep.add_argument(
        "--vary", action="append", default=[], metavar="NAME=VALUES",
        help="an axis: the name of an option of task, network or training, with its values as 1e-4,3e-4 or "
        "log:1e-4:1e-2:9 or lin:2:8:4; repeatable",
    )  # fmt: skip
    sweep.add_argument(
        "--ladder",
        metavar="NAME=VALUES",
        help="an axis as in --vary, along which the convergence rate of |learned - predicted| is fitted",
    )
    sweep.add_argument("--plan", action="store_true", help="print members, memory and estimated time; run nothing")
    sweep.add_argument("--trajectories", action="store_true", help="save the weights at every record")
    sweep.add_argument("--chunk", metavar="N", help="members trained at once (default: as many as fit into memory)")
    sweep.add_argument("--class-shards", default="1", metavar="N", help="devices that share the classes (default: 1)")
    sweep.add_argument("--shard", metavar="I/N", help="run share I (from 0) of N shares, as in a job array")
    sweep.add_argument("--distributed", action="store_true", help="join the processes that the cluster has started")
    sweep.add_argument("--coordinator", metavar="HOST:PORT", help="address of process 0, if JAX does not detect it")
    sweep.add_argument("--n-processes", metavar="N", help="number of processes, if JAX does not detect it")
    sweep.add_argument("--process-id", metavar="I", help="index of this process, if JAX does not detect it")
    sweep.add_argument(
        "--relayout",
        action="store_true",
        help="continue a sweep that was started on other devices: finished parts are kept, the others start again",
    )
    sweep.add_argument(
        "--grace",
        default="20",
        metavar="SECONDS",
        help="time after SIGTERM in which the run is saved and ended (default: 20)",
    )
    output = parser.add_argument_group("output")
    output.add_argument(
        "--out", metavar="DIR", help="folder for results.nc and the figures (default: runs/NAME-PRESET)"
    )
    output.add_argument("--overwrite", action="store_true", help="replace another run in the folder")
    output.add_argument("--no-figures", action="store_true", help="draw no figures; 'simlab plot DIR' draws them later")
    output.add_argument("--json", action="store_true", help="print the table as a list of JSON objects")
    output.add_argument("--quiet", action="store_true", help="show no progress")
    parser.load_records = load_configurations
    parser.set_defaults(prepare=prepare_run, experiment=None)


def add_experiment_options(parser: CommandParser, words: Sequence[str]) -> None:
    """Add the options of the experiment named in the words.

    Without a name (``--help``, ``--from``), the options of all phenomena are accepted, so that an error can name the
    offending one; help shows the shared ones.

    Raises:
        ValueError: there is no such experiment.
    """
    name = parser.find_name(words)
    if name == ALL:
        _show_all(parser)
        return
    if name is None:
        add_options(parser, Configuration)
        for configuration in parser.load_records().values():
            add_options(parser, configuration, hidden=True)
        parser.usage = f"{parser.prog} NAME [options]"
        parser.epilog = (
            f"experiments: {', '.join(NAMES)}. 'simlab run NAME --help' shows the options of an experiment, "
            f"'simlab run {ALL} --help' those of running all of them."
        )
        return
    show_experiment(parser, find_experiment(name))
    parser.prog = f"simlab run {name}"
    parser.usage = f"{parser.prog} [options]"


def _show_all(parser: CommandParser) -> None:
    """Keep the options that all experiments have; add those that choose, and those without which some cannot run."""
    parser.keep_options(SHARED)
    choice = parser.add_argument_group("experiments")
    choice.add_argument("--only", metavar="NAMES", help="run these, separated by commas (default: all)")
    choice.add_argument("--skip", metavar="NAMES", help="run all but these, separated by commas")
    for experiment in map(find_experiment, NAMES):
        for option in experiment.needs:
            text = f"of {experiment.name}, which is skipped if it is not given"
            choice.add_argument(flag_of(option), metavar=option.upper(), help=text)
    actions = parser._option_string_actions
    actions["--seeds"].help = "number of seeds of each (default: those of the preset)"
    actions["--plan"].help = "print what is done and what is left; run nothing"
    actions["--out"].help = "folder for a folder of each (default: runs/all-PRESET)"
    actions["--overwrite"].help = "replace runs of other plans that the folders hold"
    parser.prog = f"simlab run {ALL}"
    parser.usage = f"{parser.prog} [options]"
    parser.description = (
        "Run every experiment in turn, each in DIR/NAME as by 'simlab run NAME', those of the least stated time first. "
        "After an interruption the same command resumes; finished runs are loaded. Each table is in "
        "DIR/NAME/table.txt."
    )
    parser.set_defaults(prepare=prepare_run_all)


def show_experiment(parser: CommandParser, experiment: Experiment) -> None:
    """Add the options of an experiment, with the defaults of its presets."""
    add_options(parser, experiment.phenomenon.configuration, default_texts(experiment))
    seeds = (str(experiment.seeds.get(preset, 1)) for preset in PRESETS)
    parser._option_string_actions["--seeds"].help = f"number of seeds, trained side by side (default: {_join(*seeds)})"
    parser.description = experiment.summary


def default_texts(experiment: Experiment) -> dict[str, str]:
    """Return the default of each field of an experiment's configuration as text, for both presets."""
    names = [field.name for field in dataclasses.fields(experiment.phenomenon.configuration)]
    return {name: _join(*(_preset_text(experiment, preset, name) for preset in PRESETS)) for name in names}


def _preset_text(experiment: Experiment, preset: str, name: str) -> str:
    """Return the value of a field in a preset as text."""
    configuration = experiment.phenomenon.configuration
    if any(name in fields_set(configuration, axis) for axis in experiment.vary.get(preset, {})):
        return "varied"
    texts = {default_text(getattr(regime.configuration(preset), name)) for regime in experiment.regimes}
    return texts.pop() if len(texts) == 1 else "varies by regime"


def _join(quick: str, paper: str) -> str:
    return quick if quick == paper else f"quick {quick}, paper {paper}"
