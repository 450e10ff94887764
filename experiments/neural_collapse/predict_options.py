"""``simlab predict neural-collapse``: what may be chosen, and the prediction as a table."""

from dataclasses import dataclass

import numpy as np

from experiments.core.configuration import NETWORK, TASK, TRAINING, option
from experiments.core.predictor import Predictor
from experiments.neural_collapse.configuration import ClassConfiguration, check_decay_product
from experiments.tables.columns import format_columns
from simlab.sizes import check_array
from simlab.validation import check_real


@dataclass(frozen=True, kw_only=True)
class NeuralCollapseOptions:
    """A task of free features; defaults are those of :func:`theory.neural_collapse.predict`."""

    n_classes: int | None = option(None, "classes, K; if not given, as many as sizes are listed, or ten", group=TASK)
    samples_per_class: tuple[int, ...] | int | str = option(
        100, "n, or n_k of each class with commas, or long-tail:LARGEST:RATIO, or step:LARGEST:RATIO", group=TASK
    )
    feature_dim: int | None = option(None, "dimension of the features, d; K - 1 if it is not given", group=NETWORK)
    feature_weight_decay: float = option(1e-5, "lam_H, of each sample's feature", unit="nats", group=TRAINING)
    classifier_weight_decay: float = option(1e-3, "lam_W", unit="nats", group=TRAINING)


def _predict(options: NeuralCollapseOptions):
    samples = options.samples_per_class
    n_classes = options.n_classes
    if n_classes is None:
        n_classes = len(samples) if isinstance(samples, tuple) else 10
    if isinstance(samples, str):
        samples = ClassConfiguration(n_classes=n_classes, samples_per_class=samples).counts
    dim = n_classes - 1 if options.feature_dim is None else options.feature_dim
    check_array("class means", 8, n_classes=n_classes, feature_dim=dim)
    decay = check_real("classifier_weight_decay", options.classifier_weight_decay, positive=True)
    check_decay_product(check_real("feature_weight_decay", options.feature_weight_decay), decay)

    from theory import neural_collapse

    return neural_collapse.predict(
        n_classes=n_classes,
        samples_per_class=samples,
        feature_dim=options.feature_dim,
        feature_weight_decay=options.feature_weight_decay,
        classifier_weight_decay=decay,
    )


def _format(prediction) -> str:
    """Return a prediction as lines of name and value, one line of norms for each size of class."""
    sizes, first = np.unique(prediction.samples_per_class, return_index=True)
    rows = [
        ("classes", f"{len(prediction.samples_per_class)}"),
        ("cross-entropy (nats)", f"{prediction.cross_entropy:.10g}"),
        ("risk (nats)", f"{prediction.risk:.10g}"),
        ("dimensions needed", f"{prediction.rank}"),
        ("zero threshold", f"{prediction.zero_threshold:.10g}"),
        ("exact", "yes" if prediction.is_proved else "no"),
        ("rests on", prediction.note),
    ]
    table: list[tuple[str, ...]] = [("samples", "feature norm", "classifier norm", "minority threshold", "collapsed")]
    for size, row in zip(sizes[::-1], first[::-1], strict=True):
        numbers = (prediction.feature_norms, prediction.classifier_norms, prediction.collapse_thresholds)
        collapsed = "yes" if prediction.collapsed[row] else "no"
        table.append((f"{size}", *(f"{values[row]:.10g}" for values in numbers), collapsed))
    return f"{format_columns(rows)}\n\n{format_columns(table)}"


PREDICTOR = Predictor(options=NeuralCollapseOptions, predict=_predict, format=_format)
