"""Comparison of autoencoders' gain and cluster classifiers' flip distance with their predictions."""

import math

import numpy as np

from experiments.core.prediction import Prediction
from experiments.core.quantity import Quantity
from experiments.core.standard_comparison import Measured, standard_comparison
from experiments.superposition.comparison import learned_loss
from experiments.superposition.reference import mean, root_mean_square
from simlab.losses.objective import Metric
from simlab.metrics import superposition as metrics
from simlab.metrics.label_flips import alignments, flip_distance
from simlab.networks.signed_relu import unit_signs
from simlab.sweeps.members import MemberRun
from simlab.tasks.orthogonal_clusters import Clusters
from simlab.tasks.sparse_features import SparseFeatures

ROUNDING = 1e-9
QUANTITIES = {
    "gain": Quantity(label="mean adversarial gain of represented features", headline="compared", reduce="best"),
    "norm": Quantity(label="rms norm of represented features", reduce="best"),
    "flip_distance": Quantity(label="smallest perturbation that flips a label", headline="compared"),
    "flip_distance_largest": Quantity(label="flip distance of the most robust cluster"),
    "gradient_attack": Quantity(label="smallest flip distance along the gradient"),
    "alignment": Quantity(label="smallest cosine of a unit with its label's average"),
    "loss": Quantity(label="loss", reduce="best"),
}


def measure(member, run: MemberRun, prediction: Prediction) -> Measured:
    """Return the measured quantities of a member, NaN for those its network does not have."""
    weights = run.final["weights"].astype(np.float64)
    if isinstance(member.spec.task, SparseFeatures):
        learned = _measure_features(member.spec, weights, run.final["bias"].astype(np.float64))
    else:
        learned = measure_clusters(weights, member.data) | {"loss": float(run.last_metrics["loss"])}
    return Measured(quantities=dict.fromkeys(QUANTITIES, math.nan) | learned)


def _measure_features(spec, weights: np.ndarray, bias: np.ndarray) -> dict[str, float]:
    represented = metrics.is_represented(weights)
    return {
        "gain": mean(metrics.output_gains(weights)[represented]),
        "norm": root_mean_square(metrics.column_norms(weights)[represented]),
        "loss": learned_loss(spec, weights, bias).value,
    }


def measure_clusters(weights: np.ndarray, data: Clusters) -> dict[str, float]:
    """Return the flip distances of cluster means, and the alignment of units with averages.

    The attack follows the difference of the two labels' averages; the gradient at a cluster mean includes only the
    units active there. Mean distances over clusters are uninformative: if all units are active at the flip, the mean
    is |mu|/sqrt(k) for any weights.

    Args:
        weights: weights of the units, ``Float[h, d]``.
        data: the clusters.
    """
    means, signs = np.asarray(data.means, np.float64), unit_signs(len(weights))
    averages = np.stack([means[data.classes == label].mean(axis=0) for label in (0, 1)])
    difference = averages[1] - averages[0]
    towards_other = [-(2 * label - 1) * difference / np.linalg.norm(difference) for label in data.classes]
    gradients = [(2 * label - 1) * (_is_active(weights, point) * signs) @ weights
                 for point, label in zip(means, data.classes, strict=True)]  # fmt: skip
    against = [-gradient / np.linalg.norm(gradient) for gradient in gradients]
    own = averages[(signs > 0).astype(int)]
    distances = _distances(weights, signs, means, towards_other)
    return {
        "flip_distance": distances.min(),
        "flip_distance_largest": distances.max(),
        "gradient_attack": _distances(weights, signs, means, against).min(),
        "alignment": float(alignments(weights, own).min()),
    }


def _is_active(weights: np.ndarray, point: np.ndarray) -> np.ndarray:
    """Return which units are active at a point, not counting units orthogonal to it up to rounding; ``Bool[h]``."""
    return weights @ point > ROUNDING * np.linalg.norm(weights, axis=1) * np.linalg.norm(point)


def _distances(weights, signs, points, directions) -> np.ndarray:
    return np.array([flip_distance(weights, signs, *line) for line in zip(points, directions, strict=True)])


COMPARISON = standard_comparison(
    quantities=QUANTITIES, metrics={"loss": Metric(label="loss", scale="log")}, measure=measure, best_by="loss"
)
