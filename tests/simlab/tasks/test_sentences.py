import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from simlab.tasks.sentence_task import SentenceTask
from simlab.tasks.sentences import SentenceDistribution, draw_sentences, enumerate_sentences
from simlab.tasks.word_law import word_frequencies

pytestmark = pytest.mark.quick

TASK = SentenceTask(n_concepts=3, n_words=15, sentence_length=4, n_classes=7, word_frequency="zipf")


def test_sampler_follows_the_word_frequencies():
    # 40,000 sentences, 160,000 ranks over 5 cells. Chi-square at level 1e-4, with a fixed key.
    distribution = TASK.sample(0)
    classes = jnp.arange(40_000) % 7
    words = np.asarray(draw_sentences(jax.random.key(1), distribution, classes))
    concepts, ranks = words // 5, words % 5
    assert np.array_equal(concepts, distribution.latents[np.asarray(classes)])
    expected = words.size * word_frequencies(TASK.word_frequency, TASK.words_per_concept)
    assert stats.chisquare(np.bincount(ranks.ravel(), minlength=5), expected).pvalue > 1e-4


def test_positions_are_independent():
    distribution = TASK.sample(0)
    words = np.asarray(draw_sentences(jax.random.key(2), distribution, jnp.zeros(20_000, int)))
    table = np.zeros((5, 5))
    np.add.at(table, (words[:, 0] % 5, words[:, 1] % 5), 1)
    assert stats.chi2_contingency(table).pvalue > 1e-4


def test_the_sampler_test_can_fail():
    # The same chi-square test refuses a sampler with another exponent.
    other = SentenceTask(n_concepts=3, n_words=15, sentence_length=4, n_classes=7, word_frequency="zipf:1.1")
    words = np.asarray(draw_sentences(jax.random.key(1), other.sample(0), jnp.arange(40_000) % 7))
    expected = words.size * word_frequencies(TASK.word_frequency, TASK.words_per_concept)
    assert stats.chisquare(np.bincount(words.ravel() % 5, minlength=5), expected).pvalue < 1e-10


def test_enumeration_is_the_population():
    task = SentenceTask(n_concepts=2, n_words=6, sentence_length=3, n_classes=5, word_frequency=(0.5, 0.3, 0.2))
    distribution = task.sample(0)
    sentences, classes, probabilities = (np.asarray(array) for array in enumerate_sentences(distribution))
    found = {(int(k), tuple(x.tolist())): p for x, k, p in zip(sentences, classes, probabilities, strict=True)}
    expected = {}
    for k, latent in enumerate(distribution.latents):
        for ranks in itertools.product(range(3), repeat=3):
            words = tuple(int(concept) * 3 + rank for concept, rank in zip(latent, ranks, strict=True))
            expected[k, words] = np.prod([(0.5, 0.3, 0.2)[rank] for rank in ranks]) / 5
    assert found.keys() == expected.keys()
    assert len(sentences) == 5 * 27
    # float32 probabilities: three products and a quotient round at most 2^-24 each.
    np.testing.assert_allclose([found[k] for k in expected], list(expected.values()), rtol=5 * 2**-24)


def test_a_population_too_large_is_refused():
    task = SentenceTask(n_concepts=3, n_words=30, sentence_length=8, n_classes=2)
    message = r"population: expected 12500000 sentences at most \(use fresh .* sample\), got 200000000"
    with pytest.raises(ValueError, match=message):
        enumerate_sentences(task.sample(0))


def test_a_rounded_cumulative_sum_opens_no_word_beyond_the_last():
    # Frequencies whose float32 cumulative sum ends below 1: the last word takes the remainder.
    mu = jnp.full(3, np.float32(0.333))
    distribution = SentenceDistribution(jnp.zeros((1, 50), jnp.int32), mu)
    words = draw_sentences(jax.random.key(0), distribution, jnp.zeros(2000, int))
    assert int(words.max()) == 2
