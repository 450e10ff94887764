"""What each command does: check its input at once, then return the action."""

import argparse
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

from experiments.configuration import Configuration
from experiments.experiment import Plan, Progress, make_plan, predict, run_plan
from experiments.options import read_options
from experiments.progress import make_progress
from experiments.registry import NAMES, find_experiment
from experiments.table import format_columns, format_comparison
from experiments.verification.claim import FAIL, Claim
from experiments.verification.report import claims_to_dataset, claims_to_json, format_claims
from experiments.verification.suite import any_failed, choose_groups, verify
from simlab.results import RESULTS_FILE, load_dataset, save_dataset, write_atomically
from simlab.validation import check_choice, check_count, check_real, invalid

Action = Callable[[], int]

TASK_OPTIONS = (
    "n_concepts",
    "n_words",
    "sentence_length",
    "n_classes",
    "word_frequency",
    "embedding_dim",
    "layer_norm",
)


def prepare_list(arguments: argparse.Namespace) -> Action:
    """List name, summary and time of every experiment."""

    def action() -> int:
        experiments = [find_experiment(name) for name in NAMES]
        rows = [
            ("experiment", "quick", "paper (one seed)"),
            *((e.name, e.quick_time, e.paper_time) for e in experiments),
        ]
        lines = format_columns(rows).splitlines()
        summaries = ["", *(experiment.summary for experiment in experiments)]
        print("\n".join(f"{line}   {summary}".rstrip() for line, summary in zip(lines, summaries, strict=True)))
        return 0

    return action


def prepare_predict(arguments: argparse.Namespace) -> Action:
    """Predict for the task that the options describe; the other defaults are the paper's."""
    check_choice("experiment", arguments.name, ("feature-collapse",))
    given = read_options(arguments, Configuration, TASK_OPTIONS)
    decay = _read_positive("weight_decay", arguments.weight_decay, 1e-3)
    classifier_decay = _read_positive("classifier_weight_decay", arguments.classifier_weight_decay, decay)
    # With LayerNorm the theorem's risk penalises the classifier alone; a penalty on both must be asked for.
    both = arguments.weight_decay is not None and arguments.classifier_weight_decay is not None
    free_embeddings = given.get("layer_norm", False) and not both
    prediction = predict(
        Configuration(
            embedding_weight_decay=0.0 if free_embeddings else decay, classifier_weight_decay=classifier_decay, **given
        )
    )

    def action() -> int:
        print(json.dumps(prediction.to_json()) if arguments.json else _format_prediction(prediction))
        return 0

    return action


def _read_positive(field: str, text: str | None, default: float | None) -> float | None:
    """Return a positive number, or the default if the option was not given."""
    if text is None:
        return default
    try:
        value = float(text)
    except ValueError:
        raise invalid(field, "a number", text) from None
    return check_real(field, value, positive=True)


def _read_count(field: str, text: str, minimum: int) -> int:
    try:
        return check_count(field, int(text), minimum)
    except ValueError:
        raise invalid(field, f"a whole number of at least {minimum}", text) from None


def _format_prediction(prediction) -> str:
    """Return a prediction as lines of name and value."""
    norms = prediction.embedding_norms
    agree = norms.min() == norms.max()
    rows = [
        ("collapse type", prediction.collapse_type),
        ("embedding norm", f"{norms[0]:.10g}" if agree else f"{norms[0]:.10g} (rank 1) to {norms[-1]:.10g}"),
        ("classifier norm", f"{prediction.classifier_norm:.10g}"),
        ("cross-entropy (nats)", f"{prediction.cross_entropy:.10g}"),
        ("risk (nats)", f"{prediction.risk:.10g}"),
        ("zero threshold", "none" if prediction.zero_threshold is None else f"{prediction.zero_threshold:.10g}"),
        ("exact", "yes, a theorem" if prediction.exact else "no, an approximation"),
    ]
    lines = [format_columns(rows)]
    if prediction.is_zero:
        lines.append("The weight decay is above the zero threshold: the minimiser is the zero network.")
    lines += [f"assumption not met: {one.name}: {one.reason}" for one in prediction.assumptions if not one.holds]
    return "\n".join(lines)


