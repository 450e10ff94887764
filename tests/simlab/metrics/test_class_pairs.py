"""Gram matrix of classes and shares of variance, against sums over all pairs."""

import numpy as np
import pytest

from simlab.metrics.contextual.class_pairs import class_gram
from simlab.metrics.contextual.variance_shares import variance_shares

pytestmark = pytest.mark.quick

ROUNDING = 1e-12


def make_labels(seed=0, n_classes=4, n_sentences=15, length=5, n_tokens=7):
    rng = np.random.default_rng(seed)
    tokens = rng.integers(n_tokens, size=(n_sentences, length))
    return tokens, np.arange(n_sentences) % n_classes, rng.random(tokens.shape) < 0.8


def test_the_gram_matrix_counts_pairs_of_different_sentences():
    tokens, classes, mask = make_labels(2)
    hidden = np.random.default_rng(3).standard_normal((*tokens.shape, 3))
    gram = class_gram(hidden, classes, mask, n_classes=4)
    units = hidden / np.linalg.norm(hidden, axis=2, keepdims=True)
    sums, numbers = np.zeros((4, 4)), np.zeros((4, 4))
    for s in range(len(tokens)):
        for r in range(len(tokens)):
            if r != s:
                products = units[s][mask[s]] @ units[r][mask[r]].T
                sums[classes[s], classes[r]] += products.sum()
                numbers[classes[s], classes[r]] += products.size
    np.testing.assert_allclose(gram, sums / numbers, atol=ROUNDING)


def test_tokens_that_are_class_vectors_have_their_gram_matrix_and_a_single_sentence_has_no_pair():
    tokens, classes, mask = make_labels()
    vectors = np.random.default_rng(1).standard_normal((4, 6))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    hidden = np.repeat(vectors[classes][:, None], tokens.shape[1], axis=1)
    np.testing.assert_allclose(class_gram(hidden, classes, mask, n_classes=4), vectors @ vectors.T, atol=ROUNDING)
    alone = class_gram(hidden[:5], classes[:5], n_classes=4)
    np.testing.assert_array_equal(np.isnan(np.diag(alone)), [False, True, True, True])


def test_shares_are_an_analysis_of_variance():
    tokens, _, mask = make_labels(5)
    hidden, concepts = np.random.default_rng(6).standard_normal((*tokens.shape, 3)) + 1, np.array([0, 0, 0, 1, 1, 2, 2])
    shares = variance_shares(hidden, tokens, concepts, mask)
    np.testing.assert_allclose(sum(shares[:4]), 1, atol=ROUNDING)
    vectors, labels = hidden[mask], tokens[mask]
    second = np.mean(np.sum(vectors**2, axis=1))
    np.testing.assert_allclose(shares.second_moment, second, rtol=ROUNDING)
    np.testing.assert_allclose(shares.mean, np.sum(vectors.mean(axis=0) ** 2) / second, rtol=ROUNDING)
    means = np.array([vectors[concepts[labels] == c].mean(axis=0) for c in concepts[labels]])
    between = np.mean(np.sum((means - vectors.mean(axis=0)) ** 2, axis=1))
    np.testing.assert_allclose(shares.concept, between / second, rtol=1e-10)


def test_words_without_difference_have_no_share():
    """Words of a concept have one law, rare words among them: 60 repetitions, five standard errors about zero."""
    rng, concepts = np.random.default_rng(7), np.repeat([0, 1], 8)
    law = np.tile(1 / np.arange(1, 9), 2) / (2 * np.sum(1 / np.arange(1, 9)))
    words = []
    for _ in range(60):
        tokens = rng.choice(16, size=(80, 4), p=law)
        hidden = np.array([[1.0, 0, 0], [-1.0, 0, 0]])[concepts[tokens]] + rng.standard_normal((80, 4, 3))
        words.append(variance_shares(hidden, tokens, concepts).word)
    assert abs(np.mean(words)) < 5 * np.std(words) / np.sqrt(60)
    assert np.mean(words) < 0.004  # without the correction it would be about 14/320 of a variance of 3/4
