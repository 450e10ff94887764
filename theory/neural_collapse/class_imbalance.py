"""Neural collapse with classes of any sizes: the convex problem in the logits, and its thresholds.

    minimise over Z (K, K)   sum_k (n_k / N) CE(z_k, k) + sqrt(lam_W lam_H) |Z diag(sqrt n)|_*

with z_k the logits of the mean of class k. This is the risk of unconstrained features: at fixed W it is strictly convex
in each feature and the same for all features of a class, so that these coincide, and the least penalty over all (W, H)
with given logits is the trace norm. The minimising Z is unique, since its columns sum to zero and the cross-entropy is
strictly convex on such Z.

*Minority collapse*: classes of equal size n coincide iff sqrt(n) / N <= sqrt(lam_W lam_H). The reason is that the
margin a of their group (see `class_groups`) is zero or solves (sqrt(n) / N) (1 - (e^a - 1) p) = sqrt(lam_W lam_H), with
p the probability of another class of the group; the left side is sqrt(n) / N at a = 0 and smaller for every a > 0. This
holds for any number of different sizes. Classes of unequal sizes coincide only if both are zero: features that minimise
the same problem agree, and lam_W (w_j - w_k) = (n_j - n_k) m / N for a common mean m.

*Total collapse*: everything is zero iff sigma_max((I - 11^T/K) diag(sqrt n)) / N <= sqrt(lam_W lam_H).

Here W (K, d) is the classifier and H (N, d) are the features.

Source: derived here. Minority collapse was found by Fang, He, Long, Su (PNAS 2021), for two blocks of sizes.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from theory.neural_collapse.class_groups import ClassGroups, group_classes
from theory.optimality.weight_decay import joint_decay

if TYPE_CHECKING:
    from jaxtyping import Bool, Float, Int


def collapse_thresholds(samples_per_class: Sequence[int] | Int[np.ndarray, " K"]) -> Float[np.ndarray, " K"]:
    """Return sqrt(n_k) / N, float64 (K,): the least value of sqrt(lam_W lam_H) at which classes of size n_k coincide.

    Valid: exact for every class that shares its size with another; for other sizes the value has no meaning.
    Raises: ValueError. Source: the module's docstring.
    """
    groups = group_classes(samples_per_class)
    return np.sqrt(groups.class_sizes) / groups.n_samples


def collapsed_classes(
    samples_per_class: Sequence[int] | Int[np.ndarray, " K"],
    *,
    feature_weight_decay: float,
    classifier_weight_decay: float,
) -> Bool[np.ndarray, " K"]:
    """Return whether each class coincides, in mean and in classifier, with all others of its size: bool (K,).

    Args:
        samples_per_class: n_k, integers (K,).
        feature_weight_decay: lam_H > 0.
        classifier_weight_decay: lam_W > 0.

    Returns: the mask; False for a class whose size no other class has.
    Raises: ValueError. Source: the module's docstring.
    """
    groups = group_classes(samples_per_class)
    decay = joint_decay(feature_weight_decay, classifier_weight_decay)
    small = np.sqrt(groups.sizes) / groups.n_samples <= decay
    return (small & (groups.counts > 1))[groups.group]


def zero_threshold(groups: ClassGroups) -> float:
    """Return sigma_max((I - 11^T/K) diag(sqrt n)) / N, the least sqrt(lam_W lam_H) at which the minimiser is zero.

    The singular values are sqrt(n_g), with multiplicity k_g - 1, and those of the (G, G) block of averages.
    """
    counts = groups.counts
    centring = np.eye(counts.size) - np.sqrt(np.outer(counts, counts)) / groups.n_classes
    within = groups.sizes[counts > 1].max(initial=0.0)
    return max(float(np.linalg.norm(centring * np.sqrt(groups.sizes), 2)), math.sqrt(within)) / groups.n_samples
