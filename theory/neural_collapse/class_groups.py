"""Classes grouped by their number of samples, and the resulting symmetry of the logits.

The risk of `unconstrained_features` is invariant under permutations of classes of equal size, and its minimising logits
are unique, so the logits are invariant too. By Schur's lemma the logits of the class means are

    z_jk = a_g ([j = k] - [same group] / k_g) + t_hg      (logit j, class k;  j in group h, k in group g)

with one *margin* a_g for each group and one matrix t (G, G). With pi = n / N, Y = Z diag(sqrt pi) splits into the
simplices a_g sqrt(pi_g) (I - 11^T/k_g) and a block of group averages

    B_hg = t_hg sqrt(k_h k_g pi_g),     columns orthogonal to (sqrt k_1, .., sqrt k_G).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from theory.checks import require_integer

if TYPE_CHECKING:
    from jaxtyping import Float, Int


class ClassGroups(NamedTuple):
    """K classes in G groups of equal size.

    Args:
        sizes: n_g, samples in each class of the group, ascending, float64 (G,).
        counts: k_g, classes in the group, float64 (G,).
        group: the group of each class, integers (K,).
    """

    sizes: Float[np.ndarray, " G"]
    counts: Float[np.ndarray, " G"]
    group: Int[np.ndarray, " K"]

    @property
    def n_classes(self) -> int:
        """K."""
        return self.group.size

    @property
    def n_samples(self) -> int:
        """N = sum k_g n_g."""
        return int(self.counts @ self.sizes)

    @property
    def class_sizes(self) -> Float[np.ndarray, " K"]:
        """The samples n_k of each class, float64 (K,)."""
        return self.sizes[self.group]

    @property
    def shares(self) -> Float[np.ndarray, " G"]:
        """pi_g = n_g / N, the share of the samples in one class of the group, float64 (G,)."""
        return self.sizes / self.n_samples


def group_classes(samples_per_class: Sequence[int] | Int[np.ndarray, " K"]) -> ClassGroups:
    """Return the classes grouped by their size.

    Args:
        samples_per_class: n_k, integers of at least 1, (K,) with K at least 2.

    Returns: the groups, smallest classes first.
    Raises: ValueError, `samples_per_class: expected ..., got ...`.
    """
    sizes = np.asarray(samples_per_class)
    if sizes.ndim != 1 or sizes.size < 2:
        raise ValueError(f"samples_per_class: expected one integer for each of K >= 2 classes, got shape {sizes.shape}")
    if not np.issubdtype(sizes.dtype, np.integer):
        raise ValueError(f"samples_per_class: expected integers, got {sizes.dtype}")
    require_integer("samples_per_class", sizes.min(), minimum=1)
    values, group, counts = np.unique(sizes, return_inverse=True, return_counts=True)
    return ClassGroups(sizes=values.astype(float), counts=counts.astype(float), group=group)


def averages_basis(groups: ClassGroups) -> Float[np.ndarray, "G G-1"]:
    """Return orthonormal columns orthogonal to (sqrt k_1, .., sqrt k_G), float64 (G, G - 1), from a reflection."""
    axis = np.sqrt(groups.counts / groups.n_classes)
    axis[0] += 1.0
    reflection = np.eye(axis.size) - 2 * np.outer(axis, axis) / (axis @ axis)
    return reflection[:, 1:]


def spread_logits(
    groups: ClassGroups, margins: Float[np.ndarray, " G"], averages: Float[np.ndarray, "G G"]
) -> Float[np.ndarray, "K K"]:
    """Return the logits of the class means, float64 (K, K): row k holds the logits z_jk (nats) of class k.

    Args:
        groups: the groups.
        margins: a, nats, float64 (G,).
        averages: B, float64 (G, G).
    """
    counts, group = groups.counts, groups.group
    table = averages / np.sqrt(np.outer(counts, counts * groups.shares)) - np.diag(margins / counts)
    logits = table.T[np.ix_(group, group)]
    logits[np.diag_indices(groups.n_classes)] += margins[group]
    return logits
