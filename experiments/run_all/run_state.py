"""How far the run of a plan in a folder has come; nothing is computed, and JAX is not imported."""

import math
from enum import Enum
from pathlib import Path
from typing import NamedTuple

from experiments.core.experiment import Plan
from experiments.core.output import load_finished
from simlab.storage.manifest import differences, read_manifest, summarise
from simlab.storage.parts import PARTS_FOLDER
from simlab.storage.results import ResultUnreadable


class Stage(Enum):
    """What a folder holds of a run."""

    DONE = "done"
    BEGUN = "begun"
    NOT_BEGUN = "not begun"
    OTHER = "another run"
    SKIPPED = "skipped"


class RunState(NamedTuple):
    """How far a run has come.

    Attributes:
        stage: what the folder holds.
        text: the same in words.
        n_diverged: members of a finished run that diverged.
    """

    stage: Stage
    text: str
    n_diverged: int = 0


def find_state(folder: Path, plan: Plan) -> RunState:
    """Return how far the run of a plan has come in its folder."""
    try:
        finished = load_finished(folder, plan)
    except ResultUnreadable as error:
        return RunState(Stage.OTHER, str(error))
    except ValueError as error:  # of another sweep, or of another version
        return RunState(Stage.OTHER, f"another run: {error}")
    if finished is not None:
        n_diverged = int((finished.status == "diverged").sum())
        return RunState(Stage.DONE, f"done, {n_diverged} diverged" if n_diverged else "done", n_diverged)
    manifest = read_manifest(folder / PARTS_FOLDER)
    if manifest is None:
        return RunState(Stage.NOT_BEGUN, "not begun")
    begun = {name: value for name, value in manifest["sweep"].items() if name != "settings"}
    differing = differences(begun, plan.describe())
    if differing:
        return RunState(Stage.OTHER, f"another run: {summarise(differing)}")
    n_complete = len(list((folder / PARTS_FOLDER).glob("*.done")))
    return RunState(Stage.BEGUN, f"{n_complete} of {count_parts(plan, manifest['layout']['groups'])} parts")


def count_parts(plan: Plan, layouts: list[dict]) -> int:
    """Return the number of parts into which a sweep is cut.

    Args:
        plan: of the sweep.
        layouts: the fields of the layout of each program, in the order in which the programs first occur.
    """
    if plan.phenomenon.make_training_spec is None:
        return len(plan.cells) * len(plan.seeds)
    sizes: dict[object, int] = {}
    for cell in plan.cells:
        sizes[cell.spec.group_key] = sizes.get(cell.spec.group_key, 0) + len(plan.seeds)
    return sum(math.ceil(size / layout["part"]) for size, layout in zip(sizes.values(), layouts, strict=True))
