"""The words of a sample, and what they allow to know."""

import itertools

import numpy as np
import pytest

from theory.feature_collapse.samples.known_words import known_words_accuracy, missing_words, spread_of_missing_words

pytestmark = pytest.mark.quick


def test_words_are_missing_as_often_as_in_drawn_samples():
    mu, rng, n_samples = np.array([0.7, 0.2, 0.1]), np.random.default_rng(3), 1000
    latents = np.array([[0, 1], [1, 1], [0, 0]])
    missing = np.empty((n_samples, 2, 3))
    for missing_ranks in missing:
        words = latents.repeat(2, axis=0) * 3 + rng.choice(3, size=(6, 2), p=mu)
        missing_ranks[:] = ~np.isin(np.arange(6), words).reshape(2, 3)
    expected = missing_words(latents, mu, 2)
    error = np.sqrt(expected * (1 - expected) / n_samples)
    assert np.all(abs(missing.mean(axis=0) - expected) < 5 * error)
    assert missing_words(latents, mu, 0) == pytest.approx(np.ones((2, 3)))


def test_the_spread_of_missing_words_is_that_of_random_directions_among_equal_ones():
    missing, rng, dim, n_draws = (
        np.array([[0.1, 0.5, 0.9, 0.3], [0.0, 0.2, 1.0, 0.6]]),
        np.random.default_rng(4),
        7,
        4000,
    )
    squares = np.empty(n_draws)
    for draw in range(n_draws):
        absent = rng.uniform(size=missing.shape) < missing
        vectors = np.where(absent[..., None], rng.normal(size=(2, 4, dim)), np.eye(dim)[:2, None])
        units = vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)
        squares[draw] = np.mean(np.sum((units - units.mean(axis=1, keepdims=True)) ** 2, axis=-1))
    error = squares.std() / np.sqrt(n_draws)
    assert spread_of_missing_words(missing) ** 2 == pytest.approx(squares.mean(), abs=5 * error)
    assert spread_of_missing_words(np.zeros((2, 4))) == 0


def test_known_words_accuracy_is_that_of_guessing_among_the_latents_that_agree():
    latents, unseen = np.array([[0, 1, 2], [0, 1, 1], [2, 1, 2], [1, 0, 0]]), np.array([0.3, 0.1, 0.6])
    expected = 0.0
    for own in latents:
        for seen in itertools.product([False, True], repeat=3):
            chance = np.prod([1 - unseen[z] if one else unseen[z] for z, one in zip(own, seen, strict=True)])
            agreeing = [all(not one or z == y for z, y, one in zip(own, other, seen, strict=True)) for other in latents]
            expected += chance / sum(agreeing) / len(latents)
    # Sums of a few numbers of order 1.
    assert known_words_accuracy(latents, unseen) == pytest.approx(expected, rel=1e-14)
    # All latents: each position is right, or guessed among the concepts.
    every = np.array(list(itertools.product(range(3), repeat=2)))
    assert known_words_accuracy(every, np.full(3, 0.3)) == pytest.approx((1 - 0.3 * 2 / 3) ** 2, rel=1e-14)
    with pytest.raises(ValueError, match=r"^latents: expected 2\^L K of at most 16777216, got 50331648$"):
        known_words_accuracy(np.zeros((3, 24), int), unseen)
