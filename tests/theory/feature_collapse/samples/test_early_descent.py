"""The linear beginning of training on a sample, against gradient descent in plain NumPy."""

import numpy as np
import pytest

from theory.feature_collapse.samples import linear_descent

pytestmark = pytest.mark.quick

N_CONCEPTS, N_WORDS, LENGTH, N_CLASSES, DIM = 2, 8, 3, 5, 4


@pytest.fixture(scope="module")
def sample():
    rng = np.random.default_rng(3)
    latents = rng.integers(N_CONCEPTS, size=(N_CLASSES, LENGTH))
    labels = np.repeat(np.arange(N_CLASSES), 4)
    return latents[labels] * (N_WORDS // N_CONCEPTS) + rng.integers(4, size=(len(labels), LENGTH)), labels


def weights(scale):
    rng = np.random.default_rng(7)
    return scale * rng.normal(size=(N_WORDS, DIM)), scale * rng.uniform(-1, 1, size=(N_CLASSES, LENGTH, DIM))


def descend(sample, embeddings, classifier, decays, rate, n_steps):
    """Gradient descent on the mean cross-entropy, one sentence and one position at a time; and the largest logit."""
    sentences, labels = sample
    largest = 0.0
    for _ in range(n_steps):
        by_word, by_class = decays[0] * embeddings, decays[1] * classifier
        for sentence, label in zip(sentences, labels, strict=True):
            logits = sum(classifier[:, place] @ embeddings[word] for place, word in enumerate(sentence))
            largest = max(largest, np.abs(logits).max())
            error = np.exp(logits) / np.exp(logits).sum() - (np.arange(N_CLASSES) == label)
            for place, word in enumerate(sentence):
                by_word[word] += error @ classifier[:, place] / len(labels)
                by_class[:, place] += np.outer(error, embeddings[word]) / len(labels)
        embeddings, classifier = embeddings - rate * by_word, classifier - rate * by_class
    return embeddings, classifier, largest


@pytest.mark.parametrize("decays", [(0.01, 0.01), (0.03, 0.0)])
def test_small_weights_move_as_predicted(sample, decays):
    started = weights(1e-6)
    embeddings, classifier, largest = descend(sample, *started, decays, 0.5, 40)
    predicted = linear_descent(
        *sample, *started, learning_rate=0.5, weight_decay=decays[0], classifier_weight_decay=decays[1]
    ).weights(40)
    # Probabilities differ from 1/K by a share of the largest logit at most, in each of 40 steps; products of singular
    # vectors round at 1e-16 / 1e-7 of the largest.
    tolerance = 40 * largest + 1e-9
    assert largest < 1e-7
    for learned, expected in zip((embeddings, classifier), predicted, strict=True):
        np.testing.assert_allclose(learned, expected, rtol=0, atol=tolerance * np.abs(learned).max())


def test_large_weights_do_not(sample):
    started = weights(1.0)
    embeddings, _, _ = descend(sample, *started, (0.01, 0.01), 0.5, 40)
    predicted, _ = linear_descent(*sample, *started, learning_rate=0.5, weight_decay=0.01).weights(40)
    assert np.abs(embeddings - predicted).max() > 0.1 * np.abs(embeddings).max()


def test_no_step_changes_nothing(sample):
    started = weights(1.0)
    unmoved = linear_descent(*sample, *started, learning_rate=0.5, weight_decay=0.01).weights(0)
    for before, after in zip(started, unmoved, strict=True):
        np.testing.assert_allclose(after, before, rtol=0, atol=1e-13)


def test_a_wrong_number_is_named(sample):
    with pytest.raises(ValueError, match="n_steps: expected"):
        linear_descent(*sample, *weights(1.0), learning_rate=0.5, weight_decay=0.01).weights(-1)
    with pytest.raises(ValueError, match="learning_rate: expected"):
        linear_descent(*sample, *weights(1.0), learning_rate=0.0, weight_decay=0.01)
