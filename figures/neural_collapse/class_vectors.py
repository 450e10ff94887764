"""Learned and predicted class means of a saved run, with the axes, cosines and names to draw."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from jaxtyping import Float, Int

# Means below this share of the largest norm during the run count as zero: float32 training leaves relative errors of
# 1e-6 to 1e-5 in directions that the minimum does not use.
ZERO = 1e-4
# Variances with a smaller relative difference count as equal up to float32 rounding.
TIE = 1e-4


class ClassVectors(NamedTuple):
    """Features and class means of one regime and seed; with several factors, every value of a factor is a class.

    Attributes:
        features, features_predicted: ``Float[N, d]``.
        labels: ``Int[N, F]``, the value of each factor.
        means, means_predicted: ``Float[K, d]``, centred within each factor.
        factors: ``Int[K]``, the factor that a class is a value of.
        zero: a mean this long or shorter counts as zero.
    """

    features: Float[np.ndarray, "N d"]
    features_predicted: Float[np.ndarray, "N d"]
    labels: Int[np.ndarray, "N F"]
    means: Float[np.ndarray, "K d"]
    means_predicted: Float[np.ndarray, "K d"]
    factors: Int[np.ndarray, " K"]
    zero: float

    @property
    def n_factors(self) -> int:
        """Number of factors, F; 1 for plain classes."""
        return int(self.factors[-1]) + 1

    @property
    def values(self) -> Int[np.ndarray, " K"]:
        """Number of a class within its factor, from 0; ``Int[K]``."""
        return np.arange(len(self.factors)) - np.searchsorted(self.factors, self.factors)

    @property
    def names(self) -> list[str]:
        """Names of classes: 1, 2, ...; with several factors a1, a2, ..., b1, b2, ..."""
        letters = [chr(ord("a") + factor) if self.n_factors > 1 else "" for factor in self.factors]
        return [f"{letter}{value + 1}" for letter, value in zip(letters, self.values, strict=True)]

    def shorten(self, classes: list[int]) -> str:
        """Return the names of sorted classes, with neighbours in a factor as ranges: ``1, 6–10``."""
        breaks = (np.diff(classes) != 1) | (np.diff(self.factors[classes]) != 0)
        runs = np.split(classes, np.flatnonzero(breaks) + 1)
        return ", ".join(
            self.names[run[0]] + (f"\N{EN DASH}{self.values[run[-1]] + 1}" if len(run) > 1 else "") for run in runs
        )


def read_vectors(regime) -> ClassVectors:
    """Return the class vectors of a regime and seed of the dataset, without padding."""
    samples = np.isfinite(regime.sample_label.values[:, 0])
    dimensions = np.isfinite(regime.features_predicted.values[samples]).all(axis=0)
    factors = regime.class_factor.values[np.isfinite(regime.class_factor.values)].astype(int)
    labels = regime.sample_label.values[samples, : factors[-1] + 1].astype(int)
    learned, predicted = (
        regime[name].values[samples][:, dimensions].astype(np.float64) for name in ("features", "features_predicted")
    )
    norms = np.append(regime.history_embedding_norm.values, np.linalg.norm(predicted, axis=1))
    if learned.shape[1] == 1:  # two axes are drawn
        learned, predicted = (np.pad(features, ((0, 0), (0, 1))) for features in (learned, predicted))
    return ClassVectors(
        features=learned,
        features_predicted=predicted,
        labels=labels,
        means=_centred_means(learned, labels, factors),
        means_predicted=_centred_means(predicted, labels, factors),
        factors=factors,
        zero=ZERO * norms[np.isfinite(norms)].max(),
    )


def _centred_means(
    features: Float[np.ndarray, "N d"], labels: Int[np.ndarray, "N F"], factors: Int[np.ndarray, " K"]
) -> Float[np.ndarray, "K d"]:
    """Return the mean feature of every value of every factor, centred within the factor."""
    means = []
    for column, size in zip(labels.T, np.bincount(factors), strict=True):
        own = np.stack([features[column == value].mean(axis=0) for value in range(size)])
        means.append(own - own.mean(axis=0))
    return np.concatenate(means)


def cosines(means: Float[np.ndarray, "K d"], zero: float) -> Float[np.ndarray, "K K"]:
    """Return the cosine of every pair of means, ``Float[K, K]``; NaN for means not longer than ``zero``."""
    lengths = np.linalg.norm(means, axis=1)
    directions = means / np.where(lengths > zero, lengths, np.nan)[:, None]
    return directions @ directions.T


def class_axes(vectors: ClassVectors) -> tuple[Float[np.ndarray, "d 2"], Float[np.ndarray, " 2"]]:
    """Return two principal axes of the features, ``Float[d, 2]``, and the share of the learned variance along each.

    They are those of the predicted features unless these are all zero. A simplex has equal variance in all of its K - 1
    directions; among tied directions those are chosen in which the varying classes are closest to equal steps around a
    circle, in their order. A simplex then appears as a regular polygon.
    """
    candidates = (vectors.features_predicted, vectors.means_predicted), (vectors.features, vectors.means)
    features, means = next(
        (
            vectors_and_means
            for vectors_and_means in candidates
            if np.linalg.norm(vectors_and_means[1], axis=1).max() > vectors.zero
        ),
        candidates[0],
    )
    covariance = np.cov(features.T)
    places = means @ _top_directions(covariance, [])
    varying = np.linalg.norm(places, axis=1) > 1e-3 * np.linalg.norm(places, axis=1).max()
    angles = np.cumsum(varying) * 2 * np.pi / max(1, varying.sum())
    axes: list[np.ndarray] = []
    for pattern in (np.cos(angles), np.sin(angles)):
        tied = _top_directions(covariance, axes)
        wanted = tied @ (tied.T @ (means.T @ (varying * pattern)))
        length = np.linalg.norm(wanted)
        axes.append(wanted / length if length > vectors.zero else tied[:, -1])
    seen = vectors.features if np.all(np.isfinite(vectors.features)) else features
    total = max(np.sum(np.var(seen, axis=0)), np.finfo(float).tiny)
    return np.stack(axes, axis=1), np.array([np.var(seen @ axis) / total for axis in axes])


def _top_directions(covariance: np.ndarray, without: list[np.ndarray]) -> np.ndarray:
    """Return a basis, ``Float[d, m]``, of the directions of largest variance orthogonal to given axes."""
    taken = sum((np.outer(axis, axis) for axis in without), np.zeros_like(covariance))
    free = np.eye(len(covariance)) - taken
    variances, directions = np.linalg.eigh(free @ covariance @ free - (1 + np.trace(covariance)) * taken)
    return directions[:, variances >= (1 - TIE) * variances[-1]]
