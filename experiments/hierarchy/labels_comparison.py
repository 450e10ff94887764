"""Comparison of trained features and classifier with the predicted geometry of the tree."""

import numpy as np

from experiments.core.phenomenon import Variable
from experiments.core.prediction import Prediction
from experiments.core.quantity import Panel, Quantity, Threshold
from experiments.core.standard_comparison import Measured, standard_comparison
from experiments.hierarchy.labels_reference import RESOLVED, THRESHOLDS, describe_geometry, resolved_part
from simlab.losses.soft_cross_entropy import SoftCrossEntropy
from simlab.metrics import geometry
from simlab.metrics import tree as metrics
from simlab.sweeps.members import MemberRun

JUMPS = dict.fromkeys(THRESHOLDS, "jump")
BENDS = dict.fromkeys(THRESHOLDS, "bend")

QUANTITIES = {
    "risk": Quantity(
        label="risk",
        unit="nats",
        headline="compared",
        panels=(Panel(label="risk\n(nats)", height=1.0, scale="linear", changes=BENDS),),
    ),
    "cross_entropy": Quantity(label="cross-entropy", unit="nats"),
    "rank": Quantity(
        label="rank of the logits",
        headline="compared",
        panels=(Panel(label="rank of\nthe logits", height=0.8, scale="whole", changes=JUMPS),),
    ),
    "n_resolved": Quantity(label="resolved levels"),
    "strength_spread": Quantity(
        label="1 - smallest / largest level strength",
        headline="compared",
        panels=(
            Panel(
                label="1 - smallest /\nlargest strength",
                height=0.9,
                scale="linear",
                changes=BENDS,
                undefined_with="rank",
            ),
        ),
    ),
    "strength_error": Quantity(label="largest error / largest level strength", headline="learned"),
    "gram_distance": Quantity(label="relative error of the classifier's Gram matrix"),
    "step_cosine": Quantity(label="largest cosine of (child - parent, parent)", headline="learned"),
    "shuffled_cosine": Quantity(label="largest cosine, leaves shuffled"),
    "tree_deviation": Quantity(label="distance of the logits from those of a tree"),
}
ARRAYS = {
    "classifier": Variable(("leaf", "dimension"), "learned classifier"),
    "leaf_features": Variable(("leaf", "dimension"), "learned features, averaged over each leaf"),
    "logits": Variable(("leaf", "class"), "learned logits of each leaf", "nats"),
    "level_strengths": Variable(("level",), "learned strength of each level, starting at level 1", "nats"),
    "merges": Variable(("merge", "merge_field"), "learned dendrogram: two clusters, squared distance, size"),
    "cosines": Variable(("node",), "learned cosine between (child - parent) and parent, resolved levels"),
    "shuffled_cosines": Variable(
        ("shuffle", "node"), "learned cosine between (child - parent) and parent, leaves shuffled"
    ),
}


def measure(member, run: MemberRun, prediction: Prediction) -> Measured:
    """Return the measured quantities of a member, with predicted vectors rotated onto the learned ones."""
    n_leaves = member.spec.task.n_classes
    depth = len(prediction.arrays["level_strengths"])
    branching = round(n_leaves ** (1 / depth))
    features, classifier = (run.final[name].astype(np.float64) for name in ("features", "classifier"))
    leaves = features.reshape(n_leaves, -1, features.shape[1]).mean(axis=1)
    logits = leaves @ classifier.T
    logits = logits - logits.mean(axis=1, keepdims=True)
    predicted = dict(prediction.arrays)
    strengths = metrics.level_strengths(logits, branching, depth)
    cosines = {
        "cosines": metrics.step_cosines(
            resolved_part(classifier, branching, depth, strengths > RESOLVED), branching, depth
        ),
        "shuffled_cosines": metrics.shuffled_cosines(classifier, branching, depth, seed=member.seed),
    }
    learned = {"classifier": classifier, "leaf_features": leaves}
    if all(np.all(np.isfinite(array)) for array in learned.values()):
        pairs = [(array, predicted[name]) for name, array in learned.items()]
        rotation = geometry.common_rotation(pairs)
        predicted |= {name: predicted[name] @ rotation for name in learned}
    gram = predicted["classifier"] @ predicted["classifier"].T
    has_levels = prediction.quantities["rank"] > 0
    # Where all strengths are predicted to be zero, errors are absolute.
    largest = predicted["level_strengths"].max() if has_levels else 1.0
    shape = {
        "gram_distance": geometry.relative_distance(classifier @ classifier.T, gram) if has_levels else np.nan,
        "shuffled_cosine": metrics.largest_cosine(cosines["shuffled_cosines"]) if has_levels else np.nan,
    }
    return Measured(
        quantities={
            "risk": run.last_metrics["risk"],
            "cross_entropy": run.last_metrics["cross_entropy"],
            **describe_geometry(logits, classifier, branching, depth),
            "strength_error": np.abs(strengths - predicted["level_strengths"]).max() / largest,
            **shape,
        },
        arrays={
            **learned,
            "logits": logits,
            "merges": metrics.average_linkage(classifier),
            "level_strengths": strengths,
            **cosines,
        },
        predicted=predicted,
    )


COMPARISON = standard_comparison(
    quantities=QUANTITIES,
    arrays=ARRAYS,
    metrics=SoftCrossEntropy.recorded,
    measure=measure,
    thresholds={
        name: Threshold(label=f"level {level} is resolved below", line=(1.0 + level, 1.5))
        for level, name in enumerate(THRESHOLDS, start=1)
    },
)
