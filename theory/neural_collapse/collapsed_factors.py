"""The class means and the classifier with the least penalty for given logits.

    W M^T D^{1/2} = U s V^T,   D = diag(n):
    W = (lam_H / lam_W)^{1/4} U sqrt(s),     M = (lam_W / lam_H)^{1/4} D^{-1/2} V sqrt(s)

up to one common rotation, with M the class means: lam_W |W|^2 = lam_H sum_k n_k |m_k|^2 and W W^T, M M^T are unique.
Source: the arithmetic-geometric mean inequality; derived here.

Here W (K, d) is the classifier; U, s and V are a singular value decomposition.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from theory.frames import equiangular_frame
from theory.neural_collapse.class_groups import ClassGroups

if TYPE_CHECKING:
    from jaxtyping import Float

# Singular values below this share of the largest are zero; the solver leaves about 1e-30 where the minimiser has zero.
_NEGLIGIBLE = 1e-10


def split_logits(
    groups: ClassGroups, margins: Float[np.ndarray, " G"], averages: Float[np.ndarray, "G G"]
) -> tuple[Float[np.ndarray, "K r"], Float[np.ndarray, "K r"]]:
    """Return class means and classifier for lam_W = lam_H, float64 (K, r) each, r the rank of the logits.

    The first columns span the averages of the groups, the others one simplex for each group whose classes differ.

    Args:
        groups: the groups.
        margins: a of `class_groups`, nats, float64 (G,).
        averages: B of `class_groups`, float64 (G, G).
    """
    left, values, right = np.linalg.svd(averages)
    scale = max(float(values[0]), float(np.max(margins * np.sqrt(groups.shares))))
    nonzero = values > _NEGLIGIBLE * scale
    roots = np.sqrt(values[nonzero] * math.sqrt(groups.n_samples))
    per_class = np.sqrt(groups.counts)[:, None]
    classifier = [(left[:, nonzero] * roots / per_class)[groups.group]]
    means = [(right.T[:, nonzero] * roots / per_class)[groups.group]]
    for index in np.flatnonzero(margins):
        simplex = _centred_identity(groups, int(index)) * math.sqrt(margins[index] * math.sqrt(groups.sizes[index]))
        classifier.append(simplex)
        means.append(simplex)
    return np.hstack(means) / np.sqrt(groups.class_sizes)[:, None], np.hstack(classifier)


def rescale_factors(
    means: Float[np.ndarray, "K r"],
    classifier: Float[np.ndarray, "K r"],
    *,
    feature_weight_decay: float,
    classifier_weight_decay: float,
    dim: int,
) -> tuple[Float[np.ndarray, "K d"], Float[np.ndarray, "K d"]]:
    """Return class means and classifier rescaled for lam_H and lam_W, padded with zeros to `dim` columns."""
    rescaling = math.sqrt(math.sqrt(classifier_weight_decay) / math.sqrt(feature_weight_decay))
    padding = ((0, 0), (0, dim - means.shape[1]))
    return np.pad(means * rescaling, padding), np.pad(classifier / rescaling, padding)


def _centred_identity(groups: ClassGroups, index: int) -> Float[np.ndarray, "K k-1"]:
    """Return E (K, k - 1) with E E^T = I - 11^T/k on the classes of one group, zero elsewhere."""
    n_members = int(groups.counts[index])
    vectors = np.zeros((groups.n_classes, n_members - 1))
    vectors[groups.group == index] = equiangular_frame(n_members, n_members - 1) * math.sqrt(1 - 1 / n_members)
    return vectors
