"""Laws of languages, and statistics of collapsed tokens against the tokens themselves."""

import re

import numpy as np
import pytest

from theory import contextual_embeddings as theory

pytestmark = pytest.mark.quick


def test_the_reference_language():
    """C of a word that s of K classes share is (K/s - 1)/(K - 1): 7/23 and 2/23 of 24."""
    prediction = theory.predict()
    expected = {"exclusive": 1.0, "shared_by_3": 7 / 23, "shared_by_8": 2 / 23, "function": 0.0}
    assert prediction.self_similarity == pytest.approx(expected, abs=1e-14)
    # Positions times C over the length, less what function words take.
    assert prediction.cramers_v2 == pytest.approx(0.8 * (3 + 3 * 7 / 23 + 2 * 2 / 23) / 8, abs=1e-14)
    assert prediction.anisotropy == 0
    assert prediction.intra_sentence == 1
    assert prediction.basis == "theorem"
    assert sum(prediction.variance_shares.values()) == pytest.approx(1, abs=1e-14)


def test_the_joint_law_by_hand():
    language = theory.SentenceLanguage(
        n_classes=4, exclusive=1, shared=((2, 2),), function_words=2, replacement=0.4, class_priors=(0.4, 0.3, 0.2, 0.1)
    )
    law = language.law()
    assert law.kinds == ("exclusive",) * 4 + ("shared_by_2",) * 2 + ("function",) * 2
    np.testing.assert_allclose(law.joint[1], [0, 0.3 * 0.6 / 3, 0, 0])
    np.testing.assert_allclose(law.joint[4], [0.4 * 0.6 * 2 / 3, 0.3 * 0.6 * 2 / 3, 0, 0])
    np.testing.assert_allclose(law.joint[7], 0.2 * np.array([0.4, 0.3, 0.2, 0.1]))
    np.testing.assert_allclose(law.priors, [0.4, 0.3, 0.2, 0.1])
    assert language.unidentified_share == pytest.approx(0.4)


def test_statistics_of_a_law_are_those_of_its_tokens():
    """A population with whole counts, its tokens written out, and any unit class vectors."""
    rng = np.random.default_rng(0)
    counts = rng.integers(1, 6, size=(5, 3))
    vectors = rng.normal(size=(3, 4))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    law = theory.LanguageLaw(joint=counts / counts.sum(), kinds=("a", "a", "b", "b", "c"))
    found = theory.collapsed_statistics(law, vectors @ vectors.T)
    concepts, classes = np.repeat(np.indices((5, 3)).reshape(2, -1), counts.ravel(), axis=1)
    tokens = vectors[classes]
    means = np.array([tokens[concepts == concept].mean(0) for concept in range(5)])
    np.testing.assert_allclose(found.concept_gram, means @ means.T, atol=1e-14)
    assert found.anisotropy == pytest.approx(np.sum(tokens.mean(0) ** 2), abs=1e-14)
    within = np.mean(np.sum((tokens - means[concepts]) ** 2, axis=1))
    assert found.context == pytest.approx(within, abs=1e-14)
    kind_a = np.average(found.self_similarity[:2], weights=counts[:2].sum(1))
    assert law.by_kind(found.self_similarity)["a"] == pytest.approx(kind_a)


def test_a_sample_with_words_that_occur_once_or_never():
    words, classes, sentences = np.array([0, 0, 1, 2, 0]), np.array([0, 0, 0, 1, 1]), np.array([5, 5, 5, 9, 9])
    found = theory.sample_statistics(words, classes, sentences, n_words=4, n_classes=2)
    # K = 2: class vectors are opposite. Word 0: two in class 0, one in class 1.
    assert found.self_similarity[0] == pytest.approx((1 - 1 - 1) / 3)
    assert np.isnan(found.self_similarity[1:]).all()
    assert found.mean_share[:3] == pytest.approx([1 / 9, 1, 1])
    assert np.isnan(found.mean_share[3])
    assert found.anisotropy == pytest.approx(-1)  # all pairs across the two sentences with different words
    assert found.whole_share == pytest.approx(1 / 25)
    assert found.cramers_v2 == found.self_similarity[0]


def test_one_sentence_has_no_anisotropy():
    found = theory.sample_statistics(np.array([0, 1]), np.array([0, 0]), np.array([0, 0]), n_words=2, n_classes=2)
    assert np.isnan(found.anisotropy)


def test_the_change_of_similarity_has_the_published_sign_only_for_exclusive_words():
    after = theory.collision_shares(np.array([[1, 0, 0], [0.5, 0.5, 0], [1 / 3, 1 / 3, 1 / 3]]))
    change = theory.self_similarity_change(after, 0.0, np.array([0.6, 0.6, 0.6]), 0.1)
    assert np.sign(change).tolist() == [1, -1, -1]
    np.testing.assert_allclose(after, [1, 0.25, 0])


def test_dimensions_decide_on_the_basis():
    assert theory.predict(embedding_dim=24).basis == "theorem"
    crowded = theory.predict(embedding_dim=23)
    assert crowded.basis == "approximation"
    assert "span 23 dimensions, more than the 22" in crowded.note
    assert theory.predict(n_classes=8, shared=(), largest_prior=0.7).basis == "certified"
    # From tau = 2.78 on all class vectors lie on a line, for which two dimensions do.
    assert theory.predict(n_classes=8, shared=(), largest_prior=0.7, temperature=3.0, embedding_dim=2).note == (
        "up to 0.008 of the sentences have no word that identifies their class"
    )


@pytest.mark.parametrize(
    ("task", "message"),
    [
        ({"shared": ((3, 5),)}, "shared: expected numbers of classes that divide n_classes=24, got 5: some class"),
        ({"shared": ((3,),)}, "shared: expected pairs positions:classes, got (3,)"),
        ({"shared": "3:3"}, "shared: expected pairs positions:classes, got '3:3'"),
        ({"exclusive": 0, "shared": ()}, "shared: expected at least one pair with exclusive=0, got none"),
        ({"exclusive": 0}, "exclusive: expected at least 1, as classes that share all concepts are alike, got 0"),
        ({"temperature": 0}, "temperature: expected a positive finite number, got 0"),
        ({"batch_size": 25}, "batch_size: expected at most n_classes=24, as classes are drawn without replacement"),
        ({"batch_size": 1}, "batch_size: expected at least 2, got 1"),
        ({"replacement": 1.0}, "replacement: expected a number in [0, 1), got 1.0"),
        ({"function_words": 0}, "function_words: expected at least 1 with replacement=0.2, got 0"),
        (
            {"largest_prior": 0.5, "batch_size": 4},
            "batch_size: expected none with unequal priors, where it is infinite",
        ),
        ({"largest_prior": 0.01}, "largest_prior: expected a number from 1/n_classes=0.0416667 to below 1, got 0.01"),
    ],
)
def test_bad_tasks_are_one_line(task, message):
    with pytest.raises(ValueError, match="^" + re.escape(message)):
        theory.predict(**task)


@pytest.mark.parametrize(
    ("joint", "message"),
    [
        ([[0.5, 0.0], [0.5, 0.0]], "joint: expected content in every class, got none in class 1"),
        ([[0.5, 0.5], [0.0, 0.0]], "joint: expected content in every concept, got none in concept 1"),
        ([[0.5, 0.6], [0.0, 0.1]], "joint: expected probabilities that sum to 1, got a sum of 1.2"),
    ],
)
def test_bad_laws_are_one_line(joint, message):
    with pytest.raises(ValueError, match="^" + re.escape(message)):
        theory.LanguageLaw(joint=np.array(joint), kinds=("a", "b"))
