"""``simlab predict hierarchical-labels``: its options, and the prediction as a table."""

from dataclasses import dataclass

import numpy as np

from experiments.core.configuration import NETWORK, TASK, TRAINING, option
from experiments.core.predictor import Predictor
from experiments.hierarchy.labels_configuration import LabelConfiguration
from experiments.tables.columns import format_columns
from simlab.validation import invalid

DEFAULTS = LabelConfiguration()


@dataclass(frozen=True, kw_only=True)
class LabelOptions:
    """The options: a tree of classes, its confusions, and the weight decays of free features."""

    branching: int = option(2, "children per node of the tree, b", group=TASK)
    depth: int = option(3, "levels of the tree, D; its b^D leaves are the classes", group=TASK)
    level_eigenvalues: tuple[float, ...] | None = option(
        None,
        "eigenvalues lambda_l of the targets by level, at most 1 and decreasing; none: 0.94,0.87,0.68",
        group=TASK,
    )
    cyclic_confusion: float | None = option(
        None, "replaces the tree: probability that a leaf is confused with either neighbour on a ring", group=TASK
    )
    samples_per_leaf: int = option(4, "samples per leaf, n", group=TASK)
    feature_dim: int | None = option(None, "feature dimension, d; none: the required rank", group=NETWORK)
    feature_weight_decay: float = option(
        0.02, "lam_H, weight decay of each sample's feature", unit="nats", group=TRAINING
    )
    classifier_weight_decay: float = option(0.02, "lam_W, weight decay of the classifier", unit="nats", group=TRAINING)


def _predict(options: LabelOptions):
    from theory import hierarchy

    targets, eigenvalues = None, options.level_eigenvalues
    if options.cyclic_confusion is None:
        eigenvalues = eigenvalues or DEFAULTS.level_eigenvalues
    elif eigenvalues is not None:
        raise invalid("cyclic_confusion", "none with level_eigenvalues", options.cyclic_confusion)
    else:
        n_leaves = hierarchy.Tree(options.branching, options.depth).n_leaves
        targets = hierarchy.cyclic_targets(n_leaves, options.cyclic_confusion)
    return hierarchy.predict_labels(
        branching=options.branching,
        depth=options.depth,
        level_eigenvalues=eigenvalues,
        targets=targets,
        samples_per_leaf=options.samples_per_leaf,
        feature_weight_decay=options.feature_weight_decay,
        classifier_weight_decay=options.classifier_weight_decay,
        feature_dim=options.feature_dim,
    )


def _format(prediction) -> str:
    """Return a prediction as a table of names and values, and one row per level."""
    rows = [
        ("leaves", f"{len(prediction.logits)}"),
        ("sqrt(lam_W lam_H n)", f"{prediction.decay:.10g}"),
        ("cross-entropy (nats)", f"{prediction.cross_entropy:.10g}"),
        ("risk (nats)", f"{prediction.risk:.10g}"),
        ("required dimension", f"{prediction.rank}"),
        ("basis", prediction.basis),
        ("rests on", prediction.note),
    ]
    table: list[tuple[str, ...]] = [("level", "threshold", "resolved", "strength (nats)", "multiplicity")]
    columns = (prediction.thresholds, prediction.resolved, prediction.level_strengths, prediction.multiplicities)
    for level, (threshold, resolved, strength, multiplicity) in enumerate(zip(*columns, strict=True), start=1):
        limit = "-" if np.isnan(threshold) else f"{threshold:.10g}"
        table.append((f"{level}", limit, "yes" if resolved else "no", f"{strength:.10g}", f"{multiplicity}"))
    return f"{format_columns(rows)}\n\n{format_columns(table)}"


PREDICTOR = Predictor(options=LabelOptions, predict=_predict, format=_format)
