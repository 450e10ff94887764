"""Distance of features and classifier from neural collapse: NC1 to NC4 (Papyan, Han, Donoho, PNAS 2020), in float64.

With class means ``m_k`` centred by their mean, and classifier rows ``w_k`` centred likewise, both as matrices of ``K``
rows ``M`` and ``W``:

NC1
    within-class variability, ``tr(Sigma_W Sigma_B^+) / K``, ``Sigma_W`` and ``Sigma_B = M^T M / K`` averages over
    classes;
NC2
    distance of the class means from a simplex, ``|M M^T/|M M^T| - (I - 11^T/K)/sqrt(K-1)|``;
NC3
    deviation from self-duality, ``|W/|W| - M/|M||``;
NC4
    share of samples that the classifier does not assign to the class of the nearest mean.

All norms are Frobenius; all four are dimensionless and zero at neural collapse. The pseudo-inverse is computed from the
thin SVD of ``M``, of rank at most ``K - 1``: a pseudo-inverse of the rank-deficient ``Sigma_B`` in float32 is
meaningless and may even give negative values.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from jaxtyping import Float, Int

# Weights are float32: smaller differences of logits and squared distances are within rounding.
RESOLUTION = 1e-6
# Training in float32 leaves relative errors of 1e-6 to 1e-5 in a direction that the minimiser does not use.
RANK_RESOLUTION = 1e-4


class CollapseMeasures(NamedTuple):
    """Measures of collapse; all NaN, and ``rank`` 0, at total collapse, where they are undefined.

    Attributes:
        nc1, nc2, nc3, nc4: see the module's docstring. With several factors NC1 is that of the cells of the factorial
            design, and the others are root mean squares over factors, from the means of each factor's values.
        rank: rank of the centred class means (for several factors, means of cells): singular values above 1e-4 of the
            largest.
        factor_overlap: largest cosine between the subspaces of two factors; NaN for one factor.
        interaction: share of the variance of the means of cells that sums of the means of factors do not explain; NaN
            for one factor.
    """

    nc1: float
    nc2: float
    nc3: float
    nc4: float
    rank: float
    factor_overlap: float
    interaction: float


UNDEFINED = CollapseMeasures(np.nan, np.nan, np.nan, np.nan, 0.0, np.nan, np.nan)


def measure_collapse(
    features: Float[np.ndarray, "N d"],
    classifier: Float[np.ndarray, "K d"],
    labels: Int[np.ndarray, "N F"],
    factor_sizes: Sequence[int],
) -> CollapseMeasures:
    """Measure neural collapse.

    Args:
        features: ``Float[N, d]``.
        classifier: ``Float[K, d]``, the rows of all heads.
        labels: ``Int[N, F]``, the value of each factor, each value at least once.
        factor_sizes: ``K_f``, which sum to ``K``.

    Returns:
        The measures. They are undefined for weights that are not finite, and if no two logits of a sample differ by
        more than 1e-6 nats: the network then does not distinguish the classes, and directions are rounding noise.
    """
    features, classifier = np.asarray(features, np.float64), np.asarray(classifier, np.float64)
    heads = np.split(classifier, np.cumsum(factor_sizes)[:-1])
    if not (np.all(np.isfinite(features)) and np.all(np.isfinite(classifier))):
        return UNDEFINED
    alive = [f for f, head in enumerate(heads) if np.ptp(features @ head.T, axis=1).max() > RESOLUTION]
    if not alive:
        return UNDEFINED
    cells = np.unique(labels, axis=0, return_inverse=True)[1].ravel()
    variability, rank = within_variability(features, cells)
    per_factor = [_factor_measures(features, heads[f], labels[:, f]) for f in alive]
    nc2, nc3, nc4 = np.sqrt(np.mean(np.square(per_factor), axis=0))
    single = len(heads) == 1
    overlap = np.nan if single else _largest_cosine([class_means(features, labels[:, f]) for f in alive])
    interaction = np.nan if single else _interaction(features, cells, labels)
    return CollapseMeasures(variability, nc2, nc3, nc4, float(rank), overlap, interaction)


def class_means(features: Float[np.ndarray, "N d"], classes: Int[np.ndarray, " N"]) -> Float[np.ndarray, "K d"]:
    """Return the mean of each class minus the mean of these means, ``Float[K, d]``."""
    counts = np.bincount(classes)
    means = np.zeros((len(counts), features.shape[1]))
    np.add.at(means, classes, features)
    means /= counts[:, None]
    return means - means.mean(axis=0)


def within_variability(features: Float[np.ndarray, "N d"], classes: Int[np.ndarray, " N"]) -> tuple[float, int]:
    """Return NC1 and the rank of the class means; NaN and 0 if they do not differ."""
    means, counts = class_means(features, classes), np.bincount(classes)
    n_classes = len(counts)
    _, values, axes = np.linalg.svd(means / np.sqrt(n_classes), full_matrices=False)
    rank = int(np.sum(values[: n_classes - 1] > RANK_RESOLUTION * values[0])) if values[0] > 0 else 0
    if rank == 0:
        return np.nan, 0
    centre = np.add.reduceat(features[np.argsort(classes, kind="stable")], np.cumsum(counts) - counts) / counts[:, None]
    whitened = (features - centre[classes]) @ (axes[:rank] / values[:rank, None]).T
    return float(np.sum(np.sum(whitened**2, axis=1) / counts[classes]) / n_classes**2), rank


def closest_rows(classifier: Float[np.ndarray, "K d"], factor_sizes: Sequence[int]) -> float:
    """Return the smallest distance of two rows of one head, relative to the rms norm of all rows; 0 for zero rows."""
    scale = np.sqrt(np.mean(np.sum(classifier**2, axis=1)))
    if scale == 0:
        return 0.0
    smallest = np.inf
    for head in np.split(np.asarray(classifier, np.float64), np.cumsum(factor_sizes)[:-1]):
        distances = np.linalg.norm(head[:, None] - head[None], axis=2)
        smallest = min(smallest, distances[~np.eye(len(head), dtype=bool)].min())
    return float(smallest / scale)


def _factor_measures(
    features: Float[np.ndarray, "N d"], head: Float[np.ndarray, "K_f d"], classes: Int[np.ndarray, " N"]
) -> tuple[float, float, float]:
    """Return NC2, NC3 and NC4 of one factor."""
    means, rows, n_classes = class_means(features, classes), head - head.mean(axis=0), len(head)
    gram = means @ means.T
    simplex = (np.eye(n_classes) - 1 / n_classes) / np.sqrt(n_classes - 1)
    lengths = np.linalg.norm(means), np.linalg.norm(rows)
    if min(lengths) == 0:
        return np.nan, np.nan, np.nan
    duality = np.linalg.norm(rows / lengths[1] - means / lengths[0])
    offset = features.mean(axis=0) - np.mean([features[classes == k].mean(axis=0) for k in range(n_classes)], axis=0)
    centred = features - features.mean(axis=0) + offset
    # |h - m_k|^2 up to a term that is the same for all classes.
    distances = np.sum(means**2, axis=1) - 2 * centred @ means.T
    chosen = np.argmax(features @ head.T, axis=1)
    excess = distances[np.arange(len(chosen)), chosen] - distances.min(axis=1)
    # Coinciding means are equally near, so that any of their classes counts as correct.
    missed = np.mean(excess > RESOLUTION * np.max(np.sum(means**2, axis=1)))
    return float(np.linalg.norm(gram / np.linalg.norm(gram) - simplex)), float(duality), float(missed)


def _largest_cosine(subspaces: list[Float[np.ndarray, "K_f d"]]) -> float:
    """Return the largest cosine between vectors of two of the row spaces; NaN for fewer than two spaces."""
    bases = []
    for means in subspaces:
        _, values, axes = np.linalg.svd(means, full_matrices=False)
        bases.append(axes[: len(means) - 1][values[: len(means) - 1] > RANK_RESOLUTION * values[0]])
    pairs = [np.linalg.norm(a @ b.T, 2) for i, a in enumerate(bases) for b in bases[:i]]
    return float(max(pairs, default=np.nan))


def _interaction(
    features: Float[np.ndarray, "N d"], cells: Int[np.ndarray, " N"], labels: Int[np.ndarray, "N F"]
) -> float:
    """Return the share of the variance of the means of cells that sums of the means of factors do not explain."""
    means = class_means(features, cells)
    values = np.unique(labels, axis=0)
    additive = sum(class_means(means, column)[column] for column in values.T)
    return float(np.sum((means - additive) ** 2) / np.sum(means**2))
