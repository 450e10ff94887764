"""Feature averaging: a two-layer ReLU classifier that averages its clusters, and the loss of robustness that results.

Inputs lie at k orthogonal clusters mu_1 .. mu_k of norm |mu|, half of each label. From a small initialisation the
network learns one feature per label, u_+ and u_-, the average of the clusters of that label. It classifies by

    f(x) = (u_+ . x)_+ - (u_- . x)_+,    u_+- = (2/k) sum of the mu_j of that label.

**Smallest perturbation that changes the label (theorem, for this network).** The set f <= 0 is the union of the
half-spaces (u_+ - u_-) . x <= 0 and u_+ . x <= 0. At a cluster centre of label +, u_+ . mu = 2 |mu|^2 / k and
u_- . mu = 0, and |u_+ - u_-| = 2 |mu| / sqrt(k), |u_+| = sqrt(2/k) |mu|: the distances are

    |mu| / sqrt(k)    along -(u_+ - u_-),        sqrt(2/k) |mu|    along -u_+.

The gradient at the centre is u_+ alone, as the neurons of the other label are inactive there. An attack along it finds
the second distance, which is too large by a factor of sqrt(2).

**No classifier has a distance above |mu| / sqrt(2) at every centre**, as two clusters of different labels are
sqrt(2) |mu| apart; the nearest-centre classifier attains it. Averaging loses a factor of sqrt(k/2).
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
        flip_distance: |mu|/sqrt(k), to the nearest input to which the averaged network assigns another label.
        gradient_attack_distance: sqrt(2/k) |mu|, to the nearest such input along the gradient at the centre.
        robust_distance: |mu|/sqrt(2), for the most robust classifier.
    """

    flip_distance: float
    gradient_attack_distance: float
    robust_distance: float


def feature_averaging(n_clusters: int, mean_norm: float = 1.0) -> FeatureAveraging:
    """Return the distance from a cluster centre to another label, for the averaged and the most robust classifier.

    Args:
        n_clusters: k, even, at least 2: half of each label.
        mean_norm: |mu|.

    Returns: the distances. Raises: ValueError for an odd or smaller k, or a norm that is not positive.
    Source: derived in the module's docstring. For averaging by training: Min and Vidal (2024); Li, Pan, Lyu and Li
        (2025).
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
