"""The table of ``simlab run all``: state, members, measured and stated time of each experiment."""

import json
import math
from argparse import Namespace
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from experiments.core.experiment import Plan
from experiments.run_all.measured_time import MeasuredTime, measured_times
from experiments.run_all.run_state import RunState, find_state
from experiments.run_all.stated_time import read_stated_time
from experiments.tables.columns import format_columns

HEADER = ("experiment", "members", "measured", "stated", "state")


class Item(NamedTuple):
    """An experiment among those that are run in turn.

    Attributes:
        name: of the experiment.
        folder: of its run.
        stated: the time of the preset, as the experiment states it.
        plan: what is run; None if an option is missing.
        arguments: those of ``simlab run NAME``; None if an option is missing.
        state: how far the run has come.
    """

    name: str
    folder: Path
    stated: str
    state: RunState
    plan: Plan | None = None
    arguments: Namespace | None = None

    def refreshed(self) -> "Item":
        """Return the item with the state that its folder shows now."""
        return self if self.plan is None else self._replace(state=find_state(self.folder, self.plan))

    @property
    def n_members(self) -> int | None:
        """Members of the sweep; None if an option is missing."""
        return None if self.plan is None else len(self.plan.cells) * len(self.plan.seeds)

    @property
    def measured(self) -> MeasuredTime:
        """The time that the run has taken so far."""
        return measured_times(self.folder.parent).get(self.name, MeasuredTime())

    @property
    def stated_seconds(self) -> float:
        """The stated time in seconds, infinite if none is stated."""
        return read_stated_time(self.stated, 1 if self.plan is None else len(self.plan.seeds))


def format_items(items: Sequence[Item], failures: Mapping[str, str]) -> str:
    """Return the table as aligned columns, a line for each experiment; the state, which may be long, comes last."""
    rows = [HEADER[:-1]]
    rows += [
        (item.name, "-" if item.n_members is None else str(item.n_members), str(item.measured), item.stated or "-")
        for item in items
    ]
    states = [HEADER[-1], *(_text(item, failures) for item in items)]
    lines = format_columns(rows).splitlines()
    width = max(map(len, lines))
    return "\n".join(f"{line.ljust(width)}  {state}" for line, state in zip(lines, states, strict=True))


def items_to_json(items: Sequence[Item], failures: Mapping[str, str]) -> str:
    """Return the table as a list of JSON objects."""
    return json.dumps([_row(item, failures) for item in items], indent=1)


def _row(item: Item, failures: Mapping[str, str]) -> dict[str, object]:
    measured = item.measured  # read from the disk
    return {
        "experiment": item.name,
        "state": _text(item, failures),
        "members": item.n_members,
        "seconds": None if math.isnan(measured.seconds) else measured.seconds,
        "is_lower_bound": measured.is_lower_bound,
        "stated_time": item.stated,
    }


def _text(item: Item, failures: Mapping[str, str]) -> str:
    return f"failed: {failures[item.name]}" if item.name in failures else item.state.text
