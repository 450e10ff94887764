"""``simlab run all``: every experiment in turn, as ``simlab run NAME`` runs it; resumable, and it says what is left."""

import sys
from argparse import Namespace
from collections.abc import Sequence
from contextlib import nullcontext, redirect_stdout
from io import StringIO
from pathlib import Path

from experiments.commands.failures import Action, attempt
from experiments.commands.run import prepare_run
from experiments.commands.run_request import read_request
from experiments.core.experiment import Experiment
from experiments.core.options import convert, flag_of, option_types
from experiments.core.output import check_writable
from experiments.registry import NAMES, find_experiment
from experiments.run_all.listing import Item, format_items, items_to_json
from experiments.run_all.measured_time import timed
from experiments.run_all.run_state import RunState, Stage, find_state
from simlab.runtime.stopping import ADVICE
from simlab.storage.results import write_atomically
from simlab.validation import check_choice, first_line, invalid

TABLE_FILE = "table.txt"
ENDED = (130, 143)  # the exit statuses of a run that SIGINT or SIGTERM has ended

# What a fault of simlab's raises: the other experiments are run all the same.
_FAULTS = (ArithmeticError, AttributeError, ImportError, LookupError, RuntimeError, TypeError, ValueError)


def prepare_run_all(arguments: Namespace) -> Action:
    """Check options, plans and folders of all experiments before any is run."""
    preset = check_choice("preset", arguments.preset or "quick", ("quick", "paper"))
    folder = Path(arguments.out or f"runs/all-{preset}")
    check_writable(folder)
    items = _order([_make_item(find_experiment(name), arguments, folder) for name in _choose(arguments)])
    if arguments.plan:
        return lambda: _print(items, as_json=arguments.json)
    for item in items:
        if item.state.stage is Stage.OTHER and not arguments.overwrite:
            wanted = f"a folder without another run in it ({item.state.text}), or --overwrite"
            raise invalid("out", wanted, str(item.folder))
    return lambda: _run_all(items, folder, as_json=arguments.json, quiet=arguments.quiet)


def _choose(arguments: Namespace) -> list[str]:
    """Return the names of ``--only`` without those of ``--skip``, in the order of the list."""
    only = NAMES if arguments.only is None else _read_names("only", arguments.only)
    skipped = () if arguments.skip is None else _read_names("skip", arguments.skip)
    names = [name for name in NAMES if name in only and name not in skipped]
    if not names:
        raise invalid("skip", "one experiment that is not skipped", arguments.skip)
    return names


def _read_names(option: str, text: str) -> list[str]:
    return [check_choice(option, name, NAMES) for name in text.split(",")]


def _make_item(experiment: Experiment, arguments: Namespace, folder: Path) -> Item:
    """Return an experiment with its plan and its state; without a plan where an option that it needs is not given."""
    name, own_folder = experiment.name, folder / experiment.name
    stated = experiment.paper_time if arguments.preset == "paper" else experiment.quick_time
    missing = [flag_of(option) for option in experiment.needs if getattr(arguments, option, None) is None]
    if missing:
        return Item(name, own_folder, stated, RunState(Stage.SKIPPED, f"skipped: needs {', '.join(missing)}"))
    own = _arguments_of(experiment, arguments, own_folder)
    plan = read_request(own).plan
    state = find_state(own_folder, plan)
    own.overwrite = arguments.overwrite and state.stage is Stage.OTHER
    return Item(name, own_folder, stated, state, plan, own)


def _arguments_of(experiment: Experiment, arguments: Namespace, folder: Path) -> Namespace:
    """Return what ``simlab run NAME`` would read, from the options that experiments share and those that it needs."""
    kinds = option_types(experiment.phenomenon.configuration)
    shared = {name: value for name, value in vars(arguments).items() if name not in kinds}
    needed = {name: convert(name, kinds[name], getattr(arguments, name)) for name in experiment.needs}
    fixed = {"experiment": experiment, "out": str(folder), "plan": False, "json": False, "overwrite": False}
    return Namespace(**shared | needed | fixed)


def _order(items: Sequence[Item]) -> list[Item]:
    """Return the experiments, those of the least stated time first.

    What is wrong with an installation is seen at once, and when time runs out a few long runs are left, not many.
    """
    return sorted(items, key=lambda item: item.stated_seconds)


def _run_all(items: list[Item], folder: Path, *, as_json: bool, quiet: bool) -> int:
    """Run what is left of each experiment, print the table, and return the exit status."""
    say = (lambda text: None) if quiet else _say
    failures: dict[str, str] = {}
    status = 0
    for place, item in enumerate(items):
        if item.arguments is None:
            say(f"{item.name}: {item.state.text}")
            continue
        say(f"{item.name} ({place + 1} of {len(items)}): {item.state.text}, stated time {item.stated or 'unknown'}")
        run_status, failure = _run_one(item, item.arguments, folder)
        items[place] = item = item.refreshed()
        if run_status in ENDED:
            status = run_status
            _say(_describe_rest(items))
            break
        status = max(status, min(run_status, 1))
        if failure is not None:
            failures[item.name] = failure
            _say(f"{item.name}: failed after {item.measured}: {failure}")
        else:
            say(f"{item.name}: {item.state.text}, measured time {item.measured}")
    _print(items, failures, as_json=as_json)
    return status


def _run_one(item: Item, arguments: Namespace, folder: Path) -> tuple[int, str | None]:
    """Run what is left of an experiment; return its exit status, and in one line what kept it from being done."""
    is_new = item.state.stage is not Stage.BEGUN
    timing = nullcontext() if item.state.stage is Stage.DONE else timed(folder, item.name, is_new=is_new)
    table = StringIO()
    try:
        with redirect_stdout(table), timing:
            outcome = attempt(lambda: prepare_run(arguments))
    except _FAULTS as error:
        return 1, f"{type(error).__name__}: {first_line(error)}"
    finally:
        _free_memory()
    if table.getvalue():
        text = table.getvalue()
        write_atomically(item.folder / TABLE_FILE, lambda temporary: temporary.write_text(text))
    return outcome


def _describe_rest(items: Sequence[Item]) -> str:
    """Return what is left, and how to go on, in one line."""
    left = [item for item in items if item.state.stage not in (Stage.DONE, Stage.SKIPPED)]
    names = ", ".join(
        f"{item.name} ({item.state.text})" if item.state.stage is Stage.BEGUN else item.name for item in left
    )
    return f"left: {len(left)} of {len(items)}: {names}; {ADVICE}"


def _free_memory() -> None:
    """Forget the compiled programs of an experiment, which no other one uses."""
    import jax

    jax.clear_caches()


def _print(items: Sequence[Item], failures: dict[str, str] | None = None, *, as_json: bool) -> int:
    """Print what is done and what is left."""
    print(items_to_json(items, failures or {}) if as_json else format_items(items, failures or {}))
    return 0


def _say(text: str) -> None:
    print(f"simlab: {text}", file=sys.stderr, flush=True)
