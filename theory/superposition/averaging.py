"""Feature averaging: a two-layer ReLU classifier that merges its clusters, and what that costs in robustness.

Inputs lie at k orthogonal clusters mu_1 .. mu_k of norm |mu|, half of each label. From a small initialisation the
network learns one feature per label, the average of its clusters, u_+ and u_-, and decides by

    f(x) = (u_+ . x)_+ - (u_- . x)_+,    u_+- = (2/k) sum of the mu_j of that label.

**Smallest perturbation that flips (theorem, for this network).** f <= 0 is the union of the half-spaces
(u_+ - u_-) . x <= 0 and u_+ . x <= 0. At a cluster centre of label + , u_+ . mu = 2 |mu|^2 / k and u_- . mu = 0, and
|u_+ - u_-| = 2 |mu| / sqrt(k), |u_+| = sqrt(2/k) |mu|: the distances are

    |mu| / sqrt(k)    along -(u_+ - u_-),        sqrt(2/k) |mu|    along -u_+.

The gradient at the centre is u_+ alone, as the neurons of the other label are inactive there: an attack along it finds
the second number, which is too large by a factor of sqrt(2).

**No classifier does better than |mu| / sqrt(2)** at every centre, as two clusters of different labels are sqrt(2) |mu|
apart; the nearest centre attains it. Averaging loses a factor of sqrt(k/2).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from theory.checks import require_integer, require_positive

if TYPE_CHECKING:
    from jaxtyping import Float


class FeatureAveraging(NamedTuple):
    """L2 distances from a cluster centre.

    Args:
        flip_distance: |mu|/sqrt(k), to the nearest input that the averaged network gives another label.
        gradient_attack_distance: sqrt(2/k) |mu|, to the nearest one along the gradient at the centre.
        robust_distance: |mu|/sqrt(2), that of the most robust classifier.
    """

    flip_distance: float
    gradient_attack_distance: float
    robust_distance: float


def feature_averaging(n_clusters: int, mean_norm: float = 1.0) -> FeatureAveraging:
    """Return how far the averaged network and the most robust one are from flipping at a cluster centre.

    Args:
        n_clusters: k, even, at least 2: half of each label.
        mean_norm: |mu|.

    Returns: the distances. Raises: ValueError for an odd or smaller k, or a norm that is not positive.
    Source: derived here, module's docstring. That training averages: Min and Vidal (2024); Li, Pan, Lyu and Li (2025).
    """
    n_clusters = require_integer("n_clusters", n_clusters, minimum=2)
    if n_clusters % 2:
        raise ValueError(f"n_clusters: expected an even number, half of each label, got {n_clusters}")
    norm = require_positive("mean_norm", mean_norm)
    return FeatureAveraging(norm / math.sqrt(n_clusters), norm * math.sqrt(2 / n_clusters), norm / math.sqrt(2))


def averaged_features(means: Float[np.ndarray, "k d"], labels: np.ndarray) -> Float[np.ndarray, "2 d"]:
    """Return u_- and u_+, the averages of the clusters of each label.

    Args:
        means: mu_j.
        labels: bool (k,), or signs; true or positive for +.
    """
    is_positive = np.asarray(labels) > 0
    return np.stack([means[~is_positive].mean(axis=0), means[is_positive].mean(axis=0)])
