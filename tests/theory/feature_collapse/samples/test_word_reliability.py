"""Words of unequal reliability, against direct minimisation over enumerated populations, and against entropies."""

import itertools

import numpy as np
import pytest

from theory import feature_collapse
from theory.feature_collapse.samples.word_reliability import predict
from theory.frames import equiangular_frame

EPS = np.finfo(np.float64).eps
RELIABILITY = {"n_concepts": 3, "n_words": 6, "sentence_length": 2, "word_frequency": (0.7, 0.3)}


@pytest.mark.parametrize(("replacement", "label_noise"), [((0.1, 0.5), 0.0), ((0.6, 0.0), 0.0), ((0.6, 0.1), 0.15)])
def test_unequal_reliability_is_the_exact_minimum(noisy_population, noisy_risk, replacement, label_noise):
    latents, decay = np.array(list(itertools.product(range(3), repeat=2))), 2e-3
    population = noisy_population(latents, (0.7, 0.3), 3, label_noise, replacement)
    prediction = predict(**RELIABILITY, replacement=replacement, weight_decay=decay, label_noise=label_noise)
    noisy_risk(population, 6, 9, 4, decay).check(prediction, equiangular_frame(3, 4), latents, descend=label_noise > 0)


def test_reliability_decides_the_lengths_where_decay_is_small():
    # The frequent word is the unreliable one: it is longer under strong decay, shorter under weak decay.
    task = RELIABILITY | {"replacement": (0.4, 0.0)}
    strong, weak = (predict(**task, weight_decay=decay) for decay in (0.1, 1e-4))
    assert strong.embedding_norms[0] > strong.embedding_norms[1]
    assert weak.embedding_norms[0] < weak.embedding_norms[1]
    margins = 1.5 * weak.classifier_norm * weak.embedding_norms
    assert np.all(margins < weak.largest_margins)
    limit = predict(**task, weight_decay=1e-12)
    # What is missing is lam times the inverse curvature of the cross-entropy: some 1e-12 / 1e-1.
    margins = 1.5 * limit.classifier_norm * limit.embedding_norms
    np.testing.assert_allclose(margins, limit.largest_margins, rtol=1e-10)


def test_cost_of_equal_lengths_is_the_jensen_gap(noisy_population):
    # The entropies of the concept at one position given its word, with the rank known and not, from the enumeration.
    prediction = predict(**RELIABILITY, replacement=(0.6, 0.1), weight_decay=1e-3)
    sentences, labels, weights = noisy_population(np.arange(3)[:, None], (0.7, 0.3), 3, 0.0, (0.6, 0.1))
    joint = np.zeros((3, 2, 3))
    np.add.at(joint, (sentences[:, 0] // 2, sentences[:, 0] % 2, labels), weights)

    def entropy(table):
        return -(table * np.log(table / table.sum(axis=-1, keepdims=True))).sum()

    gap = entropy(joint.sum(axis=1)) - entropy(joint)
    assert prediction.cost_of_equal_lengths == pytest.approx(2 * gap, abs=20 * EPS)
    np.testing.assert_allclose(prediction.seen_frequencies, joint.sum(axis=(0, 2)), rtol=20 * EPS)
    equal = predict(**RELIABILITY, replacement=(0.3, 0.3), weight_decay=1e-3)
    assert equal.cost_of_equal_lengths == pytest.approx(0, abs=10 * EPS)
    same = feature_collapse.predict(
        n_words=6, sentence_length=2, n_classes="all", word_frequency=(0.7, 0.3), word_noise=0.3
    )
    np.testing.assert_allclose(equal.embedding_norms, same.embedding_norms, rtol=20 * EPS)
    assert equal.zero_threshold == pytest.approx(same.zero_threshold, rel=20 * EPS)


@pytest.mark.parametrize(
    ("replacement", "message"),
    [
        ((0.1,), r"^replacement: expected 2 numbers, got an array of shape \(1,\)"),
        ((0.1, 1.0), r"^replacement: expected a number in \[0, 1\), got 1.0"),
        (("x", 0.1), r"^replacement: expected a number in \[0, 1\), got 'x'"),
    ],
)
def test_replacement_is_checked(replacement, message):
    with pytest.raises(ValueError, match=message):
        predict(**RELIABILITY, replacement=replacement, weight_decay=1e-3)
