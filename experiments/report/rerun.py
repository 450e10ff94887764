"""The commands that make a saved run again."""

import json
import shlex
from collections.abc import Iterator, Sequence

from experiments.registry import NAMES, find_experiment
from experiments.report.saved_run import SavedRun

PRESETS = ("quick", "paper")


def rerun_commands(run: SavedRun) -> list[str]:
    """Return the lines of a shell that make a run again: from its file, and without it if such a command is known."""
    dataset = run.dataset
    kind = dataset.attrs["experiment"]
    if kind == "verify":
        return ["# every claim, these among them", "simlab verify --out DIR"]
    if kind == "bench":
        names = dict.fromkeys(map(str, dataset.benchmark.values)) if "benchmark" in dataset.variables else ()
        return [shlex.join(["simlab", "bench", *names, "--out", "DIR"])]
    if "sweep" not in dataset.attrs:
        return []
    lines = ["# from its file, on the same layout", shlex.join(["simlab", "run", "--from", run.folder, "--out", "DIR"])]
    words = run_words(json.loads(dataset.attrs["sweep"]))
    if words is not None:
        lines += ["# without its file", shlex.join(["simlab", "run", *words, "--out", "DIR"])]
    return lines


def run_words(sweep: dict) -> list[str] | None:
    """Return the shortest words that ask for a sweep, without the file that holds it; None if there are none.

    Args:
        sweep: what ``attrs["sweep"]`` describes.
    """
    if sweep.get("experiment") not in NAMES or not _are_consecutive(sweep["seeds"]):
        return None
    experiment = find_experiment(sweep["experiment"])
    return min(_candidates(experiment, sweep), key=len, default=None)


def _are_consecutive(seeds: Sequence[int]) -> bool:
    return list(seeds) == list(range(seeds[0], seeds[0] + len(seeds)))


def _candidates(experiment, sweep: dict) -> Iterator[list[str]]:
    """Yield words that were checked to ask for this sweep, for each preset, with and without an alias."""
    for preset in PRESETS:
        for alias in ({}, *_aliases(experiment.phenomenon.configuration.aliases, sweep["configuration"])):
            words = _try_words(experiment, sweep, preset, alias)
            if words is not None:
                yield words


def _aliases(aliases: dict[str, tuple[str, ...]], wanted: dict[str, dict]) -> Iterator[dict[str, object]]:
    """Yield each alias with each value other than zero of a field that it sets."""
    for name, targets in aliases.items():
        values = [fields.get(target) for fields in wanted.values() for target in targets]
        yield from ({name: value} for value in dict.fromkeys(values) if value)


def _try_words(experiment, sweep: dict, preset: str, alias: dict[str, object]) -> list[str] | None:
    """Return the words that turn a preset into a sweep, or None if what they ask for is another one."""
    overrides = _overrides(experiment.configurations(preset, alias), sweep["configuration"])
    if overrides is None:
        return None
    try:
        plan = experiment.plan(
            preset, overrides | alias, sweep["seeds"], sweep["axes"], trajectories=sweep["trajectories"]
        )
    except (TypeError, ValueError):
        return None  # for one, an axis cannot vary what is also fixed; and another version may hold other fields
    return _words(sweep, preset, overrides | alias) if _plain(plan.describe()) == sweep else None


def _overrides(start: dict, wanted: dict[str, dict]) -> dict[str, object] | None:
    """Return the fields to change and their values, the same in every regime; None if there are no such."""
    if list(start) != list(wanted):
        return None
    changed = {}
    for regime, fields in wanted.items():
        for name, value in fields.items():
            if _plain(getattr(start[regime], name, None)) != value:
                changed.setdefault(name, []).append(value)
    if any(value != values[0] for values in changed.values() for value in values):
        return None
    # What is None cannot be said; setting its counterpart (steps for epochs) clears it.
    return {name: _frozen(values[0]) for name, values in changed.items() if values[0] is not None}


def _words(sweep: dict, preset: str, overrides: dict[str, object]) -> list[str] | None:
    """Return the words of a sweep; None if a value cannot be written as one."""
    words = [sweep["experiment"], "--preset", preset]
    for name, value in overrides.items():
        words += _option(name, value)
    for name, values in sweep["axes"].items():
        if any(isinstance(value, list) or "," in str(value) for value in values):
            return None
        words += ["--vary", f"{name.replace('_', '-')}={','.join(map(_text, values))}"]
    words += ["--seeds", str(len(sweep["seeds"]))]
    words += ["--first-seed", str(sweep["seeds"][0])] if sweep["seeds"][0] else []
    return [*words, "--trajectories"] if sweep["trajectories"] else words


def _option(name: str, value: object) -> list[str]:
    flag = name.replace("_", "-")
    if isinstance(value, bool):
        return [f"--{flag}" if value else f"--no-{flag}"]
    return [f"--{flag}", _text(value)]


def _text(value: object) -> str:
    if isinstance(value, tuple):
        return ",".join(map(repr, value))
    return str(value).lower() if isinstance(value, bool) else str(value)


def _plain(value):
    """Return a value as it comes back from JSON."""
    return json.loads(json.dumps(value))


def _frozen(value):
    return tuple(value) if isinstance(value, list) else value
