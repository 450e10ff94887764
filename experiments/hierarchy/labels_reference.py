"""The prediction for hierarchical labels, in the form the comparison reads."""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise
from typing import Any

import numpy as np

from experiments.core.prediction import Prediction
from experiments.hierarchy.labels_configuration import LabelConfiguration
from simlab.metrics import tree as metrics
from simlab.sizes import check_array
from simlab.validation import check_count, check_real, invalid

# Levels with a strength below this many nats count as unresolved. Half a percent below its threshold a level has about
# 0.01 nats; above the threshold a trained level has less than 1e-4.
RESOLVED = 1e-3
# Cosines and spreads below this are rounding and set to zero.
ROUNDING = 1e-12
# Levels whose thresholds are variables of the dataset.
MOST_LEVELS = 6
THRESHOLDS = tuple(f"threshold_{level}" for level in range(1, MOST_LEVELS + 1))


def check_theory(configuration: LabelConfiguration) -> None:
    """Raise ``ValueError`` for a configuration that the theory does not cover, without solving it."""
    from theory.hierarchy import resolved_rank

    check_count("depth", configuration.depth, maximum=MOST_LEVELS)
    for name in ("feature_weight_decay", "classifier_weight_decay"):
        check_real(name, getattr(configuration, name), positive=True)
    task = _task(configuration)
    sizes = {
        "samples_per_leaf": task.samples_per_leaf,
        "feature_dim": check_count("feature_dim", configuration.feature_dim),
    }
    check_array("features", 8, leaves=task.tree.n_leaves, **sizes)
    eigenvalues = task.level_eigenvalues
    if eigenvalues is not None:
        rank = resolved_rank(task.tree, eigenvalues, task.decay)
        if configuration.feature_dim < rank:
            raise invalid("feature_dim", f"at least {rank}, the rank of the minimiser", configuration.feature_dim)


def predict(configuration: LabelConfiguration) -> Prediction:
    """Return the prediction for a configuration."""
    return _predict(tuple(sorted(_arguments(configuration).items())), configuration.feature_dim)


def _arguments(configuration: LabelConfiguration) -> dict:
    names = ("branching", "depth", "samples_per_leaf", "feature_weight_decay", "classifier_weight_decay")
    eigenvalues, cyclic = configuration.level_eigenvalues, configuration.cyclic_confusion
    targets = {"level_eigenvalues": tuple(eigenvalues)} if cyclic is None else {"cyclic_confusion": cyclic}
    return {name: getattr(configuration, name) for name in names} | targets


def _with_targets(arguments: dict) -> dict:
    """Return the arguments for theory, with cyclic confusions as a target matrix."""
    from theory import hierarchy

    if "cyclic_confusion" not in arguments:
        return arguments
    others = {name: value for name, value in arguments.items() if name != "cyclic_confusion"}
    n_leaves = hierarchy.Tree(arguments["branching"], arguments["depth"]).n_leaves
    return others | {"targets": hierarchy.cyclic_targets(n_leaves, arguments["cyclic_confusion"])}


def _task(configuration: LabelConfiguration):
    from theory import hierarchy

    missing: dict[str, Any] = {"level_eigenvalues": None, "targets": None}
    return hierarchy.require_task(**missing | _with_targets(_arguments(configuration)))


@lru_cache(maxsize=1024)
def _predict(items: tuple, feature_dim: int) -> Prediction:
    from theory import hierarchy

    arguments = dict(items)
    theory = hierarchy.predict_labels(**_with_targets(arguments), feature_dim=feature_dim)
    root = arguments["samples_per_leaf"] ** 0.5
    missing = [np.nan] * (MOST_LEVELS - len(theory.thresholds))
    return Prediction(
        basis=theory.basis,
        kind="tree" if theory.basis == "theorem" else "convex minimum",
        note="" if theory.basis == "theorem" else theory.note,
        quantities={
            "risk": theory.risk,
            "cross_entropy": theory.cross_entropy,
            **describe_geometry(theory.logits, theory.classifier, theory.branching, theory.depth),
            "strength_error": 0.0,
            "gram_distance": 0.0 if theory.rank else np.nan,
            "shuffled_cosine": np.nan,
        },
        arrays={
            "classifier": theory.classifier,
            "leaf_features": theory.features,
            "logits": theory.logits,
            "merges": metrics.average_linkage(theory.classifier),
            "level_strengths": theory.level_strengths,
            "cosines": metrics.step_cosines(theory.classifier, theory.branching, theory.depth),
            "shuffled_cosines": metrics.shuffled_cosines(theory.classifier, theory.branching, theory.depth),
        },
        thresholds=dict(zip(THRESHOLDS, [*(theory.thresholds / root), *missing], strict=True)),
    )


def describe_geometry(logits: np.ndarray, classifier: np.ndarray, branching: int, depth: int) -> dict[str, float]:
    """Return the quantities that describe a geometry, learned or predicted.

    Args:
        logits: ``Float[K, K]``, one row of mean zero per leaf, nats.
        classifier: ``Float[K, d]``.
        branching: children per node of the tree.
        depth: levels of the tree.
    """
    strengths = metrics.level_strengths(logits, branching, depth)
    largest, resolved = strengths.max(), strengths > RESOLVED
    rank = int(np.sum(np.linalg.svd(logits, compute_uv=False) > RESOLVED))
    visible = metrics.step_cosines(resolved_part(classifier, branching, depth, resolved), branching, depth)
    shape = {
        "strength_spread": (largest - strengths.min()) / largest if rank else np.nan,
        "step_cosine": metrics.largest_cosine(visible),
        "tree_deviation": metrics.level_deviation(logits, branching, depth) if rank else np.nan,
    }
    shape = {name: 0.0 if abs(value) < ROUNDING else float(value) for name, value in shape.items()}
    return {"rank": rank, "n_resolved": int(resolved.sum()), **shape}


def resolved_part(vectors: np.ndarray, branching: int, depth: int, resolved: np.ndarray) -> np.ndarray:
    """Return the vectors of leaves without the steps of unresolved levels, whose directions are noise."""
    means = metrics.node_means(vectors, branching, depth)
    spread = [np.repeat(mean, len(vectors) // len(mean), axis=0) for mean in means]
    steps = [fine - coarse for coarse, fine in pairwise(spread)]
    return sum((step for step, is_resolved in zip(steps, resolved, strict=True) if is_resolved), start=spread[0])
