"""``simlab predict``: what theory says of a task, as a table or as JSON."""

import argparse
import json
from collections.abc import Callable
from dataclasses import dataclass, fields

import numpy as np

from experiments.configuration import option
from experiments.options import add_options, convert, read_options, read_real
from experiments.table import format_columns
from experiments.words import predict
from experiments.words.configuration import WordConfiguration
from simlab.validation import check_choice, invalid

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


@dataclass(frozen=True, kw_only=True)
class FreeFeatureOptions:
    """What may be chosen of neural collapse besides the number of classes and the classifier's weight decay."""

    samples_per_class: tuple[int, ...] | int = option(
        100, "neural-collapse: n, or n_k of each class, with commas (100)"
    )
    feature_dim: int | None = option(None, "neural-collapse: dimension of the features, d (K - 1)")
    feature_weight_decay: float = option(1e-5, "neural-collapse: lam_H, nats, of each sample's feature (1e-5)")


def build_predict(parser: argparse.ArgumentParser) -> None:
    """Print what theory predicts for a task."""
    parser.add_argument("name", metavar="NAME", help=", ".join(_PREPARE))
    add_options(parser, WordConfiguration, TASK_OPTIONS)
    parser.add_argument("--weight-decay", metavar="X", help="lam, nats, of embeddings and classifier (0.001)")
    parser.add_argument("--classifier-weight-decay", metavar="X", help="lam_U, nats, if it differs")
    add_options(parser, FreeFeatureOptions)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(prepare=prepare_predict)


def prepare_predict(arguments: argparse.Namespace) -> Action:
    """Predict for the task that the options describe; the other defaults are the paper's."""
    return _PREPARE[check_choice("phenomenon", arguments.name, _PREPARE)](arguments)


def _refuse(arguments: argparse.Namespace, names) -> None:
    """Raise ``ValueError`` if an option was given that belongs to another phenomenon."""
    for name in names:
        if getattr(arguments, name) is not None:
            raise invalid("option", f"one of {arguments.name}", f"--{name.replace('_', '-')}")


def _prepare_feature_collapse(arguments: argparse.Namespace) -> Action:
    _refuse(arguments, [field.name for field in fields(FreeFeatureOptions)])
    given = read_options(arguments, WordConfiguration, TASK_OPTIONS)
    decay = read_real("weight_decay", arguments.weight_decay, 1e-3, positive=True)
    classifier_decay = read_real("classifier_weight_decay", arguments.classifier_weight_decay, decay, positive=True)
    # With LayerNorm the theorem's risk penalises the classifier alone; a penalty on both must be asked for.
    both = arguments.weight_decay is not None and arguments.classifier_weight_decay is not None
    free_embeddings = given.get("layer_norm", False) and not both
    prediction = predict(
        WordConfiguration(
            embedding_weight_decay=0.0 if free_embeddings else decay, classifier_weight_decay=classifier_decay, **given
        )
    )

    def action() -> int:
        print(json.dumps(prediction.to_json()) if arguments.json else _format_prediction(prediction))
        return 0

    return action


def _prepare_neural_collapse(arguments: argparse.Namespace) -> Action:
    _refuse(arguments, ["weight_decay", *(name for name in TASK_OPTIONS if name != "n_classes")])
    given = read_options(arguments, FreeFeatureOptions)
    n_classes = _read_n_classes(arguments.n_classes, given.get("samples_per_class"))
    decay = read_real("classifier_weight_decay", arguments.classifier_weight_decay, 1e-3, positive=True)

    from theory import neural_collapse

    prediction = neural_collapse.predict(n_classes=n_classes, classifier_weight_decay=decay, **given)

    def action() -> int:
        print(json.dumps(prediction.to_json()) if arguments.json else _format_neural_collapse(prediction))
        return 0

    return action


def _read_n_classes(text: str | None, samples) -> int:
    """Return the number of classes: as given, or as many as sizes are listed, or ten."""
    if text is None:
        return len(samples) if isinstance(samples, tuple) else 10
    return convert("n_classes", int, text)


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


def _format_neural_collapse(prediction) -> str:
    """Return a prediction as lines of name and value, one line of norms for each size of class."""
    sizes, first = np.unique(prediction.samples_per_class, return_index=True)
    rows = [
        ("classes", f"{len(prediction.samples_per_class)}"),
        ("cross-entropy (nats)", f"{prediction.cross_entropy:.10g}"),
        ("risk (nats)", f"{prediction.risk:.10g}"),
        ("dimensions needed", f"{prediction.rank}"),
        ("zero threshold", f"{prediction.zero_threshold:.10g}"),
        ("exact", "yes" if prediction.exact else "no"),
        ("rests on", prediction.note),
    ]
    table = [("samples", "feature norm", "classifier norm", "minority threshold", "collapsed")]
    for size, row in zip(sizes[::-1], first[::-1], strict=True):
        numbers = (prediction.feature_norms, prediction.classifier_norms, prediction.collapse_thresholds)
        collapsed = "yes" if prediction.collapsed[row] else "no"
        table.append((f"{size}", *(f"{values[row]:.10g}" for values in numbers), collapsed))
    return f"{format_columns(rows)}\n\n{format_columns(table)}"


_PREPARE = {"feature-collapse": _prepare_feature_collapse, "neural-collapse": _prepare_neural_collapse}
