"""``simlab run``: check the input, then train, compare and draw, alone or together with other processes."""

import argparse
import sys
from collections.abc import Callable
from functools import partial

from experiments.commands.environment import adapt_settings, count_devices
from experiments.commands.run_request import RunRequest, read_request
from experiments.core.output import draw_figures, prepare_folder
from experiments.core.progress import make_progress
from experiments.tables.result import format_result
from experiments.tables.result_json import result_to_json
from simlab.runtime.cluster import join_cluster
from simlab.storage.results import RESULTS_FILE
from simlab.validation import invalid

Action = Callable[[], int]


def prepare_run(arguments: argparse.Namespace) -> Action:
    """Check the whole sweep and its folder before training; checks without theory or devices come first."""
    request = read_request(arguments)
    if request.only_plan:
        _predict_regimes(request)
    finished = None if request.only_plan else prepare_folder(request.folder, request.plan, reuse=not request.overwrite)
    if finished is not None:
        return partial(_report_finished, finished, request)
    start_devices()
    if request.only_plan:
        _check_class_devices(request.class_shards)
        return partial(_print_plan, request)
    process = request.shard or (0, 1)
    if request.cluster is not None:
        process = join_cluster(*request.cluster, say=_say)
    _check_class_devices(request.class_shards)
    return partial(_run, request, process, _restore_layouts(request.saved_layouts))


def _predict_regimes(request: RunRequest) -> None:
    """Predict the first cell of each regime, so that a task without a theory is rejected before planning."""
    for cell in {cell.regime: cell for cell in reversed(request.plan.cells)}.values():
        _ = cell.prediction


def start_devices() -> None:
    """Configure JAX before it initialises a device: one CPU device per core, and the compilation cache."""
    from simlab.runtime.compilation_cache import keep_compilations
    from simlab.runtime.devices import use_all_cores

    use_all_cores()
    adapt_settings(_say)
    keep_compilations(_say)


def _check_class_devices(class_shards: int) -> None:
    """Raise ``ValueError`` if there are too few devices for the class axis."""
    n_devices = count_devices()
    if class_shards > n_devices:
        raise invalid("class_shards", f"at most the {n_devices} devices of this process", class_shards)


def _restore_layouts(saved: list[dict] | None) -> tuple | None:
    """Return the layouts of a saved run, or None if it has none or there are too few devices for them."""
    if saved is None:
        return None
    import jax

    from simlab.sweeps.layout import Layout

    layouts = tuple(Layout(**fields) for fields in saved)
    n_devices = len(jax.local_devices())
    needed = max(layout.n_devices for layout in layouts)
    if needed > n_devices:
        print(
            f"the saved run used {needed} devices, but this process has {n_devices}: "
            "using another layout, which gives equal results up to rounding",
            file=sys.stderr,
        )
        return None
    return layouts


def _say(text: str) -> None:
    print(f"simlab: {text}", file=sys.stderr)


def _print_plan(request: RunRequest) -> int:
    """Print the plan of a run: members and programs immediately, memory and time after compilation."""
    from experiments.commands.plan_report import format_plan, format_size
    from experiments.core.sweep import make_sweep

    say = (lambda text: None) if request.quiet else _say
    sweep = make_sweep(request.plan)
    print(format_size(request.plan, sweep), flush=True)
    say("compiling the programs to determine their memory")
    n_processes = (request.shard or (0, 1))[1]
    layouts = sweep.choose_layouts(n_processes=n_processes, chunk=request.chunk, class_shards=request.class_shards)
    print(format_plan(request.plan, sweep, layouts, say))
    return 0


