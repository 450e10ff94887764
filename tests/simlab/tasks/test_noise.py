import itertools
from dataclasses import replace

import jax
import numpy as np
import pytest

from simlab.data.sources import Population
from simlab.tasks.sentence_task import SentenceTask
from simlab.tasks.sentences import draw_batch, draw_sample

pytestmark = pytest.mark.quick

TASK = SentenceTask(
    n_concepts=2,
    n_words=4,
    sentence_length=2,
    n_classes=3,
    word_frequency=(0.7, 0.3),
    label_noise=0.2,
    word_noise=0.4,
)


def probability(sentence, label, latents):
    """The joint law of a sentence and its label, written out from the definition of both noises."""
    mu = (0.7, 0.3)
    total = 0.0
    for meant, latent in enumerate(latents):
        shown = 1.0
        for word, concept in zip(sentence, latent, strict=True):
            kept = mu[word % 2] if word // 2 == concept else 0.0
            shown *= 0.6 * kept + 0.4 * 0.5 * mu[word % 2]
        total += shown / 3 * ((0.8 if meant == label else 0.0) + 0.2 / 3)
    return total


def test_the_noisy_population_has_the_law_of_its_definition():
    with jax.enable_x64(True):
        distribution = TASK.sample(0)
        batch = jax.device_get(Population().prepare(TASK, jax.random.key(0), distribution))
    found = {(*sentence, label): weight for sentence, label, weight in zip(*map(np.ndarray.tolist, batch), strict=True)}
    wanted = {
        (*sentence, label): probability(sentence, label, distribution.latents)
        for sentence in itertools.product(range(4), repeat=2)
        for label in range(3)
    }
    assert len(batch.classes) == TASK.n_examples == 48
    assert found == pytest.approx(wanted, rel=1e-13)
    assert sum(wanted.values()) == pytest.approx(1, rel=1e-14)


def test_drawn_sentences_follow_the_population():
    distribution = TASK.sample(0)
    size = 200_000
    batch = jax.device_get(draw_batch(jax.random.key(3), distribution, size))
    counts = np.zeros((4, 4, 3))
    np.add.at(counts, (*batch.inputs.T, batch.classes), 1)
    wanted = np.array(
        [[[probability((a, b), label, distribution.latents) for label in range(3)] for b in range(4)] for a in range(4)]
    )
    # Binomial counts: five standard errors.
    assert np.all(np.abs(counts - size * wanted) < 5 * np.sqrt(size * wanted))


def test_without_noise_a_noisy_program_draws_what_a_clean_one_does():
    clean = replace(TASK, label_noise=0.0, word_noise=0.0)
    admitted = TASK.admit(clean.sample(0))
    key = jax.random.key(4)
    for drawn, wanted in zip(draw_sample(key, admitted, 50), draw_sample(key, clean.sample(0), 50), strict=True):
        np.testing.assert_array_equal(drawn, wanted)
    noisy = draw_sample(key, TASK.sample(0), 50)
    # A word changes with the probability 0.4 of being replaced, unless the same one is drawn: its rank is drawn before.
    assert 0.1 < np.mean(noisy.inputs != draw_sample(key, clean.sample(0), 50).inputs) < 0.3


def test_the_population_of_no_noise_is_the_clean_one_and_sentences_that_never_occur():
    clean = replace(TASK, label_noise=0.0, word_noise=0.0)
    with jax.enable_x64(True):
        batches = [jax.device_get(one.population()) for one in (clean.sample(0), TASK.admit(clean.sample(0)))]
    few, many = (
        {(*sentence, label): weight for sentence, label, weight in zip(*map(np.ndarray.tolist, batch), strict=True)}
        for batch in batches
    )
    assert {key: weight for key, weight in many.items() if weight} == pytest.approx(few, rel=1e-14)


def test_tasks_that_differ_in_how_much_noise_share_a_program_and_clean_ones_do_not():
    other = SentenceTask(n_concepts=2, n_words=4, sentence_length=2, n_classes=3, label_noise=0.1)
    assert other.compile_key == TASK.compile_key
    assert SentenceTask(n_concepts=2, n_words=4, sentence_length=2, n_classes=3).compile_key != TASK.compile_key
    shapes = [jax.tree.map(np.shape, task) for task in (TASK.sample(0), TASK.abstract(), other.sample(1))]
    assert shapes[0] == shapes[1] == shapes[2]
    with pytest.raises(ValueError, match=r"^word_noise: expected a probability below 1, got 1\.0$"):
        SentenceTask(word_noise=1.0)
