"""Run an experiment from Python: an experiment of simlab by its name, or a user-defined one.

For example::

    from experiments.sweep import run

    dataset = run("uniform-small-sample", seeds=4, vary={"weight_decay": [1e-3, 2e-3]}, epochs=100)
    dataset.learned.sel(quantity="embedding_norm").mean("seed")
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import xarray

from experiments.core.experiment import Experiment, Plan
from experiments.core.output import prepare_folder
from experiments.core.progress import Quiet
from experiments.core.sweep import run_in_folder, run_plan
from experiments.registry import find_experiment
from simlab.runtime.devices import use_all_cores
from simlab.validation import invalid

__all__ = ["run"]


def run(
    experiment: str | Experiment,
    *,
    preset: str = "quick",
    seeds: int | Sequence[int] | None = None,
    vary: Mapping[str, Iterable] | None = None,
    out: str | Path | None = None,
    trajectories: bool = False,
    progress: Quiet | None = None,
    **overrides: object,
) -> xarray.Dataset:
    """Run an experiment over named axes and return learned and predicted values as one labelled dataset.

    As on the command line, members are distributed over one CPU device per core, unless JAX has already started, or the
    environment or ``jax.config`` sets the number of devices.

    Args:
        experiment: a name listed by ``simlab list``, or an :class:`experiments.core.experiment.Experiment`.
        preset: ``quick`` or ``paper``.
        seeds: the number of seeds, which start at 0, or a list of seeds. None takes the default of the experiment,
            usually one seed.
        vary: values by the name of a field of the experiment's configuration, or of an alias such as ``weight_decay``.
        out: folder for the result; an interrupted sweep continues when called again. None keeps the result in memory.
        trajectories: whether the named arrays are saved at every record.
        progress: receives the progress of the sweep.
        overrides: fields of the configuration, or aliases: ``weight_decay`` sets all weight decays of the regime that
            are not zero.

    Returns:
        A dataset on ``regime``, the varied axes, ``seed``, ``record``, ``quantity``, and the dimensions of the learned
        arrays.

    Raises:
        ValueError: the input is invalid, or the folder holds another sweep; nothing was written.
        OSError: the disk is full; what was saved so far is kept.
    """
    if isinstance(experiment, str):
        experiment = find_experiment(experiment)
    use_all_cores()
    plan = experiment.plan(preset, overrides, seeds, vary or {}, trajectories=trajectories)
    progress = progress or Quiet()
    if out is None:
        return run_plan(plan, progress)
    dataset = run_or_load(plan, Path(out).expanduser(), progress)
    if dataset is None:
        raise invalid("out", "a folder in which no other process runs", str(out))
    return dataset


def run_or_load(plan: Plan, folder: Path, progress: Quiet) -> xarray.Dataset | None:
    """Return the result of a plan in a folder after running its remaining parts; None if another process runs them.

    Raises:
        ValueError: the folder holds another sweep; nothing was written.
        OSError: the disk is full; what was saved so far is kept.
    """
    finished = prepare_folder(folder, plan)
    if finished is not None:
        return finished
    return run_in_folder(plan, folder, lambda sweep: sweep.choose_layouts(), progress)
