"""Samples of the task and gradients on them, independent of the theory."""

from typing import NamedTuple

import numpy as np

STANDARD_ERRORS = 5.0


class Estimate(NamedTuple):
    """Means over samples and their standard errors, arrays of the same shape."""

    mean: np.ndarray
    error: np.ndarray


def estimate(terms: np.ndarray) -> Estimate:
    """Return the mean over the first axis of independent terms, and its standard error."""
    return Estimate(terms.mean(axis=0), terms.std(axis=0, ddof=1) / np.sqrt(len(terms)))


def draw_strengths(features, size: int, seed: int = 0) -> np.ndarray:
    """Return Gaussian strengths, ``Float[size, d_c + d_b]``, those of the core first."""
    numbers = [features.core_features, features.background_features]
    means = np.repeat([features.core_mean, features.background_mean], numbers)
    deviations = np.repeat([features.core_deviation, features.background_deviation], numbers)
    return means + deviations * np.random.default_rng(seed).standard_normal((size, len(means)))


def draw_projections(features, size: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return the projections of core and background on their mean directions, ``Float[size]`` each."""
    normal = np.random.default_rng(seed).standard_normal((2, size))
    return (
        features.core_projection + features.core_deviation * normal[0],
        features.background_projection + features.background_deviation * normal[1],
    )


def neuron_gradients(weights, signs, strengths, core_features: int, slope: float) -> Estimate:
    """Return the derivatives of S_c, S_b and N^2 under descent of ``1 - y f``, ``Float[3, m]``.

    Every draw of the strengths is used with both labels, so that labels add no noise.

    Args:
        weights: hidden weights, ``Float[m, n]``.
        signs: signs of the output weights, ``Float[m]``.
        strengths: drawn strengths, ``Float[B, n]``.
        core_features: ``d_c``.
        slope: slope of the leaky ReLU.
    """
    terms = np.zeros((len(strengths), 3, len(weights)))
    for label in (1.0, -1.0):
        core, background = label * strengths[:, :core_features], strengths[:, core_features:]
        hidden = core @ weights[:, :core_features].T + background @ weights[:, core_features:].T
        pull = label / 2 * signs * np.where(hidden > 0, 1.0, slope)
        terms[:, 0] += pull * core.sum(axis=1, keepdims=True)
        terms[:, 1] += pull * background.sum(axis=1, keepdims=True)
        terms[:, 2] += 2 * pull * hidden
    return estimate(terms)


def aligned_margin(network, core, background, c: float, b: float) -> np.ndarray:
    """Return ``y f`` of a network of aligned neurons for projections of core and background."""
    positive, negative = network.value(c * core + b * background), network.value(-c * core + b * background)
    return (positive - negative) / 2


def network_gradient(activation, slope, weights, signs, strengths, core_features: int) -> np.ndarray:
    """Return the gradient of the logistic loss over draws with both labels, ``Float[m, n]``."""
    gradient = np.zeros_like(weights)
    for label in (1.0, -1.0):
        inputs = strengths.copy()
        inputs[:, :core_features] *= label
        hidden = inputs @ weights.T
        margin = label * activation(hidden) @ signs / len(signs)
        pull = -label / (1 + np.exp(margin))
        gradient += (pull[:, None] * signs * slope(hidden)).T @ inputs / (2 * len(strengths) * len(signs))
    return gradient
