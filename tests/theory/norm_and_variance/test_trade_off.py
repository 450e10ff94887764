"""Slope and correlation of variance and norm, against regressions on data; cosines against all pairs."""

import math

import numpy as np
import pytest

from theory import norm_and_variance as theory

pytestmark = pytest.mark.quick

ROUNDING = 1e-12  # sums of some hundred numbers in float64


@pytest.mark.parametrize("scale", [0.0, 0.1, 1.0, 10.0])
@pytest.mark.parametrize("sign", [1, -1])
def test_slope_and_correlation_are_those_of_a_regression(scale, sign):
    rng = np.random.default_rng(0)
    mean = rng.uniform(1, 2, size=200)
    square = 5 + scale * (sign * mean + 0.5 * rng.normal(size=200))
    s = square.std() / mean.std()
    r = np.corrcoef(square, mean)[0, 1] if scale else 0.3
    predicted = theory.predict_trade_off(s, r)
    variance = square - mean
    slope, _ = np.polyfit(mean, variance, 1)
    correlation = np.corrcoef(mean, variance)[0, 1]
    assert predicted.slope == pytest.approx(slope, rel=ROUNDING)
    assert predicted.correlation == pytest.approx(correlation, rel=ROUNDING)
    residual = variance - np.polyval(np.polyfit(mean, variance, 1), mean)
    assert predicted.determination == pytest.approx(1 - residual.var() / variance.var(), rel=1e-11)


def test_at_the_limits():
    assert theory.predict_trade_off(0, 0.7) == (-1, -1, 1)
    assert theory.predict_trade_off(1, 0).correlation == pytest.approx(-math.sqrt(0.5))
    assert math.isnan(theory.predict_trade_off(1, 1).correlation)
    assert theory.predict_trade_off(1e8, 1).correlation == pytest.approx(1)


@pytest.mark.parametrize("epsilon", [0.0, 0.5])
def test_layer_norm_pins_the_squared_norm(epsilon):
    vector = np.random.default_rng(1).normal(size=9)
    normalised = (vector - vector.mean()) / np.sqrt(vector.var() + epsilon)
    assert theory.pinned_square(9, vector.var(), epsilon) == pytest.approx(normalised @ normalised, rel=ROUNDING)


def test_cosines_of_one_norm_need_only_the_mean():
    rng = np.random.default_rng(2)
    vectors = rng.normal(size=(30, 4)) + 1
    vectors *= 3 / np.linalg.norm(vectors, axis=1, keepdims=True)
    share = np.sum(vectors.mean(0) ** 2) / 9
    cosines = vectors @ vectors.T / 9
    assert theory.mean_cosine(30, share) == pytest.approx(cosines[~np.eye(30, dtype=bool)].mean(), rel=ROUNDING)
    to_mean = vectors @ vectors.mean(0) / (3 * np.linalg.norm(vectors.mean(0)))
    assert theory.mean_similarity(share) == pytest.approx(to_mean.mean(), rel=ROUNDING)
    groups = np.repeat([0, 1, 2], [5, 10, 15])
    means = np.array([vectors[groups == group].mean(0) for group in range(3)])
    weights = [5 / 30, 10 / 30, 15 / 30]
    between = sum(p * np.sum((mean - vectors.mean(0)) ** 2) for p, mean in zip(weights, means, strict=True)) / 9
    found = theory.between_share(weights, (means**2).sum(1) / 9, share)
    assert found == pytest.approx(between, rel=1e-11)


def explained(values, groups):
    """Return the share of the variance of numbers that lies between groups."""
    means = np.array([values[groups == group].mean() for group in groups])
    return np.var(means) / np.var(values)


def test_tokens_and_sentences_explain_at_most_one_and_rho():
    rng = np.random.default_rng(3)
    sentences = rng.integers(4, size=600)
    tokens = np.where(rng.random(600) < 0.6, sentences, rng.integers(6, size=600))
    counts = np.zeros((6, 4))
    np.add.at(counts, (tokens, sentences), 1)
    limit = theory.explained_limit(counts)
    for _ in range(50):
        values = rng.normal(size=6)[tokens] + rng.normal(size=4)[sentences] + 0.3 * rng.normal(size=600)
        assert explained(values, tokens) + explained(values, sentences) <= limit
    # The bound is attained: f(token) + g(sentence) of the optimal functions, found here by alternating means (ACE).
    of_token = rng.normal(size=6)
    for _ in range(500):
        of_sentence = counts.T @ (of_token - of_token @ counts.sum(1) / 600) / counts.sum(0)
        of_token = counts @ (of_sentence - of_sentence @ counts.sum(0) / 600) / counts.sum(1)
        of_token /= np.abs(of_token).max()
    of_sentence = counts.T @ of_token / counts.sum(0)
    of_sentence /= np.sqrt(of_sentence**2 @ counts.sum(0) / (of_token**2 @ counts.sum(1)))
    best = of_token[tokens] + of_sentence[sentences]
    assert explained(best, tokens) + explained(best, sentences) == pytest.approx(limit, rel=1e-9)


def test_independence_and_identity_are_the_ends():
    assert theory.maximal_correlation(np.outer([1, 2, 3], [4, 5])) == pytest.approx(0, abs=1e-12)
    assert theory.maximal_correlation(np.diag([1.0, 2.0])) == pytest.approx(1)
    assert theory.maximal_correlation(np.array([[1, 0, 3], [0, 0, 0], [2, 0, 6]])) == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: theory.predict_trade_off(-1, 0), "deviation_ratio: expected a non-negative finite number, got -1"),
        (lambda: theory.predict_trade_off(1, 1.5), r"square_correlation: expected a number in \[-1, 1\], got 1.5"),
        (lambda: theory.pinned_square(0, 1), "dim: expected at least 1, got 0"),
        (lambda: theory.mean_cosine(1, 0.5), "count: expected at least 2, got 1"),
        (lambda: theory.mean_cosine(3, 1.5), r"mean_share: expected a number in \[0, 1\), got 1.5"),
        (lambda: theory.between_share([1.0], [0.2, 0.3], 0.1), "weights: expected 2 shares that sum to 1"),
        (lambda: theory.maximal_correlation([[0.0]]), "counts: expected a table of non-negative numbers"),
    ],
)
def test_bad_numbers_are_told_in_one_line(call, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        call()