def prepare_run(arguments: argparse.Namespace) -> Action:
    """Check the whole run and its folder before any training."""
    experiment = find_experiment(arguments.name)
    check_choice("preset", arguments.preset, ("quick", "paper"))
    n_seeds = _read_count("seeds", arguments.seeds, 1)
    first = _read_count("first_seed", arguments.first_seed, 0)
    if first + n_seeds > 2**32:
        raise invalid("first_seed", "seeds below 2^32", first)
    overrides = read_options(arguments, Configuration)
    decay = _read_positive("weight_decay", arguments.weight_decay, None)
    configurations = experiment.configurations(arguments.preset, overrides, weight_decay=decay)
    folder = Path(arguments.out or f"runs/{experiment.name}-{arguments.preset}")
    _check_folder(folder, overwrite=arguments.overwrite)
    plan = make_plan(experiment, configurations, range(first, first + n_seeds))

    def action() -> int:
        folder.mkdir(parents=True, exist_ok=True)
        with make_progress(quiet=arguments.quiet) as progress:
            dataset = _run_in_memory(plan, progress)
        save_dataset(dataset, folder / RESULTS_FILE)
        print(format_comparison(dataset))
        n_figures = _draw(dataset, folder)
        if not arguments.quiet:
            print(f"{folder}: {RESULTS_FILE} and {n_figures} figures, as PDF and PNG", file=sys.stderr)
        return _report_diverged(dataset)

    return action


def _run_in_memory(plan: Plan, progress: Progress):
    """Run a plan; raise ``MemoryError`` with one line if the device cannot hold it."""
    import jax

    try:
        return run_plan(plan, progress)
    except jax.errors.JaxRuntimeError as error:
        if "RESOURCE_EXHAUSTED" not in str(error):
            raise
        raise MemoryError(f"out of memory: {str(error).splitlines()[0]}") from error


def _report_diverged(dataset) -> int:
    """Return the exit status of a run: 1 if a member diverged, which is told on stderr."""
    diverged = int((dataset.status == "diverged").sum())
    if diverged:
        print(f"simlab: {diverged} of {dataset.status.size} members diverged, see 'status'", file=sys.stderr)
    return 1 if diverged else 0


def _check_folder(folder: Path, *, overwrite: bool) -> None:
    """Raise ``ValueError`` if results cannot go to ``folder``."""
    parent = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    if not parent.is_dir():
        raise invalid("out", "a folder", str(folder))
    if not os.access(parent, os.W_OK | os.X_OK):
        raise invalid("out", "a folder that can be written to", str(folder))
    if (folder / RESULTS_FILE).exists() and not overwrite:
        raise invalid("out", "a folder without a run in it (or --overwrite)", str(folder))


def prepare_plot(arguments: argparse.Namespace) -> Action:
    """Load the saved run."""
    dataset = load_dataset(arguments.folder)

    def action() -> int:
        n_figures = _draw(dataset, Path(arguments.folder))
        print(f"{arguments.folder}: {n_figures} figures, as PDF and PNG", file=sys.stderr)
        return 0

    return action


def prepare_verify(arguments: argparse.Namespace) -> Action:
    """Check the names of the claims and the folder before anything is computed."""
    groups = choose_groups(arguments.names)
    folder = None if arguments.out is None else Path(arguments.out)
    if folder is not None:
        _check_folder(folder, overwrite=arguments.overwrite)

    def action() -> int:
        claims = verify(groups, lambda claim: _show_progress(claim, quiet=arguments.quiet))
        if sys.stderr.isatty() and not arguments.quiet:
            print("\r\033[K", end="", file=sys.stderr, flush=True)
        print(claims_to_json(claims) if arguments.json else format_claims(claims))
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
            dataset = claims_to_dataset(claims)
            save_dataset(dataset, folder / RESULTS_FILE)
            _draw(dataset, folder)
        return 1 if any_failed(claims) else 0

    return action


def _show_progress(claim: Claim, *, quiet: bool) -> None:
    """Tell on stderr that a claim is decided: on a terminal over the last one, in a log only if it failed."""
    if quiet:
        return
    if sys.stderr.isatty():
        print(f"\r\033[K{claim.status}: {claim.claim}"[:110], end="", file=sys.stderr, flush=True)
    elif claim.status == FAIL:
        print(f"{claim.status}: {claim.claim}", file=sys.stderr, flush=True)


def _draw(dataset, folder: Path) -> int:
    """Draw every figure of a run into its folder, as PDF and PNG, and return their number."""
    from figures import draw, figures_of
    from figures.style import save

    names = figures_of(dataset)
    for name in names:
        figure = draw(name, dataset)
        for suffix in (".pdf", ".png"):
            path = folder / f"{name}{suffix}"
            write_atomically(path, lambda temporary, figure=figure: save(figure, temporary))
    return len(names)