def _run(request: RunRequest, process: tuple[int, int], layouts: tuple | None) -> int:
    """Run the share of this process; the process that finds every part complete writes the result.

    Args:
        request: the parsed options.
        process: index of this process, and number of processes.
        layouts: the layouts of the saved run to repeat, or None.
    """
    import jax

    from experiments.core.sweep import run_in_folder
    from simlab.runtime.stopping import ADVICE, Terminated, ending_on_signals

    def choose_layouts(sweep):
        if layouts is not None and len(layouts) == len(sweep.groups):
            return layouts
        return sweep.choose_layouts(n_processes=process[1], chunk=request.chunk, class_shards=request.class_shards)

    plan, folder = request.plan, request.folder
    try:
        with ending_on_signals(request.grace), make_progress(quiet=request.quiet) as progress:
            dataset = run_in_folder(
                plan,
                folder,
                choose_layouts,
                progress,
                shard=process,
                overwrite=request.overwrite,
                relayout=request.relayout,
            )
    except KeyboardInterrupt:
        print(f"simlab: interrupted; {ADVICE}", file=sys.stderr)
        return 130
    except Terminated:
        print(f"simlab: terminated; {ADVICE}", file=sys.stderr)
        return 143
    except jax.errors.JaxRuntimeError as error:
        if "RESOURCE_EXHAUSTED" not in str(error):
            raise
        raise MemoryError(f"out of memory: {str(error).splitlines()[0]} (fewer members at once: --chunk)") from error
    if dataset is None:
        if not request.quiet:
            print(f"{folder}: other processes run the remaining parts; the last writes the result", file=sys.stderr)
        return 0
    return _report(dataset, request)


def _report_finished(dataset, request: RunRequest) -> int:
    """Report a finished run, and remove the parts of a process that was killed after it had saved the result."""
    from simlab.storage.parts import PARTS_FOLDER, remove_parts

    parts = request.folder / PARTS_FOLDER
    if parts.is_dir() and _belongs(parts, request):
        remove_parts(request.folder)
    return _report(dataset, request)


def _belongs(parts, request: RunRequest) -> bool:
    """Return whether a folder of parts belongs to the requested sweep."""
    from experiments.core.sweep import describe_sweep
    from simlab.storage.manifest import belongs

    return belongs(parts, describe_sweep(request.plan))


def _report(dataset, request: RunRequest) -> int:
    """Print the table, draw the figures, and return the exit status: 1 if a member diverged."""
    print(result_to_json(dataset) if request.as_json else format_result(dataset))
    if "ladder" in dataset.attrs and not request.as_json:
        from experiments.ladder import format_rates

        print(f"\n{format_rates(dataset)}")
    files = RESULTS_FILE
    if request.has_figures:
        n_figures = draw_figures(dataset, request.folder, filter(callable, request.plan.figures))
        files += f" and {n_figures} figure{'s' if n_figures != 1 else ''}, as PDF and PNG"
    if not request.quiet:
        print(f"{request.folder}: {files}", file=sys.stderr)
    for line in members_at_zero(dataset, request.plan):
        print(f"simlab: {line}", file=sys.stderr)
    diverged = int((dataset.status == "diverged").sum())
    if diverged:
        print(f"simlab: {diverged} of {dataset.status.size} members diverged, see 'status'", file=sys.stderr)
    return 1 if diverged else 0


def members_at_zero(dataset, plan) -> list[str]:
    """Return a line for each cell whose members end with a small gradient near zero weights and so did not converge."""
    limits = {cell.spec.until_gradient_norm for cell in plan.cells if cell.spec is not None} - {None}
    if not limits or "history_gradient_norm" not in dataset.variables:
        return []
    # The last record of a member that was not stopped early is that of its last step.
    resting = (dataset.status == "finished") & (dataset.history_gradient_norm.isel(record=-1) <= max(limits))
    places = [name for name in resting.dims if name != "seed"]
    lines = []
    for cell in resting.stack(cell=places).transpose("cell", "seed"):
        if cell.any():
            seeds = ", ".join(str(seed) for seed in cell.seed.values[cell.values])
            where = ", ".join(f"{name} {cell[name].item()}" for name in places)
            lines.append(
                f"until: {where}: seeds {seeds} end near zero weights, where the gradient is small: not converged"
            )
    return lines
