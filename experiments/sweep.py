"""Run an experiment from Python: one of simlab's by its name, or an object of your own.

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

    As from the command line, members are spread over one CPU device per core, unless JAX has started before, or the
    environment or ``jax.config`` sets the number of devices.

    Args:
        experiment: a name that ``simlab list`` shows, or an :class:`experiments.core.experiment.Experiment`.
        preset: ``quick`` or ``paper``.
        seeds: how many, from 0; or the seeds themselves. None takes as many as the experiment wants, mostly one.
        vary: values by the name of a field of the experiment's configuration, or of an alias such as ``weight_decay``.
        out: folder for the result; the sweep can be interrupted and goes on when called again. None keeps it in memory.
        trajectories: whether the named arrays are kept at every record.
        progress: told how far the sweep has come.
        overrides: fields of the configuration, or aliases: ``weight_decay`` sets all that the regime has.

    Returns:
        A dataset on ``regime``, the varied axes, ``seed``, ``record``, ``quantity``, and the dimensions of the learned
        arrays.

    Raises:
        ValueError: bad input, or the folder holds another sweep; nothing was written.
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
        raise invalid("out", "a folder that no other process works on", str(out))
    return dataset


def run_or_load(plan: Plan, folder: Path, progress: Quiet) -> xarray.Dataset | None:
    """Return the finished result of a plan in a folder, or run what is left of it; None if another process is at it.

    Raises:
        ValueError: the folder holds another sweep; nothing was written.
        OSError: the disk is full; what was saved so far is kept.
    """
    finished = prepare_folder(folder, plan)
    if finished is not None:
        return finished
    return run_in_folder(plan, folder, lambda sweep: sweep.choose_layouts(), progress)
