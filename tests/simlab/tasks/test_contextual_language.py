"""The language: its exact joint law against frequencies of drawn sentences, batches, lengths, and bad input."""

import dataclasses

import jax
import numpy as np
import pytest

from simlab.tasks.contextual_language import ContextualLanguage

pytestmark = pytest.mark.quick

SMALL = ContextualLanguage(
    n_classes=6, exclusive=1, shared=((2, 2), (1, 3)), words_per_concept=3, function_words=2, n_evaluation=60
)
UNEQUAL = dataclasses.replace(
    SMALL, class_priors=(0.5, 0.1, 0.1, 0.1, 0.1, 0.1), repeats_classes=True, shortest=2, n_evaluation=100
)


def draw(task, size, seed=0):
    return jax.jit(lambda key, law: task.draw(key, law, size))(jax.random.key(seed), task.sample(0))


def counts_of(task, words, classes):
    """Count words by class, padding left out."""
    counts = np.zeros((task.n_words, task.n_classes))
    for sentence, label in zip(np.asarray(words), np.asarray(classes), strict=True):
        for word in sentence[sentence < task.n_words]:
            counts[word, label] += 1
    return counts


def test_words_by_class_have_the_exact_joint_law():
    """Both sides of 4,000 drawn pairs, lengths and priors unequal: five standard errors of each count."""
    pairs = draw(UNEQUAL, 4000)
    counts = sum(counts_of(UNEQUAL, side, pairs.classes) for side in pairs[:2])
    joint, total = UNEQUAL.word_joint(), counts.sum()
    # Counts of one sentence are dependent: of 4 slots at most, so their variance is at most 4 times the binomial one.
    deviation = np.sqrt(4 * joint * total) + 1
    assert np.all(np.abs(counts - joint * total) < 5 * deviation)
    assert np.all(counts[joint == 0] == 0)
    np.testing.assert_allclose(joint.sum(axis=0), UNEQUAL.priors(), rtol=1e-12)


def test_posteriors_of_the_kinds_of_words():
    joint = SMALL.word_joint()
    posterior = joint / joint.sum(axis=1, keepdims=True)
    sizes = dict(zip(SMALL.kinds, (1, 2, 3, 6), strict=True))
    for kind, name in enumerate(SMALL.kinds):
        for row in posterior[SMALL.word_kinds() == kind]:
            np.testing.assert_allclose(row[row > 0], 1 / sizes[name], rtol=1e-12)
            assert np.sum(row > 0) == sizes[name]
    concepts = SMALL.concept_joint()
    for concept in range(SMALL.n_concepts + 1):
        of_words = joint[SMALL.word_concepts() == concept].sum(axis=0)
        np.testing.assert_allclose(concepts[concept], of_words, rtol=1e-12)


def test_each_class_of_a_batch_occurs_once():
    pairs = draw(SMALL, 6)
    assert sorted(np.asarray(pairs.classes)) == list(range(6))
    with pytest.raises(ValueError, match="batch_size: expected at most n_classes=6, as no class is drawn twice, got 7"):
        draw(SMALL, 7)


def test_short_sentences_keep_the_order_of_slots_and_end_in_padding():
    task = dataclasses.replace(SMALL, shortest=1, replacement=0.0, function_words=0)
    first = np.asarray(draw(task, 6).first)
    is_word = first < task.n_words
    assert set(is_word.sum(axis=1)) <= {1, 2, 3, 4}
    assert np.all(np.diff(is_word.astype(int), axis=1) <= 0)
    assert np.all(first[~is_word] == task.padding)
    for sentence, n_words in zip(first, is_word.sum(axis=1), strict=True):
        concepts = task.word_concepts()[sentence[:n_words]]
        assert np.all(np.diff(concepts) >= 0)  # slots are in the order of the kinds


def test_evaluation_sentences_have_the_priors_and_are_the_same_for_all_runs():
    words, classes = UNEQUAL.sample(3).evaluation
    assert np.array_equal(np.bincount(classes), [50, 10, 10, 10, 10, 10])
    assert not np.array_equal(words, dataclasses.replace(UNEQUAL, evaluation_seed=1).sample(3).evaluation.words)
    counts, joint = counts_of(UNEQUAL, words, classes), UNEQUAL.word_joint()
    assert np.all(counts[joint == 0] == 0)
    np.testing.assert_array_equal(words, UNEQUAL.sample(4).evaluation.words)


def test_laws_share_a_compilation():
    other = dataclasses.replace(SMALL, word_frequency="uniform", replacement=0.4)
    assert other.compile_key == SMALL.compile_key
    assert jax.tree.map(np.shape, other.sample(1)) == jax.tree.map(np.shape, SMALL.sample(0))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"exclusive": 0, "shared": ()}, "exclusive: expected at least 1 where nothing is shared"),
        ({"exclusive": 0, "shared": ((1, 2),)}, "exclusive: expected at least 1 where some classes share all other"),
        ({"shared": ((1, 4),)}, "shared: expected classes that divide n_classes=6, got 4"),
        ({"shared": ((0, 3),)}, "shared: expected a whole number of at least 1, got 0"),
        ({"shared": ((1, 2, 3),)}, "shared: expected pairs of slots and classes"),
        ({"replacement": 1.0}, "replacement: expected a probability below 1"),
        ({"function_words": 0}, "function_words: expected a whole number of at least 1, got 0"),
        ({"class_priors": (0.5, 0.5)}, "class_priors: expected 6 numbers"),
        ({"class_priors": (0.5, 0.1, 0.1, 0.1, 0.1, 0.1)}, "class_priors: expected equal ones"),
        ({"class_priors": (0.5,) * 6}, "class_priors: expected numbers that sum to 1"),
        ({"shortest": 5}, "shortest: expected at most 4, got 5"),
        ({"n_evaluation": 11}, "n_evaluation: expected a whole number of at least 12"),
        ({"word_frequency": "zip"}, "word_frequency: expected uniform, zipf"),
    ],
)
def test_bad_input_is_named(change, message):
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(SMALL, **change)
