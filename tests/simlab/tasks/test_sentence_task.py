import itertools

import numpy as np
import pytest
from scipy import stats

from simlab.tasks.sentence_task import SentenceTask, draw_latents
from simlab.tasks.word_law import word_frequencies

pytestmark = pytest.mark.quick


def test_saturated_task_has_every_latent_once():
    task = SentenceTask(n_concepts=3, n_words=6, sentence_length=4, n_classes="all")
    assert task.n_classes == 81
    assert task.is_saturated
    expected = list(itertools.product(range(3), repeat=4))
    assert draw_latents(task, 5).tolist() == [list(latent) for latent in expected]


@pytest.mark.parametrize("length", [5, 60, 100])
def test_latents_are_distinct_and_follow_the_seed(length):
    task = SentenceTask(n_concepts=2, n_words=4, sentence_length=length, n_classes=20)
    latents = draw_latents(task, 3)
    assert latents.shape == (20, length)
    assert len(np.unique(latents, axis=0)) == 20
    assert np.array_equal(latents, draw_latents(task, 3))
    assert not np.array_equal(latents, draw_latents(task, 4))


@pytest.mark.parametrize("length", [3, 45])
def test_latents_are_uniform(length):
    # 2 of 27 latents (or of 3^45, which takes the row-wise path for large spaces): concepts at each position must be
    # uniform. Over 300 seeds a chi-square test at level 1e-4 fails one honest sampler in ten thousand; seeds are fixed.
    task = SentenceTask(n_concepts=3, n_words=3, sentence_length=length, n_classes=2)
    latents = np.stack([draw_latents(task, seed) for seed in range(300)])
    for position in range(length):
        counts = np.bincount(latents[:, 0, position], minlength=3)
        assert stats.chisquare(counts).pvalue > 1e-4


@pytest.mark.parametrize(
    ("law", "expected"),
    [
        ("uniform", [0.25, 0.25, 0.25, 0.25]),
        ("zipf", [12 / 25, 6 / 25, 4 / 25, 3 / 25]),
        ("zipf:-1", [0.1, 0.2, 0.3, 0.4]),
        ("zipf:2", [144 / 205, 36 / 205, 16 / 205, 9 / 205]),
        ((0.1, 0.2, 0.3, 0.4), [0.1, 0.2, 0.3, 0.4]),
    ],
)
def test_word_frequencies(law, expected):
    task = SentenceTask(n_concepts=2, n_words=8, sentence_length=3, n_classes=4, word_frequency=law)
    np.testing.assert_allclose(
        word_frequencies(task.word_frequency, task.words_per_concept), expected, rtol=4 * np.finfo(float).eps
    )


def test_population_size():
    task = SentenceTask(n_concepts=2, n_words=6, sentence_length=4, n_classes=5)
    assert task.n_examples == 5 * 3**4


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"n_words": 1201}, "n_words: expected a multiple of n_concepts=3, got 1201"),
        ({"n_concepts": 1}, "n_concepts: expected a whole number of at least 2, got 1"),
        ({"sentence_length": 0}, "sentence_length: expected a whole number of at least 1, got 0"),
        ({"sentence_length": 2.5}, "sentence_length: expected a whole number of at least 1, got 2.5"),
        ({"n_classes": 10, "sentence_length": 2}, r"n_classes: expected at most n_concepts\^sentence_length=9, got 10"),
        ({"n_classes": "most"}, "n_classes: expected a whole number or 'all', got 'most'"),
        ({"word_frequency": "zipfy"}, "word_frequency: expected uniform, zipf, .* got 'zipfy'"),
        ({"word_frequency": "zipf:inf"}, "word_frequency: expected uniform, zipf, .* got 'zipf:inf'"),
        ({"word_frequency": 0.5}, "word_frequency: expected a name or a list of numbers, got 0.5"),
        ({"sentence_length": 50, "n_classes": "all"}, r"n_classes: expected less than 2\^31, .* got 7178979.*"),
        ({"word_frequency": (0.5, 0.5)}, "word_frequency: expected 400 numbers, one per word of a concept, got 2"),
        ({"n_words": 6, "word_frequency": (1.5, -0.5)}, "word_frequency: expected positive finite numbers, got -0.5"),
        ({"n_words": 6, "word_frequency": (0.5, 0.6)}, "word_frequency: expected numbers that sum to 1, got 1.1"),
    ],
)
def test_bad_fields_are_named(fields, message):
    with pytest.raises(ValueError, match=f"^{message}$"):
        SentenceTask(**fields)
