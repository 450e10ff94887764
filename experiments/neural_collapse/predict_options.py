"""``simlab predict neural-collapse``: the options, and the prediction as a table."""

import math
from dataclasses import dataclass

import numpy as np

from experiments.core.configuration import NETWORK, TASK, TRAINING, option
from experiments.core.predictor import Predictor
from experiments.neural_collapse.configuration import ClassConfiguration, check_decay_product
from experiments.neural_collapse.representation import check_theory
from experiments.tables.columns import format_columns
from simlab.sizes import check_array
from simlab.validation import check_count, check_real


@dataclass(frozen=True, kw_only=True)
class NeuralCollapseOptions:
    """A task of free features; defaults are those of :func:`theory.neural_collapse.predict`."""

    n_classes: int | None = option(
        None, "number of classes, K; if not given, that of the listed n_k, or 10", group=TASK
    )
    samples_per_class: tuple[int, ...] | int | str = option(
        100, "n, or n_k of every class by commas, or long-tail:LARGEST:RATIO, or step:LARGEST:RATIO", group=TASK
    )
    feature_dim: int | None = option(None, "dimension of the features, d; K - 1 if not given", group=NETWORK)
    feature_weight_decay: float = option(
        1e-5, "lam_H; the penalty is lam_H/2 |h_i|^2 for each sample", unit="nats", group=TRAINING
    )
    classifier_weight_decay: float = option(1e-3, "lam_W; the penalty is lam_W/2 |W|^2", unit="nats", group=TRAINING)


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


def _of_configuration(configuration: ClassConfiguration):
    """Return the prediction for classes, or for several factors."""
    check_theory(configuration)
    decays = {
        "feature_weight_decay": configuration.feature_weight_decay,
        "classifier_weight_decay": configuration.classifier_weight_decay,
    }
    sizes, counts, dim = configuration.sizes, configuration.counts, configuration.feature_dim
    if len(sizes) == 1:
        from theory import neural_collapse

        return neural_collapse.predict(n_classes=sizes[0], samples_per_class=counts, feature_dim=dim, **decays)
    from theory.neural_collapse import factors

    n_samples = check_count("samples_per_class", counts) * math.prod(sizes)
    return factors.predict(factor_sizes=sizes, n_samples=n_samples, feature_dim=dim, **decays)


def _format(prediction) -> str:
    """Return a prediction as lines of name and value, one line of norms for each size of class or factor."""
    return _format_factors(prediction) if hasattr(prediction, "factor_sizes") else _format_classes(prediction)


def _format_factors(prediction) -> str:
    rows = [
        ("factors", f"{len(prediction.factor_sizes)}"),
        ("cross-entropy (nats)", f"{prediction.cross_entropies.sum():.10g}"),
        ("risk (nats)", f"{prediction.risk:.10g}"),
        ("dimensions needed", f"{prediction.rank}"),
        ("zero threshold", f"{prediction.thresholds.max():.10g}"),
        ("exact", "yes"),
        ("basis", "a theorem: the factors form simplices in orthogonal subspaces"),
    ]
    table: list[tuple[str, ...]] = [("values", "mean difference", "classifier norm", "zero threshold", "vanished")]
    numbers = (prediction.difference_norms, prediction.classifier_norms, prediction.thresholds)
    for factor, size in enumerate(prediction.factor_sizes):
        vanished = "yes" if prediction.vanished[factor] else "no"
        table.append((f"{size}", *(f"{values[factor]:.10g}" for values in numbers), vanished))
    return f"{format_columns(rows)}\n\n{format_columns(table)}"


def _format_classes(prediction) -> str:
    sizes, first = np.unique(prediction.samples_per_class, return_index=True)
    rows = [
        ("classes", f"{len(prediction.samples_per_class)}"),
        ("cross-entropy (nats)", f"{prediction.cross_entropy:.10g}"),
        ("risk (nats)", f"{prediction.risk:.10g}"),
        ("dimensions needed", f"{prediction.rank}"),
        ("zero threshold", f"{prediction.zero_threshold:.10g}"),
        ("exact", "yes" if prediction.is_proved else "no"),
        ("basis", prediction.note),
    ]
    table: list[tuple[str, ...]] = [("samples", "feature norm", "classifier norm", "minority threshold", "collapsed")]
    for size, row in zip(sizes[::-1], first[::-1], strict=True):
        numbers = (prediction.feature_norms, prediction.classifier_norms, prediction.collapse_thresholds)
        collapsed = "yes" if prediction.collapsed[row] else "no"
        table.append((f"{size}", *(f"{values[row]:.10g}" for values in numbers), collapsed))
    return f"{format_columns(rows)}\n\n{format_columns(table)}"


PREDICTOR = Predictor(
    options=NeuralCollapseOptions,
    predict=_predict,
    format=_format,
    of_configuration=_of_configuration,
    columns=("classifier_norms", "cross_entropy", "risk", "zero_threshold", "rank", "exact"),
)
