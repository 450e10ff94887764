"""Neural collapse with several labels: one classification head per factor, all on the same feature.

    minimise over W_f (K_f, d), h_i (d)
        sum_f (1/N) sum_i CE(W_f h_i, y_if) + lam_W/2 sum_f |W_f|^2 + lam_H/2 sum_i |h_i|^2

where every value of a factor, and every pair of values of two factors, occurs equally often among the N samples (a full
factorial design is one case). Then the centred indicators of different factors are orthogonal over samples. One simplex
per factor, in orthogonal subspaces, then satisfies the optimality conditions of the convex problem in the stacked
logits: the singular values of its gradient are those of the heads.

    Z_f = rho_f (Y_f - 1/K_f),   rho_f = log(1/c_f - K_f + 1),   c_f = sqrt(lam_W lam_H N / K_f)

with Y_f (K_f, N) the indicators. A factor vanishes iff c_f K_f = sqrt(lam_W lam_H N K_f) >= 1, independently of the
other factors.

Here W_f (K_f, d) is the classifier of factor f.

Source: derived here; with one factor it is `unconstrained_features` at n = N / K.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from theory.checks import require_integer
from theory.frames import equiangular_frame
from theory.optimality.weight_decay import joint_decay
from theory.short_text import number_range

if TYPE_CHECKING:
    from jaxtyping import Bool, Float, Int


class FactorPrediction(NamedTuple):
    """The minimiser, up to one rotation of features and heads.

    Args:
        value_means: for each factor, the mean feature of each of its values, float64 (K_f, d); they sum to zero, and
            the feature of a sample is the sum of the means of its values.
        classifiers: W_f, float64 (K_f, d), for each factor.
        logit_scales: rho_f, nats, float64 (F,).
        difference_norms: distance between the means of two values of a factor, float64 (F,):
            |m - m'|^2 = 2 rho_f sqrt(K_f / N) sqrt(lam_W / lam_H).
        classifier_norms: norm of the rows of W_f, float64 (F,).
        cross_entropies: of each head, nats, float64 (F,).
        risk: the sum over heads of the mean cross-entropy, plus the penalty, nats.
        nuclear_norm: of the stacked logits (sum K_f, N).
        thresholds: 1 / sqrt(N K_f), float64 (F,): the factor vanishes for sqrt(lam_W lam_H) at or above this.
        vanished: whether each factor vanishes, bool (F,).
        rank: sum of K_f - 1 over the factors that remain, the smallest d for which the prediction holds.
        n_samples: N.
        feature_weight_decay, classifier_weight_decay: lam_H and lam_W.
    """

    value_means: tuple[Float[np.ndarray, "K_f d"], ...]
    classifiers: tuple[Float[np.ndarray, "K_f d"], ...]
    logit_scales: Float[np.ndarray, " F"]
    difference_norms: Float[np.ndarray, " F"]
    classifier_norms: Float[np.ndarray, " F"]
    cross_entropies: Float[np.ndarray, " F"]
    risk: float
    nuclear_norm: float
    thresholds: Float[np.ndarray, " F"]
    vanished: Bool[np.ndarray, " F"]
    rank: int
    n_samples: int
    feature_weight_decay: float
    classifier_weight_decay: float

    def __repr__(self) -> str:
        """Return a summary of five lines."""
        kind = f"{self.rank} dimensions" if self.rank else "zero network"
        lines = (
            f"{kind}, theorem",
            f"task: factors of {' x '.join(map(str, self.factor_sizes))} values, {self.n_samples} samples, "
            f"{self.value_means[0].shape[1]} dimensions",
            f"norms: classifier {number_range(self.classifier_norms)}",
            f"risk: {self.risk:.6g} nats, cross-entropy {self.cross_entropies.sum():.6g} nats",
            f"zero threshold: {self.thresholds.max():.6g}; weight decays {self.feature_weight_decay:g}, "
            f"{self.classifier_weight_decay:g}",
        )
        return "\n".join(lines)

    @property
    def factor_sizes(self) -> tuple[int, ...]:
        """The numbers K_f of values of the factors."""
        return tuple(len(means) for means in self.value_means)

    @property
    def task(self) -> dict[str, object]:
        """The arguments of `predict` as plain JSON values."""
        return {
            "factor_sizes": [*self.factor_sizes],
            "n_samples": self.n_samples,
            "feature_dim": self.value_means[0].shape[1],
            "feature_weight_decay": self.feature_weight_decay,
            "classifier_weight_decay": self.classifier_weight_decay,
        }

    def to_json(self) -> dict[str, object]:
        """Return the prediction as plain JSON values, without the arrays that a rotation changes."""
        lists = ("logit_scales", "difference_norms", "classifier_norms", "cross_entropies", "thresholds", "vanished")
        values: dict[str, object] = {name: getattr(self, name).tolist() for name in lists}
        return {
            **values,
            "cross_entropy": float(self.cross_entropies.sum()),
            "risk": self.risk,
            "nuclear_norm": self.nuclear_norm,
            "zero_threshold": float(self.thresholds.max()),
            "rank": self.rank,
            "exact": True,
        }

    def features(self, labels: Int[np.ndarray, "N F"]) -> Float[np.ndarray, "N d"]:
        """Return the features h, float64 (N, d), of samples with the given labels, integers (N, F) in [0, K_f)."""
        labels = np.asarray(labels)
        if labels.ndim != 2 or labels.shape[1] != len(self.value_means):
            raise ValueError(f"labels: expected an array of shape (N, {len(self.value_means)}), got {labels.shape}")
        parts = (means[column] for means, column in zip(self.value_means, labels.T, strict=True))
        return sum(parts, start=np.zeros(()))


def predict(
    *,
    factor_sizes: Sequence[int],
    n_samples: int,
    feature_weight_decay: float,
    classifier_weight_decay: float,
    feature_dim: int | None = None,
) -> FactorPrediction:
    """Return the minimiser of the risk with one head for each factor.

    Args:
        factor_sizes: K_f >= 2, the number of values of each factor.
        n_samples: N, a multiple of K_f K_g for every two factors (of K_f for a single one).
        feature_weight_decay: lam_H > 0, the coefficient of |h_i|^2 / 2 for each sample.
        classifier_weight_decay: lam_W > 0, common to all heads.
        feature_dim: d; sum (K_f - 1) if not given.

    Returns: the prediction, which is exact.
    Valid: for d >= the rank.
    Raises: ValueError, `field: expected ..., got ...`, also for d below the rank.
    Source: the module's docstring.
    """
    sizes = np.array([require_integer("factor_sizes", size, minimum=2) for size in factor_sizes])
    n_samples = _balanced_samples(sizes, n_samples)
    decay = joint_decay(feature_weight_decay, classifier_weight_decay)
    marginal_penalties = decay * np.sqrt(n_samples / sizes)
    vanished = marginal_penalties * sizes >= 1
    scales = np.where(vanished, 0.0, np.log1p(np.maximum(1 - marginal_penalties * sizes, 0.0) / marginal_penalties))
    rank = int(np.sum((sizes - 1)[~vanished]))
    dim = int(np.sum(sizes - 1)) if feature_dim is None else require_integer("feature_dim", feature_dim, minimum=1)
    if dim < rank:
        raise ValueError(f"feature_dim: expected at least {rank}, the rank of the minimiser, got {dim}")
    rescaling = math.sqrt(classifier_weight_decay) / math.sqrt(feature_weight_decay)
    squares = scales * np.sqrt(sizes / n_samples) * rescaling * (1 - 1 / sizes)
    classifier_squares = scales * np.sqrt(n_samples / sizes) / rescaling * (1 - 1 / sizes)
    frames = _orthogonal_frames(sizes, vanished, dim)
    cross_entropies = np.log1p((sizes - 1) * np.exp(-scales))
    nuclear_norm = float(np.sum(scales * (sizes - 1) * np.sqrt(n_samples / sizes)))
    return FactorPrediction(
        value_means=tuple(math.sqrt(square) * frame for square, frame in zip(squares, frames, strict=True)),
        classifiers=tuple(math.sqrt(square) * frame for square, frame in zip(classifier_squares, frames, strict=True)),
        logit_scales=scales,
        difference_norms=np.sqrt(2 * scales * np.sqrt(sizes / n_samples) * rescaling),
        classifier_norms=np.sqrt(classifier_squares),
        cross_entropies=cross_entropies,
        risk=float(cross_entropies.sum()) + decay * nuclear_norm,
        nuclear_norm=nuclear_norm,
        thresholds=1 / np.sqrt(n_samples * sizes),
        vanished=vanished,
        rank=rank,
        n_samples=n_samples,
        feature_weight_decay=float(feature_weight_decay),
        classifier_weight_decay=float(classifier_weight_decay),
    )


def _balanced_samples(sizes: Int[np.ndarray, " F"], n_samples: int) -> int:
    """Return N, or raise ValueError if pairs of values cannot be equally frequent among N samples."""
    if sizes.size == 0:
        raise ValueError("factor_sizes: expected at least one factor, got none")
    n_samples = require_integer("n_samples", n_samples, minimum=1)
    pairs = [int(a * b) for i, a in enumerate(sizes) for b in sizes[:i]] or [int(sizes[0])]
    least = math.lcm(*pairs)
    if n_samples % least:
        raise ValueError(f"n_samples: expected a multiple of {least}, so that pairs of values balance, got {n_samples}")
    return n_samples


def _orthogonal_frames(
    sizes: Int[np.ndarray, " F"], vanished: Bool[np.ndarray, " F"], dim: int
) -> list[Float[np.ndarray, "K_f d"]]:
    """Return one equiangular frame (K_f, d) per factor, in orthogonal subspaces; zero for factors that vanish."""
    frames, used = [], 0
    for size, is_zero in zip(sizes, vanished, strict=True):
        frame = np.zeros((size, dim))
        if not is_zero:
            frame[:, used : used + size - 1] = equiangular_frame(int(size), int(size) - 1)
            used += int(size) - 1
        frames.append(frame)
    return frames
