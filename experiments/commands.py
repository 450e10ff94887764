"""What each command does: check its input at once, then return the action."""

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path

from experiments.configuration import Configuration
from experiments.experiment import predict
from experiments.options import read_options, read_positive
from experiments.output import check_folder, draw_figures
from experiments.registry import NAMES, find_experiment
from experiments.table import format_columns
from experiments.verification.claim import FAIL, Claim
from experiments.verification.report import claims_to_dataset, claims_to_json, format_claims
from experiments.verification.suite import any_failed, choose_groups, verify
from simlab.results import RESULTS_FILE, load_dataset, save_dataset
from simlab.validation import check_choice

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
    decay = read_positive("weight_decay", arguments.weight_decay, 1e-3)
    classifier_decay = read_positive("classifier_weight_decay", arguments.classifier_weight_decay, decay)
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


def prepare_plot(arguments: argparse.Namespace) -> Action:
    """Load the saved run."""
    dataset = load_dataset(arguments.folder)

    def action() -> int:
        n_figures = draw_figures(dataset, Path(arguments.folder))
        print(f"{arguments.folder}: {n_figures} figures, as PDF and PNG", file=sys.stderr)
        return 0

    return action


def prepare_verify(arguments: argparse.Namespace) -> Action:
    """Check the names of the claims and the folder before anything is computed."""
    groups = choose_groups(arguments.names)
    folder = None if arguments.out is None else Path(arguments.out)
    if folder is not None:
        check_folder(folder, overwrite=arguments.overwrite)

    def action() -> int:
        claims = verify(groups, lambda claim: _show_progress(claim, quiet=arguments.quiet))
        if sys.stderr.isatty() and not arguments.quiet:
            print("\r\033[K", end="", file=sys.stderr, flush=True)
        print(claims_to_json(claims) if arguments.json else format_claims(claims))
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
            dataset = claims_to_dataset(claims)
            save_dataset(dataset, folder / RESULTS_FILE)
            draw_figures(dataset, folder)
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
